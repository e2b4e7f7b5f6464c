import RNNCore
import RealModule

/// Layers whose formula is written once for any precision, run from plain arrays.
enum NaiveFormula {
  static func run<Scalar: Real & BinaryFloatingPoint>(
    _ layer: any FormulaLayer, _ inputs: [NaiveTensor<Scalar>], _ weights: LayerWeights, _ noise: LayerNoise?
  ) throws -> [NaiveTensor<Scalar>] {
    let plan = try layer.plan(
      inputs.map { PlannedInput(shape: $0.shape, mask: $0.maskShape) }, isTraining: noise != nil)
    var arena = Arena<Scalar>()
    defer { arena.free() }
    let run = FormulaRun(
      inputs: inputs.map { input in
        FormulaTensor(
          values: arena.take(input.values), shape: input.shape, mask: arena.take(input.mask),
          maskShape: input.maskShape ?? [])
      },
      outputs: plan.outputShapes.enumerated().map { index, shape in
        let mask = index == 0 ? plan.ownMask : nil
        return FormulaTensor(
          values: arena.take(Array(repeating: .nan, count: elementCount(shape))), shape: shape,
          mask: arena.take(mask.map { Array(repeating: false, count: elementCount($0)) }), maskShape: mask ?? [])
      },
      parameters: weights.tensors.map { UnsafePointer(arena.take($0.doubles().map { Scalar($0) })) }, noise: noise)
    layer.evaluate(run)
    return run.outputs.enumerated().map { index, output in
      var result = NaiveTensor(
        shape: output.shape, values: Array(UnsafeBufferPointer(start: output.values, count: output.count)))
      if let mask = output.mask {
        result.mask = (0..<elementCount(output.maskShape)).map { mask[$0] != 0 }
        result.maskShape = output.maskShape
      } else if index == 0, let source = plan.maskSource {
        (result.mask, result.maskShape) = (inputs[source].mask, inputs[source].maskShape)
      }
      return result
    }
  }

  /// Owns the memory of one run.
  private struct Arena<Scalar> {
    private var values: [UnsafeMutablePointer<Scalar>] = []
    private var masks: [UnsafeMutablePointer<UInt8>] = []

    mutating func take(_ array: [Scalar]) -> UnsafeMutablePointer<Scalar> {
      let memory = UnsafeMutablePointer<Scalar>.allocate(capacity: max(array.count, 1))
      array.withUnsafeBufferPointer { if let base = $0.baseAddress { memory.initialize(from: base, count: $0.count) } }
      values.append(memory)
      return memory
    }

    mutating func take(_ mask: [Bool]?) -> UnsafeMutablePointer<UInt8>? {
      guard let mask else { return nil }
      let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: max(mask.count, 1))
      for (index, isValid) in mask.enumerated() { memory[index] = isValid ? 1 : 0 }
      masks.append(memory)
      return memory
    }

    func free() {
      for memory in values { memory.deallocate() }
      for memory in masks { memory.deallocate() }
    }
  }
}
