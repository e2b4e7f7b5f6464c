import RNNCore
import RealModule

/// The layers that only training knows, one number at a time, from the same counted random numbers as `NoiseLayer`.
enum NaiveNoise {
  /// Each element by a factor of its own, 1 / (1 - rate) or 0; with `isSpatial`, by that of its channel.
  static func dropout<Scalar: BinaryFloatingPoint>(
    _ x: NaiveTensor<Scalar>, rate: Double, isSpatial: Bool, _ noise: LayerNoise?
  ) -> NaiveTensor<Scalar> {
    guard let noise, rate > 0 else { return x }
    let perExample = x.values.count / max(x.shape[0], 1)
    var result = x
    for index in x.values.indices {
      let (example, place) = index.quotientAndRemainder(dividingBy: perExample)
      let element = isSpatial ? example * x.width + place % x.width : index
      result.values[index] *= factor(noise.uniform(element), rate)
    }
    return result
  }

  /// x + deviation N(0, 1)
  static func gaussian<Scalar: BinaryFloatingPoint>(
    _ x: NaiveTensor<Scalar>, deviation: Double, _ noise: LayerNoise?
  ) -> NaiveTensor<Scalar> {
    guard let noise else { return x }
    var result = x
    for index in x.values.indices { result.values[index] += Scalar(deviation) * Scalar(noise.normal(index)) }
    return result
  }

  /// x (1 + sqrt(rate / (1 - rate)) N(0, 1))
  static func gaussianDropout<Scalar: BinaryFloatingPoint>(
    _ x: NaiveTensor<Scalar>, rate: Double, _ noise: LayerNoise?
  ) -> NaiveTensor<Scalar> {
    guard let noise else { return x }
    let deviation = Scalar((rate / (1 - rate)).squareRoot())
    var result = x
    for index in x.values.indices { result.values[index] *= 1 + deviation * Scalar(noise.normal(index)) }
    return result
  }

  /// See `NoiseLayer`.
  static func alphaDropout<Scalar: BinaryFloatingPoint>(
    _ x: NaiveTensor<Scalar>, rate: Double, _ noise: LayerNoise?
  ) -> NaiveTensor<Scalar> {
    guard let noise, rate > 0 else { return x }
    let floor = -1.6732632423543772 * 1.0507009873554805
    let factor = 1 / ((1 - rate) * (1 + rate * floor * floor)).squareRoot()
    var result = x
    for index in x.values.indices {
      let kept = noise.uniform(index) >= Float(rate) ? Double(x.values[index]) : floor
      result.values[index] = Scalar(factor * kept - factor * floor * rate)
    }
    return result
  }

  /// The factors of a recurrent layer's dropout for one example, the same at every step.
  static func factors<Scalar: BinaryFloatingPoint>(
    _ example: Int, width: Int, rate: Double, _ noise: LayerNoise?, stream: UInt32
  ) -> [Scalar] {
    guard let noise, rate > 0 else { return Array(repeating: 1, count: width) }
    return (0..<width).map { factor(noise.uniform(example * width + $0, stream: stream), rate) }
  }

  private static func factor<Scalar: BinaryFloatingPoint>(_ random: Float, _ rate: Double) -> Scalar {
    random >= Float(rate) ? Scalar(1 / (1 - Float(rate))) : 0
  }
}
