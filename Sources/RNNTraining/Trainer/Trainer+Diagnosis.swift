import RNNCore
import RNNRuntime

/// What is said where a step leaves the numbers.
extension Trainer {
  /// Whether the optimizer may take a step; with a finite loss it may still not.
  func gradientsAreFinite() -> Bool {
    parameters.joined().allSatisfy { !$0.isTrainable || $0.hasFiniteGradient(pool) }
  }

  /// Names what went bad first, in the order of the computation: a parameter, an input, a layer's output, the loss, or,
  /// backwards, a layer's gradient.
  func notFinite(_ loss: Double, shards: Int) -> RNNError {
    let remedy = "Try a smaller --learning-rate, or clip gradients with --clipnorm 1."
    let head = loss.isFinite ? "a gradient is no finite number" : "the loss is \(loss.isNaN ? "nan" : "\(loss)")"
    func error(_ place: String, remedy: String = remedy) -> RNNError {
      RNNError.badData("\(head) at step \(iteration + 1): \(place)", remedy: remedy)
    }
    let bad = parameters.joined().first { !TrainingKernels.areFinite($0.values, count: $0.count) }
    if let bad {
      return error("the parameter '\(plain.layers[bad.layer].name)/\(bad.name)' holds NaN or infinity")
    }
    let passes = passes.prefix(shards)
    if let call = passes.compactMap({ $0.firstBadOutput() }).min() {
      let layer = plain.layers[plain.calls[call].layer]
      if layer.spec.kind == .input {
        return error(
          "the data hold NaN or infinity, in the input '\(layer.name)'", remedy: "Clean the data before training.")
      }
      return error("the output of layer '\(layer.name)' (\(layer.spec.kind.rawValue)) went bad first")
    }
    guard loss.isFinite else {
      return error("no layer's output, but the loss itself", remedy: "Look at the targets; else: \(remedy)")
    }
    let places = zip(passes, shardGradients).compactMap { pass, gradients in
      pass.firstBadGradient(gradients.map { $0 ?? [] })
    }
    if let call = places.max() {
      let layer = plain.layers[plain.calls[call].layer]
      return error("the gradient of layer '\(layer.name)' (\(layer.spec.kind.rawValue)) went bad first")
    }
    return error("the sum of the shards' gradients overflows")
  }
}
