import Foundation
import RNNCore

extension ONNXFile {
  /// The bytes of a model; initializers stand in the order of their names.
  /// - Throws: `unsupported` for numbers that ONNX has no type for.
  public static func data(of model: ONNXModel) throws -> Data {
    var file = ProtobufWriter()
    file.integer(1, model.irVersion)
    file.text(2, model.producer)
    let graph = try graph(model.graph)
    file.bytes(7, graph)
    for (domain, version) in model.operatorSets.sorted(by: { $0.key < $1.key }) {
      file.message(8) { set in
        set.text(1, domain)
        set.integer(2, version)
      }
    }
    return file.data
  }

  private static func graph(_ graph: ONNXGraph) throws -> Data {
    var writer = ProtobufWriter()
    for node in graph.nodes { writer.bytes(1, try self.node(node)) }
    writer.text(2, graph.name)
    for name in graph.initializers.keys.sorted() {
      guard let tensor = graph.initializers[name] else { continue }
      writer.bytes(5, try self.tensor(tensor, named: name))
    }
    for value in graph.inputs { writer.bytes(11, try self.value(value)) }
    for value in graph.outputs { writer.bytes(12, try self.value(value)) }
    return writer.data
  }

  private static func node(_ node: ONNXGraph.Node) throws -> Data {
    var writer = ProtobufWriter()
    for name in node.inputs { writer.text(1, name) }
    for name in node.outputs { writer.text(2, name) }
    writer.text(3, node.name)
    writer.text(4, node.operation)
    for name in node.attributes.keys.sorted() {
      guard let attribute = node.attributes[name] else { continue }
      writer.bytes(5, try self.attribute(name, attribute))
    }
    if !node.domain.isEmpty { writer.text(7, node.domain) }
    return writer.data
  }

  private static func attribute(_ name: String, _ attribute: ONNXGraph.Attribute) throws -> Data {
    var writer = ProtobufWriter()
    writer.text(1, name)
    let kind: Int
    switch attribute {
    case .float(let value):
      writer.float(2, value)
      kind = 1
    case .integer(let value):
      writer.integer(3, value)
      kind = 2
    case .string(let value):
      writer.text(4, value)
      kind = 3
    case .tensor(let value):
      writer.bytes(5, try tensor(value, named: ""))
      kind = 4
    case .floats(let values):
      for value in values { writer.float(7, value) }
      kind = 6
    case .integers(let values):
      for value in values { writer.integer(8, value) }
      kind = 7
    case .strings(let values):
      for value in values { writer.text(9, value) }
      kind = 8
    case .other: throw RNNError(.internalError, "an attribute '\(name)' of no kind")
    }
    writer.integer(20, kind)
    return writer.data
  }

  private static func code(_ dtype: DType?) throws -> Int {
    guard let dtype, let code = ONNXTensor.dtypes.first(where: { $0.value == dtype })?.key else {
      throw RNNError.unsupported("ONNX has no type for \(dtype?.name ?? "it")")
    }
    return code
  }

  private static func tensor(_ tensor: Tensor, named name: String) throws -> Data {
    var writer = ProtobufWriter()
    for size in tensor.shape { writer.integer(1, size) }
    writer.integer(2, try code(tensor.dtype))
    writer.text(8, name)
    writer.bytes(9, Data(tensor.bytes))
    return writer.data
  }

  private static func value(_ value: ONNXGraph.Value) throws -> Data {
    let code = try code(value.dtype)
    var writer = ProtobufWriter()
    writer.text(1, value.name)
    writer.message(2) { type in
      type.message(1) { tensor in
        tensor.integer(1, code)
        guard let dimensions = value.shape else { return }
        tensor.message(2) { shape in
          for dimension in dimensions {
            shape.message(1) { inner in
              switch dimension {
              case .size(let size): inner.integer(1, size)
              case .named(let name): inner.text(2, name)
              case .free: break
              }
            }
          }
        }
      }
    }
    return writer.data
  }
}
