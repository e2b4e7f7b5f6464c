import RNNCore

/// A native model as an ONNX graph of the standard operator set 17, which ONNX Runtime and others run.
public struct ONNXExport {
  public private(set) var model: ONNXModel
  /// What the graph does not do, or not exactly as here.
  public private(set) var ledger: [LedgerEntry] = []

  static let operatorSet = 17
  static let irVersion = 8

  /// - Throws: `unsupported` naming every layer that no nodes here stand for.
  public init(_ native: NativeModel) throws {
    var writing = try ONNXWriting(native)
    try writing.write()
    model = ONNXModel(
      irVersion: ONNXExport.irVersion, operatorSets: ["": ONNXExport.operatorSet], producer: "rnnconv",
      graph: writing.graph)
    ledger = writing.ledger
  }
}
