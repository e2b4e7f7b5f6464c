import RNNCore
import RNNTestSupport
import Testing

@testable import RNNRuntime

/// A case of `fixtures/training/`: one run forwards and backwards from the cotangents that stand beside the model.
struct GradientRun {
  let outputs: [(values: [Float], shape: [Int])]
  /// Whether a layer left any.
  let hasProducts: Bool
  private let native: NativeModel
  private let inputGradients: [[Float]?]
  /// By path, after the run: what moving statistics came to, and d loss / d parameter.
  private(set) var parameters: [String: [Float]] = [:]
  private(set) var gradients: [String: [Float]] = [:]

  /// - Parameter leavesProducts: whether products that layers can leave are made here, in four parts.
  init(_ fixture: TrainingCase, isTraining: Bool, leavesProducts: Bool = false) throws {
    native = try fixture.model()
    let graph = RuntimeGraph(native.spec)
    let plain = native.spec.plain
    let shapes = try plain.shapes().parameters
    // Memory of its own: moving statistics are written to.
    let tensors = native.tensorsByPath
    func path(_ layer: Int, _ parameter: Int) -> String {
      NativeModel.path(layer: plain.layers[layer].name, parameter: shapes[layer][parameter].name)
    }
    let values = try shapes.indices.map { layer in
      try shapes[layer].indices.map { parameter in
        let floats = try #require(tensors[path(layer, parameter)]).floats()
        let memory = FloatMemory(floats.count)
        for (index, value) in floats.enumerated() { memory.base[index] = value }
        return memory
      }
    }
    let sums = values.map { $0.map { FloatMemory($0.count, repeating: 0) } }
    let pointers = values.map { $0.map { UnsafePointer($0.base) } }
    let pass = GradientPass(
      graph, trainable: plain.layers.map { isTraining ? $0.isTrainable : true }, wantsInputs: true,
      leavesProducts: leavesProducts)
    let inputs = try ModelInputs(try fixture.arrays("inputs.npz").map(\.tensor), graph)
    outputs = try pass.forward(
      inputs, parameters: pointers, seed: isTraining ? 1 : nil, step: 0, firstExample: 0
    ).map { (Array(UnsafeBufferPointer(start: $0.floats, count: $0.shape.reduce(1, *))), $0.shape) }
    let cotangents = try fixture.arrays("cotangent.npz").map(\.tensor)
    let embeddings = pass.backward(parameters: pointers, parameterGradients: sums.map { $0.map(\.base) }) {
      output, gradient in
      for (index, value) in cotangents[output].floats().enumerated() { gradient[index] = value }
    }
    for part in embeddings { part.add(to: sums[part.layer][0].base) }
    for (layer, product) in pass.products {
      let (row, column) = (product.rows / 2, product.columns / 3)
      for rows in [0..<row, row..<product.rows] {
        for columns in [0..<column, column..<product.columns] {
          product.add(to: sums[layer][product.parameter].base, .init(rows: rows, columns: columns))
        }
      }
    }
    hasProducts = !pass.products.isEmpty
    for layer in shapes.indices {
      for parameter in shapes[layer].indices {
        func floats(_ memory: FloatMemory) -> [Float] {
          Array(UnsafeBufferPointer(start: memory.base, count: memory.count))
        }
        parameters[path(layer, parameter)] = floats(values[layer][parameter])
        gradients[path(layer, parameter)] = floats(sums[layer][parameter])
      }
    }
    inputGradients = native.spec.inputs.indices.map { pass.inputGradient($0).map { Array($0) } }
  }

  /// Against `gradients.npz`: relative to each tensor's largest gradient, for float32 sums of many terms round against
  /// each other. One that is 0 but for rounding (an attention's key bias) is judged by the model's largest.
  func expectGradients(of fixture: TrainingCase) throws {
    let all = try fixture.arrays("gradients.npz")
    #expect(!all.isEmpty)
    let overall = all.flatMap { $0.tensor.floats() }.map(abs).max() ?? 0
    for (name, expected) in all {
      let ours = try #require(try gradient(name), "\(name)")
      let theirs = expected.floats()
      let largest = theirs.map(abs).max() ?? 0
      try #require(ours.count == theirs.count, "\(name)")
      let worst = zip(ours, theirs).map { abs($0 - $1) }.max() ?? 0
      #expect(worst <= max(1e-4 * largest, 1e-6 * overall) + 1e-7, "\(name): \(worst) of \(largest)")
    }
  }

  /// - Parameter name: `input:x`, or a parameter's path; `RNN` over one cell is the layer of that cell here.
  private func gradient(_ name: String) throws -> [Float]? {
    if name.hasPrefix("input:") {
      let index = try #require(native.spec.inputNames.firstIndex(of: String(name.dropFirst(6))))
      return inputGradients[index]
    }
    return gradients[name] ?? gradients[name.replacingOccurrences(of: "/cell/", with: "/")]
  }
}
