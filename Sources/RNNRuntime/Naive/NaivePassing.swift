import RNNCore
import RealModule

/// The layers that hand their first input on.
enum NaivePassing {
  static func run<Scalar: Real & BinaryFloatingPoint>(
    _ layer: PassingLayer, _ inputs: [NaiveTensor<Scalar>]
  ) throws -> [NaiveTensor<Scalar>] {
    let shape = try layer.shape(inputs.map { PlannedInput(shape: $0.shape, mask: $0.maskShape) })
    var result = NaiveTensor(shape: shape, values: inputs[0].values)
    switch layer.mask {
    case .kept: (result.mask, result.maskShape) = (inputs[0].mask, inputs[0].maskShape)
    case .of(let index): (result.mask, result.maskShape) = (inputs[index].mask, inputs[index].maskShape)
    case .ended: break
    case .from(let index):
      (result.mask, result.maskShape) = (inputs[index].values.map { $0 != 0 }, inputs[index].shape)
    case .folded:
      if let mask = inputs[0].maskShape, mask.count > 2 {
        (result.mask, result.maskShape) = (inputs[0].mask, [mask[0] * mask[1]] + mask.dropFirst(2))
      }
    case .unfolded(let joins):
      (result.mask, result.maskShape) = (inputs[1].mask, inputs[1].maskShape)
      let steps = Array(inputs[1].shape.prefix(2))
      if joins, let inner = inputs[0].mask, let shape = inputs[0].maskShape {
        (result.mask, result.maskShape) = (inner, steps + shape.dropFirst())
      } else if joins, let mask = inputs[1].mask {
        let count = steps.reduce(1, *)
        let width = max(mask.count / max(count, 1), 1)
        result.mask = (0..<count).map { step in mask[step * width..<(step + 1) * width].contains(true) }
        result.maskShape = steps
      }
    }
    return [result]
  }
}
