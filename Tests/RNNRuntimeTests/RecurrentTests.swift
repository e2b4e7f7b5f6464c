import Foundation
import RNNCore
import RNNTestSupport
import Testing

@Suite struct RecurrentTests {
  private typealias Cell = RecurrentReference.Cell
  private static let (batch, timesteps, channels, units) = (3, 7, 4, 5)

  /// A step sums ten products of numbers below 1 and rounds some thirty times: 2e-6 a step; seven steps, none of which
  /// can double an error with weights below 1/2. A wrong gate differs by 0.01 and more.
  private static let tolerance = 1e-5

  private static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  /// Steps that count, one sequence a row: none masked, at the end, at the start and in between.
  private static let masks = [
    [true, true, true, true, true, true, true], [true, true, true, true, false, false, false],
    [false, false, true, false, true, true, false],
  ]

  /// Random steps; masked ones hold 9, which a Masking layer takes out.
  private func input(masked: Bool) throws -> Tensor {
    let (timesteps, channels) = (Self.timesteps, Self.channels)
    var values = try randomTensor([Self.batch, timesteps, channels]).floats()
    for (row, mask) in Self.masks.enumerated() where masked {
      for (time, isValid) in mask.enumerated() where !isValid {
        for channel in 0..<channels { values[(row * timesteps + time) * channels + channel] = 9 }
      }
    }
    return try Tensor(values, shape: [Self.batch, timesteps, channels])
  }

  private func sequences(_ tensor: Tensor) -> [[[Double]]] {
    let values = tensor.doubles()
    let (steps, width) = (tensor.shape[1], tensor.shape[2])
    return (0..<tensor.shape[0]).map { row in
      (0..<steps).map { step in Array(values[(row * steps + step) * width..<(row * steps + step + 1) * width]) }
    }
  }

  private func reference(
    _ cell: Cell, _ options: RecurrentOptions, _ layer: LayerModel, index: Int, channels: Int = Self.channels,
    isHard: Bool = false
  ) -> RecurrentReference {
    let hardGate: (Double) -> Double = { min(max(0.2 * $0 + 0.5, 0), 1) }
    return RecurrentReference(
      cell: cell, units: Self.units, channels: channels, options: options,
      activation: isHard ? { max($0, 0) } : { Foundation.tanh($0) }, gate: isHard ? hardGate : Self.sigmoid,
      kernel: layer.weights("kernel", of: index), recurrent: layer.weights("recurrent_kernel", of: index),
      bias: layer.weights("bias", of: index))
  }

  private static let allOptions: [RecurrentOptions] = (0..<32).map { bits in
    var options = RecurrentOptions()
    options.returnSequences = bits & 1 != 0
    options.goBackwards = bits & 2 != 0
    options.zeroOutputForMask = bits & 4 != 0
    options.useBias = bits & 8 != 0
    options.returnState = bits & 16 != 0
    return options
  }

  /// One layer behind a Masking layer; with `returnState` all of its outputs are the model's.
  private func model(_ cell: Cell, _ options: RecurrentOptions, isHard: Bool) throws -> LayerModel {
    let layer = cell.spec(
      units: Self.units, options: options, activation: isHard ? .relu : .tanh,
      gate: isHard ? .hardSigmoidFifth : .sigmoid)
    var spec = ModelSpec.sequential(
      name: "m",
      layers: [
        .init(name: "input", spec: .input(InputSpec(shape: [nil, Self.channels]))),
        .init(name: "layer0", spec: .masking(MaskingSpec(maskValue: 9))), .init(name: "layer1", spec: layer),
      ])
    if options.returnState {
      spec.isSequential = false
      spec.outputs = (0...RecurrentReference.stateCount(cell)).map { .init(call: 2, output: $0) }
    }
    return try LayerModel(spec, scale: 0.5)
  }

