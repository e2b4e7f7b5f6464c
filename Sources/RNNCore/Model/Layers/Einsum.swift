/// Einstein's sum: `bqc,bkc->bqk` multiplies what has the same letters and sums over those that the output lacks.
///
/// The first letter of the first operand and of the output is the batch.
public struct EinsumEquation: Sendable, Equatable {
  /// The letters of each operand, those of an ellipsis as digits.
  public let operands: [[Character]]
  public let output: [Character]

  /// - Parameters:
  ///   - ranks: of the operands, the batch axis counted; `nil` for one without an ellipsis whose rank is its letters'.
  /// - Throws: `badData` for an equation that does not fit, `unsupported` for one that mixes examples.
  public init(_ text: String, ranks: [Int?]) throws {
    let sides = text.filter { $0 != " " }.components(separatedBy: "->")
    let inputs = sides[0].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard sides.count <= 2, inputs.count == ranks.count, text.count <= 256 else {
      throw RNNError.badData("the equation '\(text)' is not one of \(ranks.count) operands")
    }
    func wrong() -> RNNError { .badData("the equation '\(text)' does not fit its operands") }
    // The axes that the ellipsis stands for, the longest one's.
    var hidden = 0
    for (input, rank) in zip(inputs, ranks) where input.contains("...") {
      guard let rank else { throw wrong() }
      hidden = max(hidden, rank - (input.count - 3))
    }
    guard (0...9).contains(hidden) else { throw wrong() }
    func letters(_ side: String, _ rank: Int?) throws -> [Character] {
      let parts = side.components(separatedBy: "...")
      guard parts.count <= 2, parts.joined().allSatisfy({ $0.isLetter }) else { throw wrong() }
      guard parts.count == 2 else {
        guard rank == nil || rank == side.count else { throw wrong() }
        return Array(side)
      }
      let own = rank.map { $0 - parts.joined().count } ?? hidden
      guard (0...hidden).contains(own) else { throw wrong() }
      return Array(parts[0]) + (hidden - own..<hidden).map { Character(String($0)) } + Array(parts[1])
    }
    operands = try zip(inputs, ranks).map { try letters($0, $1) }
    if sides.count == 2 {
      output = try letters(sides[1], nil)
    } else {
      // Without an arrow, the letters that stand once, in their order.
      let all = operands.flatMap(\.self)
      output = Set(all).filter { letter in all.filter { $0 == letter }.count == 1 || letter.isNumber }
        .sorted { ($0.isNumber ? 0 : 1, $0) < ($1.isNumber ? 0 : 1, $1) }
    }
    let known = Set(operands.joined())
    guard Set(output).count == output.count, output.allSatisfy(known.contains) else { throw wrong() }
    guard let batch = operands[0].first, output.first == batch,
      operands.allSatisfy({ $0.first == batch || !$0.contains(batch) }),
      operands.allSatisfy({ $0.dropFirst().allSatisfy { $0 != batch } })
    else { throw RNNError.unsupported("the equation '\(text)' mixes the examples of a batch") }
  }

  /// The size of each letter.
  /// - Parameter shapes: of the operands, the batch first; `nil` is unknown.
  public func sizes(_ shapes: [Shape]) throws -> [Character: Int?] {
    var sizes: [Character: Int?] = [:]
    for (letters, shape) in zip(operands, shapes) {
      guard letters.count == shape.count else {
        throw RNNError.badData("\(describe(shape: shape)) does not have the axes '\(String(letters))'")
      }
      for (letter, size) in zip(letters, shape) {
        guard let known = sizes[letter] ?? nil else {
          sizes[letter] = size
          continue
        }
        guard size == nil || size == known else {
          throw RNNError.badData("the axis '\(letter)' has the sizes \(known) and \(size ?? 0)")
        }
      }
    }
    return sizes
  }
}

/// Einstein's sum over one tensor or two.
public struct EinsumSpec: LayerConfiguration {
  public var equation: String

  public init(equation: String) {
    self.equation = equation
  }

