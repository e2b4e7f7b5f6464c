/// `InputLayer`: an input of the model.
public struct InputSpec: LayerConfiguration {
  public func runsStepByStep(inputs: [Shape]) -> Bool { true }

  /// One example, without the batch axis.
  public var shape: Shape
  /// The batch size that the file fixes, if any. Any batch is accepted at run time.
  public var batchSize: Int?
  /// As the framework names it: `float32`, `int32`, ...
  public var dtype: String
  /// Where the batch stands among the axes of the arrays that are given; layers have it first.
  public var batchAxis = 0

  public init(shape: Shape, batchSize: Int? = nil, dtype: String = "float32") {
    self.shape = shape
    self.batchSize = batchSize
    self.dtype = dtype
  }

  public var inputCounts: ClosedRange<Int> { 0...0 }
  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    guard (0...shape.count).contains(batchAxis) else {
      throw RNNError.badData("the batch cannot be the axis \(batchAxis) of \(shape.count + 1)")
    }
    return [shape]
  }
}

extension InputSpec: Codable {
  private enum CodingKeys: CodingKey {
    case shape, batchSize, dtype, batchAxis
  }

  /// A file that lacks `batchAxis` means 0.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    shape = try container.decode(Shape.self, forKey: .shape)
    batchSize = try container.decodeIfPresent(Int.self, forKey: .batchSize)
    dtype = try container.decode(String.self, forKey: .dtype)
    batchAxis = try container.decodeIfPresent(Int.self, forKey: .batchAxis) ?? 0
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(shape, forKey: .shape)
    try container.encodeIfPresent(batchSize, forKey: .batchSize)
    try container.encode(dtype, forKey: .dtype)
    if batchAxis != 0 { try container.encode(batchAxis, forKey: .batchAxis) }
  }
}

/// `Embedding`: ids (batch, ...) -> (batch, ..., output size).
public struct EmbeddingSpec: SingleInputLayer {
  public func runsStepByStep(inputs: [Shape]) -> Bool { true }

  /// Rows of the table; ids are 0 ..< inputDim.
  public var inputDim: Int
  public var outputDim: Int
  /// Id 0 is padding, masked for the layers that follow.
  public var maskZero: Bool

  public init(inputDim: Int, outputDim: Int, maskZero: Bool) {
    self.inputDim = inputDim
    self.outputDim = outputDim
    self.maskZero = maskZero
  }

  public var parameterNames: [String] { ["embeddings"] }

  /// embeddings (input dim, output dim).
  public func parameterShapes(input: Shape) throws -> [ParameterShape] {
    [ParameterShape("embeddings", [inputDim, outputDim])]
  }

  public func outputShape(input: Shape) throws -> Shape {
    try SizeLimit.check(inputDim, "input_dim")
    try SizeLimit.check(outputDim, "output_dim")
    return input + [outputDim]
  }
}

/// `Masking`: steps whose channels all equal `maskValue` are masked for the layers that follow, and set to zero.
public struct MaskingSpec: ShapeKeepingLayer {
  public func runsStepByStep(inputs: [Shape]) -> Bool { true }

  public var maskValue: Double

  public init(maskValue: Double) {
    self.maskValue = maskValue
  }
}

/// `Dropout`, `SpatialDropout1D`, `GaussianNoise`, `GaussianDropout`, `AlphaDropout`: the identity outside training.
public struct NoiseSpec: ShapeKeepingLayer, UntouchingLayer {
  public func runsStepByStep(inputs: [Shape]) -> Bool { true }

  public var keepsMask: Bool { true }

  /// The fraction dropped, or the standard deviation for `GaussianNoise`.
  public var rate: Double

  public init(rate: Double) {
    self.rate = rate
  }
}

/// `Dense`: activation(x kernel + bias) over the last axis.
public struct DenseSpec: SingleInputLayer {
  public func runsStepByStep(inputs: [Shape]) -> Bool { true }

  public var keepsMask: Bool { true }

  public var units: Int
  public var activation: Activation = .linear
  public var useBias: Bool = true

  public init(units: Int) {
    self.units = units
  }

  public var parameterNames: [String] { useBias ? ["kernel", "bias"] : ["kernel"] }
  public var activations: [Activation] { [activation] }

  public func outputShape(input: Shape) throws -> Shape {
    try SizeLimit.check(units, "units")
    _ = try input.channels(for: "Dense")
    return input.dropLast() + [try activation.channels(from: units)]
  }

  /// kernel (channels, units), bias (units).
  public func parameterShapes(input: Shape) throws -> [ParameterShape] {
    let kernel = ParameterShape("kernel", [try input.channels(for: "Dense"), units])
    return useBias ? [kernel, ParameterShape("bias", [units])] : [kernel]
  }
}

/// `Activation`: a function of its own.
public struct ActivationSpec: SingleInputLayer {
  public func runsStepByStep(inputs: [Shape]) -> Bool { true }

  public var keepsMask: Bool { true }

  public var activation: Activation

  public init(activation: Activation) {
    self.activation = activation
  }

  public var activations: [Activation] { [activation] }

  public func outputShape(input: Shape) throws -> Shape {
    guard activation == .glu else { return input }
    return input.dropLast() + [try activation.channels(from: try input.channels(for: "Activation"))]
  }
}

extension Activation {
  /// The size of the last axis after the function.
  func channels(from channels: Int) throws -> Int {
    guard self == .glu else { return channels }
    guard channels % 2 == 0 else { throw RNNError.badData("glu needs an even last axis, not \(channels)") }
    return channels / 2
  }
}