  @Test(arguments: RecurrentReference.Cell.allCases, [false, true])
  func everyOptionAgreesWithTheEquations(cell: RecurrentReference.Cell, isMasked: Bool) throws {
    let input = try input(masked: isMasked)
    for options in Self.allOptions {
      for isHard in [false, true] {
        let layer = try model(cell, options, isHard: isHard)
        let reference = reference(cell, options, layer, index: 1, isHard: isHard)
        let results = sequences(input).enumerated().map { row, x in
          reference.run(x, mask: isMasked ? Self.masks[row] : nil)
        }
        let found = try layer.run(input)
        let comment: Comment = "\(options) \(isHard)"
        let outputs = options.returnSequences ? results.flatMap(\.outputs) : results.map(\.last)
        let shape = options.returnSequences ? [Self.batch, Self.timesteps, Self.units] : [Self.batch, Self.units]
        #expect(largestDifference(found[0], outputs.flatMap(\.self), shape: shape) < Self.tolerance, comment)
        #expect(found.count == 1 + (options.returnState ? RecurrentReference.stateCount(cell) : 0), comment)
        for index in found.indices.dropFirst() {
          let expected = results.flatMap { $0.states[index - 1] }
          #expect(
            largestDifference(found[index], expected, shape: [Self.batch, Self.units]) < Self.tolerance, comment)
        }
      }
    }
  }

  @Test(arguments: RecurrentReference.Cell.allCases)
  func initialStatesAreInputs(cell: RecurrentReference.Cell) throws {
    let count = RecurrentReference.stateCount(cell)
    let options = RecurrentOptions()
    let recurrent = cell.spec(units: Self.units, options: options, activation: .tanh, gate: .sigmoid)
    let states = (0..<count).map {
      ModelSpec.Layer(name: "state\($0)", spec: .input(InputSpec(shape: [Self.units])))
    }
    let spec = ModelSpec(
      name: "m", isSequential: false,
      layers: [.init(name: "x", spec: .input(InputSpec(shape: [nil, Self.channels])))] + states + [
        .init(name: "layer0", spec: recurrent)
      ],
      calls: (0...count).map { .init(layer: $0, inputs: []) } + [
        .init(layer: count + 1, inputs: (0...count).map { .init(call: $0) })
      ], inputs: Array(0...count), outputs: [.init(call: count + 1)])
    let layer = try LayerModel(spec, scale: 0.5)
    let input = try input(masked: false)
    let initial = try (0..<count).map { try randomTensor([Self.batch, Self.units], seed: UInt64($0)) }
    let reference = reference(cell, options, layer, index: 0)
    let expected = sequences(input).enumerated().flatMap { row, x in
      reference.run(x, initial: initial.map { Array($0.doubles()[row * Self.units..<(row + 1) * Self.units]) }).last
    }
    let found = try layer.model.predict([input] + initial)[0]
    #expect(largestDifference(found, expected, shape: [Self.batch, Self.units]) < Self.tolerance)
  }

  /// A layer that gives sequences hands its mask on, and does not turn it round (layouts.md, section 8).
  @Test(arguments: [false, true])
  func theMaskReachesTheNextLayer(isBackwards: Bool) throws {
    var first = RecurrentOptions()
    first.returnSequences = true
    first.goBackwards = isBackwards
    let specs = [
      LayerSpec.masking(MaskingSpec(maskValue: 9)),
      RecurrentReference.Cell.lstm.spec(units: Self.units, options: first, activation: .tanh, gate: .sigmoid),
      .dropout(NoiseSpec(rate: 0.5)),
      RecurrentReference.Cell.simple.spec(units: Self.units, options: .init(), activation: .tanh, gate: .sigmoid),
    ]
    let layer = try LayerModel(specs, input: [nil, Self.channels], scale: 0.5)
    let input = try input(masked: true)
    let lower = reference(.lstm, first, layer, index: 1)
    let upper = reference(.simple, .init(), layer, index: 3, channels: Self.units)
    let expected = zip(sequences(input), Self.masks).flatMap { x, mask in
      upper.run(lower.run(x, mask: mask).outputs, mask: mask).last
    }
    #expect(largestDifference(try layer.run(input)[0], expected, shape: [Self.batch, Self.units]) < Self.tolerance)
  }

  @Test func aSequenceOfNothingGivesZeros() throws {
    for cell in RecurrentReference.Cell.allCases {
      let spec = cell.spec(units: 2, options: .init(), activation: .tanh, gate: .sigmoid)
      let found = try LayerModel([spec], input: [nil, 3]).run(try randomTensor([2, 0, 3]))[0]
      #expect(found == (try Tensor([0, 0, 0, 0] as [Float], shape: [2, 2])))
    }
  }
}
