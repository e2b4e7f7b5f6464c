/// `PReLU`: x for x > 0, else alpha x, with an alpha for each position that no shared axis covers.
public struct PReLUSpec: SingleInputLayer {
  public func runsStepByStep(inputs: [Shape]) -> Bool { sharedAxes.contains(1) }

  public var keepsMask: Bool { true }

  /// Axes along which one alpha serves all positions, counted with the batch as 0.
  public var sharedAxes: [Int]

  public init(sharedAxes: [Int]) {
    self.sharedAxes = sharedAxes
  }

  public var parameterNames: [String] { ["alpha"] }
  public func outputShape(input: Shape) throws -> Shape { input }

  /// alpha: the input's shape with 1 on the shared axes.
  public func parameterShapes(input: Shape) throws -> [ParameterShape] {
    [ParameterShape("alpha", try input.positions(sharing: sharedAxes, for: "PReLU"))]
  }
}

/// Keras 1's `ParametricSoftplus`: alpha log(1 + exp(beta x)), elementwise with an alpha and a beta for each position that no
/// shared axis covers.
public struct ParametricSoftplusSpec: SingleInputLayer {
  public var keepsMask: Bool { true }

  /// Counted with the batch as 0.
  public var sharedAxes: [Int]

  public init(sharedAxes: [Int]) {
    self.sharedAxes = sharedAxes
  }

  public var parameterNames: [String] { ["alphas", "betas"] }
  public func outputShape(input: Shape) throws -> Shape { input }

  /// alphas and betas, each of the input's shape with 1 on the shared axes.
  public func parameterShapes(input: Shape) throws -> [ParameterShape] {
    let shape = try input.positions(sharing: sharedAxes, for: "ParametricSoftplus")
    return [ParameterShape("alphas", shape), ParameterShape("betas", shape)]
  }
}

/// Keras 1's `SReLU` (Jin et al. 2015): linear between two thresholds, with other slopes outside.
///
/// y = tl + al (x - tl) for x < tl, x between, tr' + ar (x - tr') for x >= tr', where tr' = tl + |tr|.
public struct SReLUSpec: SingleInputLayer {
  public var keepsMask: Bool { true }

  /// Counted with the batch as 0.
  public var sharedAxes: [Int]

  public init(sharedAxes: [Int]) {
    self.sharedAxes = sharedAxes
  }

  public var parameterNames: [String] { ["t_left", "a_left", "t_right", "a_right"] }
  public func outputShape(input: Shape) throws -> Shape { input }

  /// Four arrays of the input's shape with 1 on the shared axes.
  public func parameterShapes(input: Shape) throws -> [ParameterShape] {
    let shape = try input.positions(sharing: sharedAxes, for: "SReLU")
    return parameterNames.map { ParameterShape($0, shape) }
  }
}

/// `Softmax`: exp(x) / sum(exp(x)) over the given axes. Masked positions have no part in it.
public struct SoftmaxSpec: ShapeKeepingLayer {
  public func runsStepByStep(inputs: [Shape]) -> Bool { Shape.areLast(axes, inputs[0]) }

  public var keepsMask: Bool { true }

  /// Counted with the batch as 0, or from the end.
  public var axes: [Int]
  /// Whether what is masked is 0 even where all is; else all then weighs alike.
  public var zeroesMasked: Bool {
    get { zeroes ?? false }
    set { zeroes = newValue ? true : nil }
  }
  /// `nil` for false, as in files that know no such thing.
  private var zeroes: Bool?

  public init(axes: [Int]) {
    self.axes = axes
  }

  public var activations: [Activation] { axes == [-1] ? [.softmax] : [] }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    for axis in axes { _ = try inputs[0].place(ofAxis: axis) }
    return [inputs[0]]
  }
}

/// Keras 1's `Highway`: y = t f(x K + b) + (1 - t) x, with t = sigmoid(x Kc + bc).
public struct HighwaySpec: SingleInputLayer {
  public func runsStepByStep(inputs: [Shape]) -> Bool { true }

  public var keepsMask: Bool { true }

  public var activation: Activation
  public var useBias: Bool

  public init(activation: Activation, useBias: Bool) {
    self.activation = activation
    self.useBias = useBias
  }

  public var parameterNames: [String] { ["kernel", "carry_kernel"] + (useBias ? ["bias", "carry_bias"] : []) }
  public var activations: [Activation] { [activation] }
  public func outputShape(input: Shape) throws -> Shape {
    guard activation != .glu else { throw RNNError.badData("glu halves its input, so Highway cannot have it") }
    return input
  }

  /// kernel and carry kernel (channels, channels), bias and carry bias (channels).
  public func parameterShapes(input: Shape) throws -> [ParameterShape] {
    let channels = try input.channels(for: "Highway")
    return parameterNames.map { ParameterShape($0, $0.hasSuffix("kernel") ? [channels, channels] : [channels]) }
  }
}

/// Keras 1's `MaxoutDense`: the largest of several linear maps, (batch, channels) -> (batch, units).
public struct MaxoutDenseSpec: SingleInputLayer {
  public var units: Int
  public var features: Int
  public var useBias: Bool

  public init(units: Int, features: Int, useBias: Bool) {
    self.units = units
    self.features = features
    self.useBias = useBias
  }

  public var parameterNames: [String] { useBias ? ["kernel", "bias"] : ["kernel"] }

  public func outputShape(input: Shape) throws -> Shape {
    try SizeLimit.check(units, "output_dim")
    try SizeLimit.check(features, "nb_feature")
    guard input.count == 1 else { throw RNNError.badData("MaxoutDense takes (batch, channels)") }
    return [units]
  }

  /// kernel (features, channels, units), bias (features, units).
  public func parameterShapes(input: Shape) throws -> [ParameterShape] {
    let kernel = ParameterShape("kernel", [features, try input.channels(for: "MaxoutDense"), units])
    return useBias ? [kernel, ParameterShape("bias", [features, units])] : [kernel]
  }
}

extension Shape {
  /// All sizes, which must be known, but for 1 along the shared axes.
  func positions(sharing axes: [Int], for layer: String) throws -> [Int] {
    let shared = try Set(axes.map { try place(ofAxis: $0) })
    return try enumerated().map { place, size -> Int in
      if shared.contains(place) { return 1 }
      guard let size else { throw RNNError.badData("\(layer) needs a known size of the axis \(place + 1)") }
      return size
    }
  }
}
