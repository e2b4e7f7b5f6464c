import RNNCore

/// What the Keras that a file is for makes of it. Arguments that no configuration has - which mask merging gives, whether a
/// layer with initial states sees masks, small numbers - are the version's own; so the architecture is read as that version
/// reads it, and compared with the model.
struct KerasRereading {
  private(set) var ledger: [LedgerEntry] = []
  /// As it is read.
  private(set) var architecture: KerasArchitecture
  private let name: String
  /// The kinds of the plain layers, those that masks reach, and whether there are any masks.
  private let kinds: Set<LayerSpec.Kind>
  private let maskedKinds: Set<LayerSpec.Kind>
  private let hasMasks: Bool

  /// - Parameters:
  ///   - written: what goes into the file.
  ///   - version: that the file states.
  /// - Throws: what reading throws.
  init(_ model: ModelSpec, _ written: JSONValue, version: String) throws {
    let era = KerasEra(version: version, architecture: written)
    name = "Keras \(version)"
    kinds = Set(model.plain.layers.map(\.spec.kind))
    maskedKinds = model.kindsReachedByMasks
    hasMasks = model.hasMasks
    architecture = try KerasArchitecture(written, era: era)
    try KerasArchitecture.settleInputs(
      &architecture.spec, architecture.notes, mistakesBias: era.generation == .keras3 && !era.isOlder(than: 3, 4))
    compare(model, architecture.spec)
  }

  private mutating func compare(_ own: ModelSpec, _ theirs: ModelSpec) {
    compare(own.layers, theirs.layers)
    // What is read with more layers than were written loses masks on the way to some of them.
    for index in theirs.layers.indices.dropFirst(own.layers.count) {
      let calls = theirs.calls.indices.filter { theirs.calls[$0].layer == index }
      let readers = theirs.calls.filter { $0.inputs.contains { calls.contains($0.call) } }
      for reader in Set(readers.map { theirs.layers[$0.layer].name }).sorted() {
        ledger.append(
          LedgerEntry(.dropped, reader, "its mask, which \(name) takes off an input that attention read before"))
      }
    }
  }

  private mutating func compare(_ own: [ModelSpec.Layer], _ theirs: [ModelSpec.Layer]) {
    for (layer, other) in zip(own, theirs) where layer.spec != other.spec {
      compare(layer, other)
      if case .model(let own) = layer.spec, case .model(let theirs) = other.spec {
        compare(own.model, theirs.model)
      } else if layer.spec.kind == other.spec.kind {
        compare(layer.spec.innerLayers, other.spec.innerLayers)
      }
    }
  }

  private mutating func compare(_ own: ModelSpec.Layer, _ theirs: ModelSpec.Layer) {
    // The two differ by masks alone.
    let idle: Set<LayerSpec.Kind> = [.identity, .withoutMask]
    if idle.isSuperset(of: [own.spec.kind, theirs.spec.kind]), !isUnderMasks(own.spec.kind) { return }
    guard own.spec.kind == theirs.spec.kind else {
      let words = "\(name) has \(theirs.spec.kind.rawValue) here, not \(own.spec.kind.rawValue)"
      ledger.append(LedgerEntry(.dropped, own.name, words))
      return
    }
    let others = Dictionary(KerasRereading.fields(of: theirs.spec.configuration), uniquingKeysWith: { $1 })
    for (field, value) in KerasRereading.fields(of: own.spec.configuration) {
      guard let other = others[field], other != value else { continue }
      let words = "\(KerasRereading.meaning(of: field)) is \(value), in \(name) \(other)"
      switch KerasRereading.matter(of: field) {
      case .always: ledger.append(LedgerEntry(.dropped, own.name, words))
      case .underMasks: if isUnderMasks(own.spec.kind) { ledger.append(LedgerEntry(.dropped, own.name, words)) }
      case .inTraining: ledger.append(LedgerEntry(.emulated, own.name, words + ", in training alone"))
      case .nearZero: ledger.append(LedgerEntry(.emulated, own.name, words + ", which only numbers near 0 notice"))
      case .never: break
      }
    }
  }

  /// A property in words, where its name alone says little.
  private static func meaning(of field: String) -> String {
    let last = field.split(separator: ".").last.map(String.init) ?? field
    let words = [
      "maskRule": "of several masks, which one goes on", "skipsMasked": "whether masked numbers are passed over",
      "ignoresMask": "whether masks are ignored", "masks": "what becomes of masks inside",
      "zeroOutputForMask": "whether masked steps give zeros", "emitsState": "whether masked steps give the state",
      "zeroes": "whether weights are zero where all is masked",
      "zeroesUnseen": "whether weights are zero where nothing is seen",
      "misplacedBiasAxis": "the axis of the bias", "biasOverSteps": "whether the bias goes over the steps",
      "correction": "the correction of the variance", "countsValidOnly": "whether valid steps alone count",
    ]
    return words[last].map { "\($0) (\(field))" } ?? field
  }

  /// Whether a mask reaches a layer of a kind; of a layer that is made of others, whether there are any.
  private func isUnderMasks(_ kind: LayerSpec.Kind) -> Bool {
    kinds.contains(kind) ? maskedKinds.contains(kind) : hasMasks
  }

  /// Where a difference shows.
  private enum Matter {
    case always, underMasks, inTraining, nearZero, never
  }

  private static func matter(of field: String) -> Matter {
    let last = field.split(separator: ".").last.map(String.init) ?? field
    let masked: Set<String> = [
      "maskRule", "skipsMasked", "masks", "zeroOutputForMask", "ignoresMask", "emitsState", "zeroes", "zeroesUnseen",
    ]
    if masked.contains(last) { return .underMasks }
    if ["correction", "countsValidOnly", "momentum"].contains(last) { return .inTraining }
    if last == "epsilon" { return .nearZero }
    // NaN is not itself; the type of an input is what the caller gives.
    return ["maskValue", "dtype"].contains(last) ? .never : .always
  }

  /// A configuration's properties by name, those of what lies in it behind a point; layers inside are compared apart.
  private static func fields(of value: Any, _ path: String = "") -> [(String, String)] {
    if value is ModelSpec.Layer || value is [ModelSpec.Layer] || value is ModelSpec { return [] }
    let mirror = Mirror(reflecting: value)
    guard mirror.displayStyle == .struct else { return [(path, KerasRereading.words(value))] }
    return mirror.children.flatMap { child -> [(String, String)] in
      guard let label = child.label else { return [] }
      return fields(of: child.value, path.isEmpty ? label : "\(path).\(label)")
    }
  }

  /// `nil` of an optional, and its value without the word.
  private static func words(_ value: Any) -> String {
    let mirror = Mirror(reflecting: value)
    guard mirror.displayStyle == .optional else { return String(describing: value) }
    return mirror.children.first.map { String(describing: $0.value) } ?? "none"
  }
}
