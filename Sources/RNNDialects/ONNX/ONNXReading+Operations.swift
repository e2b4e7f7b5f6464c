import RNNCore

extension ONNXReading {
  /// What is carried: the layers, and the glue that exporters put around them.
  static let operations: Set<String> = Set(
    ["LSTM", "GRU", "RNN", "Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool"]
      + ["BatchNormalization", "LayerNormalization", "Gemm", "MatMul", "Gather", "Concat", "Split", "Slice", "Pad"]
      + ["Transpose", "Squeeze", "Unsqueeze", "Reshape", "Flatten", "Expand", "Shape", "ConstantOfShape", "Constant"]
      + ["Identity", "Dropout", "Cast", "Softmax", "LogSoftmax", "Clip", "PRelu"]
      + ONNXFunctions.activations.map(\.name) + ONNXFunctions.unary.map(\.name) + ONNXFunctions.binary.map(\.name)
      + ONNXFunctions.reductions.map(\.name))

  mutating func read(_ node: ONNXGraph.Node) throws {
    guard !node.outputs.isEmpty else { throw RNNError.badData("it has no outputs") }
    switch node.operation {
    case "LSTM", "GRU", "RNN": try readRecurrent(node)
    case "Conv", "ConvTranspose": try readConvolution(node)
    case "MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool": try readPooling(node)
    case "BatchNormalization": try readBatchNormalization(node)
    case "LayerNormalization": try readLayerNormalization(node)
    case "Gemm": try readGemm(node)
    case "MatMul": try readMatrixProduct(node)
    case "Gather": try readGather(node)
    case "Concat": try readConcat(node)
    case "Split": try readSplit(node)
    case "Slice": try readSlice(node)
    case "Pad": try readPad(node)
    case "Transpose": try readTranspose(node)
    case "Squeeze": try readSqueeze(node)
    case "Unsqueeze": try readUnsqueeze(node)
    case "Reshape": try readReshape(node)
    case "Flatten": try readFlatten(node)
    case "Expand": try readExpand(node)
    case "Shape": try readShape(node)
    case "ConstantOfShape": try readConstantOfShape(node)
    case "Constant": try readConstant(node)
    case "Identity", "Dropout": set(node, try value(node, 0))
    case "Cast": try readCast(node)
    case "Softmax", "LogSoftmax": try readSoftmax(node)
    case "Clip": try readClip(node)
    case "PRelu": try readPRelu(node)
    case let name:
      if let function = ONNXFunctions.binary.first(where: { $0.name == name })?.function {
        try readBinary(node, function)
      } else if let function = ONNXFunctions.reductions.first(where: { $0.name == name })?.function {
        try readReduction(node, function)
      } else if let function = ONNXFunctions.unary.first(where: { $0.name == name })?.function {
        try readUnary(node, function)
      } else {
        try readActivation(node)
      }
    }
  }

  /// The axes of an operation: an attribute in old operator sets, an input in new ones.
  func axes(_ node: ONNXGraph.Node, input: Int) throws -> [Int]? {
    try node.integers("axes") ?? integers(node, input)
  }
}

/// ONNX's functions of one number or two.
enum ONNXFunctions {
  /// By name; those with numbers of their own are made by `activation(of:)`.
  static let activations: [(name: String, activation: Activation?)] = [
    ("Relu", .relu), ("Sigmoid", .sigmoid), ("Tanh", .tanh), ("Softplus", .softplus), ("Softsign", .softsign),
    ("HardSwish", .hardSilu), ("Mish", .mish), ("LeakyRelu", nil), ("Elu", nil), ("Selu", nil), ("HardSigmoid", nil),
    ("ThresholdedRelu", nil), ("Celu", nil), ("Gelu", nil), ("Exp", .exponential),
  ]

  static let unary: [(name: String, function: UnarySpec.Function)] = [
    ("Abs", .absolute), ("Neg", .negative), ("Log", .log), ("Sqrt", .sqrt), ("Reciprocal", .reciprocal),
    ("Sign", .sign),
    ("Sin", .sin), ("Cos", .cos), ("Floor", .floor), ("Ceil", .ceil), ("Round", .round), ("Not", .logicalNot),
  ]

  static let binary: [(name: String, function: BinarySpec.Function)] = [
    ("Add", .add), ("Sub", .subtract), ("Mul", .multiply), ("Div", .divide), ("Pow", .power), ("Max", .maximum),
    ("Min", .minimum), ("Equal", .equal), ("Greater", .greater), ("GreaterOrEqual", .greaterEqual), ("Less", .less),
    ("LessOrEqual", .lessEqual), ("And", .logicalAnd), ("Or", .logicalOr),
  ]

  static let reductions: [(name: String, function: ReductionSpec.Function)] = [
    ("ReduceMean", .mean), ("ReduceSum", .sum), ("ReduceMax", .maximum), ("ReduceMin", .minimum),
    ("ReduceProd", .product),
  ]

  /// A function by name and numbers, as activation nodes and recurrent nodes give them.
  /// - Throws: `unsupported` naming one that no activation of ours is.
  static func activation(_ name: String, alpha: Double?, beta: Double?) throws -> Activation {
    func refuse() -> RNNError {
      let numbers = [alpha.map { "alpha \($0)" }, beta.map { "beta \($0)" }].compactMap(\.self).joined(separator: ", ")
      return .unsupported("the function \(name)\(numbers.isEmpty ? "" : " with \(numbers)") is not carried")
    }
    /// Attributes are float32.
    func isNear(_ value: Double?, _ expected: Double) -> Bool { value.map { Float($0) == Float(expected) } ?? false }
    switch name.lowercased() {
    case "relu": return .relu
    case "sigmoid": return .sigmoid
    case "tanh": return .tanh
    case "softplus": return .softplus
    case "softsign": return .softsign
    case "hardswish": return .hardSilu
    case "mish": return .mish
    case "exp": return .exponential
    case "leakyrelu": return .leakyRelu(slope: alpha ?? 0.01)
    case "elu": return alpha == nil || alpha == 1 ? .elu : .scaledElu(alpha: alpha ?? 1)
    case "celu" where alpha == nil || alpha == 1: return .celu
    case "thresholdedrelu": return .thresholdedRelu(theta: alpha ?? 1)
    case "selu"
    where (alpha == nil || isNear(alpha, 1.6732632423543772)) && (beta == nil || isNear(beta, 1.0507009873554805)):
      return .selu
    case "hardsigmoid":
      let (slope, offset) = (alpha ?? 0.2, beta ?? 0.5)
      if isNear(slope, 0.2), isNear(offset, 0.5) { return .hardSigmoidFifth }
      if isNear(slope, 1 / 6), isNear(offset, 0.5) { return .hardSigmoidSixth }
      throw refuse()
    case "affine" where (alpha ?? 1) == 1 && (beta ?? 0) == 0: return .linear
    case "scaledtanh" where (alpha ?? 1) == 1 && (beta ?? 1) == 1: return .tanh
    case _: throw refuse()
    }
  }
}
