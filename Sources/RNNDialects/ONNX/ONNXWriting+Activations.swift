import RNNCore

extension ONNXWriting {
  /// A function of every number, or over the last axis.
  /// - Throws: `unsupported` for one that no few nodes come to.
  mutating func activated(_ value: String, _ activation: Activation, named name: String = "") throws -> String {
    switch activation {
    case .linear: return value
    case .relu: return one("Relu", [value], named: name)
    case .sigmoid: return one("Sigmoid", [value], named: name)
    case .tanh: return one("Tanh", [value], named: name)
    case .softmax: return one("Softmax", [value], ["axis": .integer(-1)], named: name)
    case .logSoftmax: return one("LogSoftmax", [value], ["axis": .integer(-1)], named: name)
    case .elu, .celu: return one("Elu", [value], ["alpha": .float(1)], named: name)
    case .scaledElu(let alpha): return one("Elu", [value], ["alpha": .float(alpha)], named: name)
    case .selu: return one("Selu", [value], named: name)
    case .softplus: return one("Softplus", [value], named: name)
    case .softsign: return one("Softsign", [value], named: name)
    case .exponential: return one("Exp", [value], named: name)
    case .hardSigmoidFifth:
      return one("HardSigmoid", [value], ["alpha": .float(0.2), "beta": .float(0.5)], named: name)
    case .hardSigmoidSixth:
      return one("HardSigmoid", [value], ["alpha": .float(1.0 / 6), "beta": .float(0.5)], named: name)
    case .hardSilu: return one("HardSwish", [value], named: name)
    case .leakyRelu02: return one("LeakyRelu", [value], ["alpha": .float(0.2)], named: name)
    case .leakyRelu(let slope): return one("LeakyRelu", [value], ["alpha": .float(slope)], named: name)
    case .thresholdedRelu(let theta): return one("ThresholdedRelu", [value], ["alpha": .float(theta)], named: name)
    case .relu6: return one("Clip", [value, number(0), number(6)], named: name)
    case .hardTanh: return one("Clip", [value, number(-1), number(1)], named: name)
    case .logSigmoid: return one("Neg", [one("Softplus", [one("Neg", [value])])], named: name)
    case .tanhShrink: return one("Sub", [value, one("Tanh", [value])], named: name)
    case .hardShrink: return one("Shrink", [value], ["lambd": .float(0.5)], named: name)
    case .softShrink: return one("Shrink", [value], ["lambd": .float(0.5), "bias": .float(0.5)], named: name)
    case .silu: return one("Mul", [value, one("Sigmoid", [value])], named: name)
    case .mish: return one("Mul", [value, one("Tanh", [one("Softplus", [value])])], named: name)
    case .gelu:
      let erf = one("Erf", [one("Mul", [value, number(0.5.squareRoot())])])
      return one("Mul", [one("Mul", [value, number(0.5)]), one("Add", [erf, number(1)])], named: name)
    case .tanhGelu:
      let cube = one("Mul", [one("Mul", [value, value]), value])
      let sum = one("Add", [value, one("Mul", [cube, number(0.044715)])])
      let tanh = one("Tanh", [one("Mul", [sum, number((2 / Double.pi).squareRoot())])])
      return one("Mul", [one("Mul", [value, number(0.5)]), one("Add", [tanh, number(1)])], named: name)
    case .squareplus: return squarePlus(value, 4, name)
    case .glu:
      let halves = add("Split", [value], ["axis": .integer(-1)], count: 2)
      return one("Mul", [halves[0], one("Sigmoid", [halves[1]])], named: name)
    case .sigmoidTo2:
      return one("Sub", [one("Mul", [one("Sigmoid", [value]), number(4)]), number(2)], named: name)
    case .sigmoidTo1:
      return one("Sub", [one("Mul", [one("Sigmoid", [value]), number(2)]), number(1)], named: name)
    case .clipped(let inner, let bound):
      return try activated(one("Clip", [value, number(-bound), number(bound)]), inner, named: name)
    case .boundedRelu(let ceiling, let slope, let threshold) where threshold == 0 && (slope == 0 || ceiling == nil):
      if slope != 0 { return one("LeakyRelu", [value], ["alpha": .float(slope)], named: name) }
      guard let ceiling else { return one("Relu", [value], named: name) }
      return one("Clip", [value, number(0), number(ceiling)], named: name)
    case .boundedRelu(let ceiling, let slope, let threshold):
      var above = one("Where", [one("Greater", [value, number(threshold)]), value, number(0)])
      if let ceiling { above = one("Clip", [above, number(0), number(ceiling)]) }
      let missing = one("Relu", [one("Sub", [number(threshold), value])])
      return one("Sub", [above, one("Mul", [missing, number(slope)])], named: name)
    case .sparsePlus:
      let shifted = one("Add", [one("Clip", [value, number(-1), number(1)]), number(1)])
      let curve = one("Mul", [one("Mul", [shifted, shifted]), number(0.25)])
      return one("Where", [one("Greater", [value, number(1)]), value, curve], named: name)
    case .sparseSigmoid: return one("HardSigmoid", [value], ["alpha": .float(0.5), "beta": .float(0.5)], named: name)
    case .sparsemax: throw RNNError.unsupported("the function \(activation.name)")
    }
  }

  /// (x + sqrt(x^2 + b)) / 2
  mutating func squarePlus(_ x: String, _ b: Double, _ name: String) -> String {
    let root = one("Sqrt", [one("Add", [one("Mul", [x, x]), number(b)])])
    return one("Mul", [one("Add", [x, root]), number(0.5)], named: name)
  }

  /// A function as recurrent nodes name it, with its numbers.
  static func recurrentFunction(
    _ activation: Activation
  ) throws -> (name: String, alpha: Double?, beta: Double?) {
    switch activation {
    case .sigmoid: return ("Sigmoid", nil, nil)
    case .tanh: return ("Tanh", nil, nil)
    case .relu: return ("Relu", nil, nil)
    case .softplus: return ("Softplus", nil, nil)
    case .softsign: return ("Softsign", nil, nil)
    case .hardSigmoidFifth: return ("HardSigmoid", 0.2, 0.5)
    case .hardSigmoidSixth: return ("HardSigmoid", 1.0 / 6, 0.5)
    case .sparseSigmoid: return ("HardSigmoid", 0.5, 0.5)
    case .elu, .celu: return ("Elu", 1, nil)
    case .scaledElu(let alpha): return ("Elu", alpha, nil)
    case .leakyRelu(let slope): return ("LeakyRelu", slope, nil)
    case .leakyRelu02: return ("LeakyRelu", 0.2, nil)
    case .thresholdedRelu(let theta): return ("ThresholdedRelu", theta, nil)
    case .linear: return ("Affine", 1, 0)
    case .selu, .exponential, .logSigmoid, .relu6, .hardTanh, .tanhShrink, .hardShrink, .softShrink, .silu, .hardSilu,
      .gelu, .mish, .squareplus, .sparsePlus, .softmax, .logSoftmax, .sparsemax, .glu, .tanhGelu,
      .sigmoidTo2, .sigmoidTo1, .boundedRelu, .clipped:
      throw RNNError.unsupported("a recurrent layer with the function \(activation.name)")
    }
  }
}
