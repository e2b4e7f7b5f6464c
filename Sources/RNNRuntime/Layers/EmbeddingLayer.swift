import Foundation
import RNNCore

/// y[..., :] = table[id[...], :]
///
/// A float32 table is read where it lies, so that a large vocabulary costs only the rows that are looked up.
struct EmbeddingLayer: RuntimeLayer {
  let spec: EmbeddingSpec
  private let table: Data
  private let dtype: DType

  init(_ spec: EmbeddingSpec, _ embeddings: Tensor) {
    self.spec = spec
    dtype = embeddings.dtype
    table = embeddings.bytes
  }

  func plan(input: [Int], isMasked: Bool) -> LayerPlan {
    LayerPlan(outputShapes: [input + [spec.outputDim]], makesMask: spec.maskZero)
  }

  func forward(_ inputs: [Value], _ outputs: [Value], scratch: Floats, states: inout LayerStates?) throws {
    let x = inputs[0]
    let width = spec.outputDim
    for position in 0..<x.count {
      let id = try id(at: position, of: x)
      if spec.maskZero { outputs[0].mask?[position] = id == 0 ? 0 : 1 }
      try copyRow(id, to: outputs[0].floats + position * width)
    }
  }

  private func copyRow(_ id: Int, to destination: Floats) throws {
    let size = spec.outputDim * dtype.byteCount
    if dtype == .float32 {
      table.withUnsafeBytes { raw in
        UnsafeMutableRawPointer(destination).copyMemory(
          from: UnsafeRawBufferPointer(rebasing: raw[id * size..<(id + 1) * size]).baseAddress
            ?? UnsafeRawPointer(destination),
          byteCount: size)
      }
      return
    }
    let start = table.startIndex + id * size
    let row = try Tensor(dtype: dtype, shape: [spec.outputDim], bytes: table[start..<start + size])
    for (index, value) in row.floats().enumerated() { destination[index] = value }
  }

  private func id(at position: Int, of x: Value) throws -> Int {
    let id: Int
    if let ids = x.ids {
      id = Int(ids[position])
    } else {
      guard let exact = Int(exactly: x.floats[position]) else {
        throw failure("\(x.floats[position]) is no whole number", position, x)
      }
      id = exact
    }
    guard (0..<spec.inputDim).contains(id) else {
      throw failure("the id \(id) lies outside the embedding's 0 ..< \(spec.inputDim)", position, x)
    }
    return id
  }

  private func failure(_ what: String, _ position: Int, _ x: Value) -> RNNError {
    let perRow = max(x.count / max(x.batch, 1), 1)
    return RNNError.badData(
      "\(what) (row \(position / perRow), position \(position % perRow))",
      remedy: "Use the vocabulary that the model was trained with.")
  }
}
