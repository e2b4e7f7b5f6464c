import Foundation
import RNNCore
import RNNTestSupport
import RealModule
import Testing

@testable import RNNRuntime

@Suite struct ActivationTests {
  private static let elementWise =
    Activation.allCases.filter { !$0.isOverLastAxis } + [
      .leakyRelu(slope: 0.125), .scaledElu(alpha: 1.5), .thresholdedRelu(theta: 0.75),
      .boundedRelu(ceiling: 6, slope: 0.25, threshold: 0.5), .boundedRelu(ceiling: nil, slope: 0, threshold: -1),
      .clipped(.tanh, bound: 0.75), .clipped(.leakyRelu(slope: 0.5), bound: 2),
    ]

  private func apply(_ activation: Activation, _ values: [Float], rows: Int = 1) -> [Float] {
    var copy = values
    let width = values.count / rows
    copy.withUnsafeMutableBufferPointer { buffer in
      if let base = buffer.baseAddress { ActivationKernel.apply(activation, base, rows: rows, width: width) }
    }
    return copy
  }

  /// The formulas of `Activation`'s documentation, in double precision and with Foundation alone.
  private static func formula(_ activation: Activation, _ x: Double) -> Double? {
    let sigmoid = 1 / (1 + exp(-x))
    let softplus = max(x, 0) + log1p(exp(-abs(x)))
    switch activation {
    case .linear: return x
    case .relu: return max(x, 0)
    case .relu6: return min(max(x, 0), 6)
    case .leakyRelu02: return x > 0 ? x : 0.2 * x
    case .elu: return x > 0 ? x : expm1(x)
    case .selu: return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * expm1(x))
    case .celu: return max(x, 0) + min(expm1(x), 0)
    case .sigmoid: return sigmoid
    case .logSigmoid: return -(max(-x, 0) + log1p(exp(-abs(x))))
    case .hardSigmoidFifth: return min(max(0.2 * x + 0.5, 0), 1)
    case .hardSigmoidSixth: return min(max(x / 6 + 0.5, 0), 1)
    case .tanh: return Foundation.tanh(x)
    case .hardTanh: return min(max(x, -1), 1)
    case .tanhShrink: return x - Foundation.tanh(x)
    case .hardShrink: return abs(x) > 0.5 ? x : 0
    case .softShrink: return x > 0.5 ? x - 0.5 : x < -0.5 ? x + 0.5 : 0
    case .softplus: return softplus
    case .softsign: return x / (1 + abs(x))
    case .exponential: return exp(x)
    case .silu: return x * sigmoid
    case .hardSilu: return x * min(max(x / 6 + 0.5, 0), 1)
    case .gelu: return x / 2 * erfc(-x / 2.0.squareRoot())
    case .mish: return x * Foundation.tanh(softplus)
    case .squareplus: return (x + (x * x + 4).squareRoot()) / 2
    case .sparsePlus: return x <= -1 ? 0 : x >= 1 ? x : (x + 1) * (x + 1) / 4
    case .sparseSigmoid: return x <= -1 ? 0 : x >= 1 ? 1 : (x + 1) / 2
    case .leakyRelu(let slope): return x > 0 ? x : slope * x
    case .scaledElu(let alpha): return x > 0 ? x : alpha * expm1(x)
    case .thresholdedRelu(let theta): return x > theta ? x : 0
    case .boundedRelu(let ceiling, let slope, let threshold):
      let above = x > threshold ? x : 0
      return (ceiling.map { min(max(above, 0), $0) } ?? above) - slope * max(threshold - x, 0)
    case .tanhGelu: return x / 2 * (1 + Foundation.tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    case .sigmoidTo2: return 4 * sigmoid - 2
    case .sigmoidTo1: return 2 * sigmoid - 1
    case .clipped(let inner, let bound): return formula(inner, min(max(x, -bound), bound))
    case .softmax, .logSoftmax, .sparsemax, .glu: return nil
    }
  }

  private static let points: [Double] =
    stride(from: -12, through: 12, by: 0.0625).map { $0 } + [-1e-3, 1e-3, -0.5, 0.5, -1, 1, 2.5, -2.5, 3, -3, 30, -30]

  /// Doubles err by some 2^-52 of the largest term; 1e-13 of it leaves room for three of them.
  @Test(arguments: elementWise)
  func theNaiveFunctionIsItsFormula(activation: Activation) throws {
    for x in Self.points {
      let exact = try #require(Self.formula(activation, x))
      let found = try #require(NaiveActivation.value(activation, x))
      #expect(abs(found - exact) <= 1e-13 * max(abs(x), abs(exact)), "\(x)")
    }
  }

  /// Four roundings and a function good to 3 ulp, of numbers up to the larger of |x|, |f(x)| and 1 (2^-24 each).
  @Test(arguments: elementWise)
  func theKernelIsTheNaiveFunction(activation: Activation) throws {
    let values = Self.points.map { Float($0) }
    for (x, found) in zip(values, apply(activation, values)) {
      let exact = try #require(NaiveActivation.value(activation, Double(x)))
      #expect(abs(Double(found) - exact) <= 10 * 0x1p-24 * max(abs(Double(x)), abs(exact), 1), "\(x)")
    }
  }

