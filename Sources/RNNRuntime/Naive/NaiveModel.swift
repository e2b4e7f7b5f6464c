import RNNCore
import RealModule

/// A whole model by the naive layers: slow, and the reference. In `Double` it is the float64 twin that judges where
/// float32 itself is the problem.
public enum NaiveModel {
  /// - Returns: for each output its values, row-major.
  /// - Throws: as `Model.predict(_:)`.
  public static func predict(_ inputs: [Tensor], _ model: Model) throws -> [[Double]] {
    try run(inputs, model, Double.self)
  }

  /// The same in float32.
  public static func predictFloat(_ inputs: [Tensor], _ model: Model) throws -> [[Float]] {
    try run(inputs, model, Float.self)
  }

  /// - Parameter noise: the seed and the step of dropout and noise; `nil` outside training.
  package static func run<Scalar: Real & BinaryFloatingPoint>(
    _ inputs: [Tensor], _ model: Model, _: Scalar.Type, noise: (seed: UInt64, step: UInt64)? = nil
  ) throws -> [[Scalar]] {
    let checked = try ModelInputs(inputs, model.graph)
    let spec = model.graph.spec
    let tensors = model.native.tensorsByPath
    var values: [[NaiveTensor<Scalar>]] = []
    for (index, call) in spec.calls.enumerated() {
      if let position = spec.inputs.firstIndex(of: index) {
        let tensor = checked.tensors[position]
        values.append([NaiveTensor(shape: tensor.shape, values: tensor.doubles().map { Scalar($0) })])
        continue
      }
      let layer = spec.layers[call.layer]
      let weights = LayerWeights(
        names: layer.spec.parameterNames,
        tensors: layer.spec.parameterNames.compactMap {
          tensors[NativeModel.path(layer: layer.name, parameter: $0)]
        })
      values.append(
        try NaiveLayers.forward(
          layer.spec, call.inputs.map { values[$0.call][$0.output] }, weights,
          noise: noise.map { LayerNoise(seed: $0.seed, step: $0.step, call: index) }))
    }
    return zip(spec.outputs, model.graph.outputBatchAxes).map { reference, axis in
      values[reference.call][reference.output].withBatch(at: axis).values
    }
  }
}
