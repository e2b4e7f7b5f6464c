/// `RNN` over several cells (`StackedRNNCells`): at every step, each cell reads the one before. That is what recurrent
/// layers one behind the other do.
public struct StackedRNNSpec: CompositeLayer, RecurrentConfiguration {
  /// Recurrent layers; how they return and read is stated by `options`.
  public var cells: [ModelSpec.Layer]
  public var options: RecurrentOptions
  /// Whether the cells' states stand in the opposite order: Keras 2 up to 2.2.
  public var reversesStates = false

  public init(cells: [ModelSpec.Layer], options: RecurrentOptions) {
    self.cells = cells
    self.options = options
  }

  /// Of all cells together.
  public var stateCount: Int { cells.reduce(0) { $0 + $1.spec.stateCount } }

  public func stateShapes(input: Shape) throws -> [Shape] {
    try cells.flatMap { cell in
      try (cell.spec.configuration as? any RecurrentConfiguration)?.stateShapes(input: input) ?? []
    }
  }

  /// Where a masked step gives the first state, that is the first cell's.
  private var choosesAtMaskedSteps: Bool { options.emitsState && cells.count > 1 && hasEqualWidths }

  private var hasEqualWidths: Bool {
    let widths = cells.compactMap { ($0.spec.configuration as? any RecurrentLayer)?.stateWidths.first }
    return Set(widths).count == 1
  }

  /// The cells as layers that hand sequences on. All read in the order of the first: where that is backwards, the input
  /// is turned round before.
  private var layers: [ModelSpec.Layer] {
    cells.enumerated().map { index, cell in
      var layer = cell
      layer.name = innerPlaces[index]
      guard var inner = layer.spec.recurrentOptions else { return layer }
      inner.returnSequences = index < cells.count - 1 || options.returnSequences || choosesAtMaskedSteps
      inner.returnState = options.returnState
      inner.goBackwards = false
      inner.stateful = options.stateful
      inner.unroll = options.unroll
      inner.zeroOutputForMask = index == cells.count - 1 && options.zeroOutputForMask && !options.zeroesByPosition
      inner.ignoresMask = options.ignoresMask
      inner.emitsState = options.emitsState
      layer.spec.setRecurrentOptions(inner)
      return layer
    }
  }

  public var innerLayers: [ModelSpec.Layer] {
    get { cells }
    set { cells = newValue }
  }

  public var innerPlaces: [String] { cells.indices.map { "cell/cells/\($0)" } }

  public var parts: [ModelSpec.Layer] {
    let reverse = ModelSpec.Layer(name: "reverse", spec: .reverseSteps(ReverseStepsSpec(reversesMask: true)))
    let restore = ModelSpec.Layer(name: "mask", spec: .maskOf(MaskOfSpec()))
    let last = SliceSpec(ranges: [SliceSpec.Range(start: -1, isIndex: true)])
    let zeroing = [
      ModelSpec.Layer(name: "zeros", spec: .binary(BinarySpec(.subtract))),
      ModelSpec.Layer(name: "zeroed", spec: .whereValid(WhereValidSpec())),
    ]
    return layers + (options.goBackwards ? [reverse, restore] : []) + (options.zeroesByPosition ? zeroing : [])
      + (choosesAtMaskedSteps
        ? [
          ModelSpec.Layer(name: "choice", spec: .whereValid(WhereValidSpec())),
          ModelSpec.Layer(name: "last", spec: .slice(last)),
        ] : [])
  }

  /// The inputs of each cell's states among the call's inputs.
  private func states<T>(_ inputs: [T]) -> [[T]] {
    guard inputs.count > 1 else { return cells.map { _ in [] } }
    var rest = Array(inputs.dropFirst())
    var result = cells.map { _ in [T]() }
    for index in reversesStates ? Array(cells.indices.reversed()) : Array(cells.indices) {
      let count = cells[index].spec.stateCount
      result[index] = Array(rest.prefix(count))
      rest = Array(rest.dropFirst(count))
    }
    return result
  }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    guard !cells.isEmpty, cells.allSatisfy({ $0.spec.stateCount > 0 }) else {
      throw RNNError.badData("a stack of cells needs recurrent cells")
    }
    guard inputs.count == 1 || inputs.count == 1 + stateCount else {
      throw RNNError.badData("\(inputs.count - 1) initial states, where the cells have \(stateCount)")
    }
    let initial = states(inputs)
    var current = inputs[0]
    var finals: [[Shape]] = []
    for (index, layer) in layers.enumerated() {
      let outputs = try locating("cell \(index)") { try layer.spec.outputShapes(inputs: [current] + initial[index]) }
      current = outputs[0]
      finals.append(Array(outputs.dropFirst()))
    }
    if choosesAtMaskedSteps, !options.returnSequences { current = Array(current.dropFirst()) }
    return [current] + (reversesStates ? finals.reversed() : finals).flatMap(\.self)
  }

  public func expand(
    _ parts: [GraphExpansion.Part], inputs: [ModelSpec.Reference], into graph: inout GraphExpansion
  ) -> [ModelSpec.Reference] {
    let initial = states(inputs)
    let source = options.goBackwards ? graph.call(parts[cells.count], [inputs[0]])[0] : inputs[0]
    var current = source
    var first: ModelSpec.Reference?
    var finals: [[ModelSpec.Reference]] = []
    for index in cells.indices {
      let outputs = graph.call(parts[index], [current] + initial[index])
      current = outputs[0]
      first = first ?? current
      finals.append(Array(outputs.dropFirst()))
    }
    if choosesAtMaskedSteps, let first {
      current = graph.call(parts[parts.count - 2], [current, first, source])[0]
      if !options.returnSequences { current = graph.call(parts[parts.count - 1], [current])[0] }
    }
    // The steps run backwards, the mask that tells what is 0 does not.
    if options.zeroesByPosition {
      let zeros = graph.call(parts[cells.count + 2], [current, current])[0]
      current = graph.call(parts[cells.count + 3], [current, zeros, inputs[0]])[0]
    }
    if options.goBackwards, options.returnSequences {
      current = graph.call(parts[cells.count + 1], [current, inputs[0]])[0]
    }
    return [current] + (reversesStates ? finals.reversed() : finals).flatMap(\.self)
  }
}