  public var inputCounts: ClosedRange<Int> { 1...2 }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    let equation = try EinsumEquation(equation, ranks: inputs.map { $0.count + 1 })
    let sizes = try equation.sizes(inputs.map { [nil] + $0 })
    return [equation.output.dropFirst().map { sizes[$0] ?? nil }]
  }
}

/// `EinsumDense`: y = activation(einsum(x, kernel) + bias), for any equation whose second operand is the kernel.
public struct EinsumDenseSpec: SingleInputLayer {
  public var equation: String
  /// One example of the output; an axis that the input has, too, may be unknown.
  public var outputShape: Shape
  /// The letters of the output that the bias has; empty without a bias.
  public var biasAxes: String
  public var activation: Activation = .linear
  /// The axis of the output, the batch counted as 0, that the bias goes along where that is not its own: so Keras 3 on
  /// TensorFlow adds it where the two are of one size (`keras/src/backend/tensorflow/numpy.py`, `add`).
  public var misplacedBiasAxis: Int?

  public init(equation: String, outputShape: Shape, biasAxes: String) {
    self.equation = equation
    self.outputShape = outputShape
    self.biasAxes = biasAxes
  }

  /// - Parameter rank: of the input, the batch axis counted.
  public func resolved(rank: Int) throws -> EinsumEquation { try EinsumEquation(equation, ranks: [rank, nil]) }

  private func sizes(_ input: Shape) throws -> (EinsumEquation, [Character: Int?]) {
    let equation = try resolved(rank: input.count + 1)
    var sizes = try equation.sizes([[nil] + input])
    let letters = equation.output.suffix(outputShape.count)
    guard equation.output.count > outputShape.count else {
      throw RNNError.badData("the output_shape \(describe(shape: outputShape)) has more axes than '\(self.equation)'")
    }
    for (letter, size) in zip(letters, outputShape) {
      if let known = sizes[letter] ?? nil, let size, known != size {
        throw RNNError.badData("the axis '\(letter)' has the sizes \(known) and \(size)")
      }
      sizes[letter] = (sizes[letter] ?? nil) ?? size
    }
    return (equation, sizes)
  }

  public func outputShape(input: Shape) throws -> Shape {
    let (equation, sizes) = try sizes(input)
    return equation.output.dropFirst().map { sizes[$0] ?? nil }
  }

  /// The axis that Keras 3 on TensorFlow takes for the bias's, where that is another one than its own: its only axis that
  /// is not of size 1 is taken for the output's last, or else for that behind the batch, if the sizes are equal.
  public func mistakenBiasAxis(input: Shape) throws -> Int? {
    guard let bias = try parameterShapes(input: input).dropFirst().first?.shape else { return nil }
    let output = try outputShape(input: input)
    let long = bias.indices.filter { bias[$0] > 1 }
    guard output.count > 1, long.count == 1, let place = long.first else { return nil }
    let own = output.count - bias.count + place + 1
    let taken = output[output.count - 1] == bias[place] ? output.count : output[0] == bias[place] ? 1 : own
    return taken == own ? nil : taken
  }

  public var parameterNames: [String] { ["kernel"] + (biasAxes.isEmpty ? [] : ["bias"]) }

  public var activations: [Activation] { [activation] }

  public func parameterShapes(input: Shape) throws -> [ParameterShape] {
    let (equation, sizes) = try sizes(input)
    func size(_ letter: Character) throws -> Int {
      guard let size = sizes[letter] ?? nil else {
        throw RNNError.badData("nothing tells the size of the axis '\(letter)' of '\(self.equation)'")
      }
      return size
    }
    let kernel = ParameterShape("kernel", try equation.operands[1].map(size))
    guard !biasAxes.isEmpty else { return [kernel] }
    guard let first = equation.output.firstIndex(where: biasAxes.contains),
      biasAxes.allSatisfy(equation.output.contains)
    else { throw RNNError.badData("the bias_axes '\(biasAxes)' are none of the output's") }
    let bias = try equation.output[first...].map { biasAxes.contains($0) ? try size($0) : 1 }
    return [kernel, ParameterShape("bias", bias)]
  }
}