  /// Values at which the formulas give round numbers.
  @Test func knownValues() {
    let table: [(Activation, Float, Float)] = [
      (.hardSigmoidFifth, 1, 0.7), (.hardSigmoidFifth, -2.5, 0), (.hardSigmoidSixth, 1.5, 0.75),
      (.hardSigmoidSixth, 3, 1), (.relu6, 7, 6), (.leakyRelu02, -5, -1), (.hardShrink, 0.5, 0), (.softShrink, -2, -1.5),
      (.softsign, -3, -0.75), (.sparsePlus, 0, 0.25), (.sparseSigmoid, 0.5, 0.75), (.squareplus, 0, 1),
      (.sigmoid, 0, 0.5),
      (.silu, 0, 0), (.exponential, 0, 1), (.tanh, 0, 0), (.gelu, 0, 0), (.mish, 0, 0), (.hardSilu, 3, 3),
      (.hardTanh, -2, -1), (.linear, -7, -7), (.relu, -7, 0), (.celu, 3, 3),
    ]
    for (activation, x, expected) in table { #expect(apply(activation, [x]) == [expected], "\(activation)(\(x))") }
  }

  @Test(arguments: Activation.allCases.filter { $0 != .glu && $0 != .sparsemax })
  func nanStaysNaN(activation: Activation) {
    #expect(apply(activation, [.nan])[0].isNaN)
  }

  @Test func largeNumbersNeitherOverflowNorCancel() {
    let ends: [Float] = [-1000, 1000]
    #expect(apply(.softplus, ends) == [0, 1000])
    #expect(apply(.logSigmoid, ends) == [-1000, 0])
    #expect(apply(.sigmoid, ends) == [0, 1])
    #expect(apply(.mish, ends) == [0, 1000])
    #expect(apply(.elu, ends) == [-1, 1000])
    #expect(apply(.silu, ends) == [0, 1000])
    #expect(apply(.softmax, [1000, 1000, -1000]) == [0.5, 0.5, 0])
    #expect(apply(.logSoftmax, [1000, -1000]) == [0, -2000])
  }

  /// A softmax sums to 1: 9 terms, each with the exponential's 2 ulp, a sum and a quotient.
  @Test func softmaxIsOverTheLastAxis() {
    var generator = SeededGenerator(seed: 8)
    let (rows, width) = (5, 9)
    let values = generator.floats(rows * width).map { $0 * 6 }
    let (found, logarithms) = (apply(.softmax, values, rows: rows), apply(.logSoftmax, values, rows: rows))
    for row in 0..<rows {
      let range = row * width..<(row + 1) * width
      let powers = values[range].map { exp(Double($0)) }
      let sum = powers.reduce(0, +)
      for (offset, index) in range.enumerated() {
        #expect(abs(Double(found[index]) - powers[offset] / sum) <= 16 * 0x1p-24)
        #expect(abs(Double(logarithms[index]) - log(powers[offset] / sum)) <= 16 * 0x1p-24 * 12)
      }
    }
    #expect(apply(.softmax, [3], rows: 1) == [1])
    #expect(apply(.softmax, [1, 2, 3], rows: 3) == [1, 1, 1])
  }

  /// Keras's function, by hand: of (1/2, 1/4) both are in the support, with cumulative sums 1/2 and 3/4, so that the
  /// threshold is (5/4 - 1) / 2; of (1, 0) only the first, and it is 0.
  @Test func sparsemaxIsThatOfKeras() {
    #expect(apply(.sparsemax, [0.5, 0.25]) == [0.375, 0.125])
    #expect(apply(.sparsemax, [1, 0, 0.25, 0.5], rows: 2) == [1, 0, 0.125, 0.375])
    #expect(apply(.sparsemax, [3]) == [1])
  }

  /// Half of the axis gates the other half: a b, b = sigmoid. Two roundings and the sigmoid's 3 ulp.
  @Test func gluHalvesTheLastAxis() throws {
    var generator = SeededGenerator(seed: 9)
    let values = generator.floats(3 * 10).map { $0 * 5 }
    let input = try Tensor(values, shape: [3, 10])
    let found = try LayerModel([.activation(ActivationSpec(activation: .glu))], input: [10]).run(input)[0]
    let expected = (0..<15).map { index -> Double in
      let start = index / 5 * 10 + index % 5
      return Double(values[start]) / (1 + exp(-Double(values[start + 5])))
    }
    #expect(largestDifference(found, expected, shape: [3, 5]) <= 5 * 5 * 0x1p-24)
  }

  /// Layers leave what they read as it was: two of them may read one input.
  @Test func anActivationDoesNotChangeItsInput() throws {
    let spec = ModelSpec(
      name: "m", isSequential: false,
      layers: [
        .init(name: "x", spec: .input(InputSpec(shape: [4]))), .init(name: "d", spec: .dropout(NoiseSpec(rate: 0.5))),
        .init(name: "a", spec: .activation(ActivationSpec(activation: .relu))),
        .init(name: "b", spec: .activation(ActivationSpec(activation: .glu))),
        .init(name: "c", spec: .activation(ActivationSpec(activation: .softmax))),
      ],
      calls: [
        .init(layer: 0, inputs: []), .init(layer: 1, inputs: [.init(call: 0)]),
        .init(layer: 2, inputs: [.init(call: 1)]),
        .init(layer: 3, inputs: [.init(call: 1)]), .init(layer: 4, inputs: [.init(call: 0)]),
      ], inputs: [0], outputs: [.init(call: 0), .init(call: 1), .init(call: 2)])
    let input = try Tensor([-1, 2, -3, 4] as [Float], shape: [1, 4])
    let found = try LayerModel(spec).run(input)
    #expect(found[0] == input)
    #expect(found[1] == input)
    #expect(found[2].floats() == [0, 2, 0, 4])
  }
}
