import RNNCore
import RNNTestSupport
import Testing

@testable import RNNDialects

/// The argument tables of `spec/keras.md`: every name is read into its field, and every default is the stated one.
struct ArgumentSpecTests {
  struct Argument {
    var kind: KerasClass
    var field: String
    var names: [String]
    var fallback: String

    var isRequired: Bool { fallback == "required" }
  }

  static let recurrent: [KerasClass] = [.lstm, .gru, .simpleRNN, .convLSTM1D, .lstmCell, .gruCell, .simpleRNNCell]

  /// Layers that do nothing but an activation with numbers: arguments are numbers in its name.
  static let activations: [KerasClass] = [.leakyReLU, .elu, .thresholdedReLU, .reLU]

  /// What is read without the layers inside.
  static let plain = KerasClass.allCases.filter { kind in
    ![.rnn, .bidirectional, .timeDistributed, .sequential, .functional].contains(kind)
  }

  /// Those of all classes.
  let arguments: [Argument]
  /// Fields that no argument holds: their values in Keras 3 and before it, or words where these depend on something.
  let others: [(kind: KerasClass, field: String, values: [String])]

  init() throws {
    let document = try SpecDocument("keras.md")
    let own = try document.table("Arguments", 0).flatMap { row in
      try Self.kinds(row[0]).map { Argument(kind: $0, field: row[1].code, names: row[2].codes, fallback: row[3]) }
    }
    let shared = try document.table("Arguments", 1).flatMap { row in
      Self.recurrent.map { Argument(kind: $0, field: row[0].code, names: row[1].codes, fallback: row[2]) }
    }
    arguments = own + shared
    others = try document.table("Arguments", 2).flatMap { row in
      try Self.kinds(row[0]).map { (kind: $0, field: row[1].code, values: [row[2], row[3].isEmpty ? row[2] : row[3]]) }
    }
  }

  private static func kinds(_ cell: String) throws -> [KerasClass] {
    try cell.codes.map { try #require(KerasClass(rawValue: $0), "\($0)") }
  }

  private static let versions = ["3.15.1", "2.2.4"]

  /// The specification that a configuration is read as.
  func read(
    _ kind: KerasClass, _ members: [(String, JSONValue)], version: String = "3.15.1"
  ) throws -> JSONValue {
    var reader = KerasConfigReader(
      className: kind.rawValue, layerName: "l", config: JSONObject(members),
      era: KerasEra(version: version, architecture: nil))
    let spec = try #require(try KerasLayerReading.spec(kind, &reader))
    _ = try reader.finish()
    return try LayerSamples.json(spec)
  }

  private func value(_ field: String, _ spec: JSONValue) -> JSONValue? {
    field.split(separator: ".").reduce(JSONValue?.some(spec)) { $0?[String($1)] }
  }

  /// Required arguments that are no single value.
  private static let written: [KerasClass: [(String, JSONValue)]] = [
    .discretization: [("bin_boundaries", [1, 2]), ("output_mode", "count")], .integerLookup: [("vocabulary", [3, 5])],
    .rescaling: [("scale", 2)], .einsumDense: [("equation", "abc,cd->abd"), ("output_shape", [nil, 3])],
  ]

  /// The required arguments of a class, but for those that have a name of another argument.
  func required(of kind: KerasClass, without names: [String] = []) -> [(String, JSONValue)] {
    var members = Self.written[kind] ?? []
    for argument in arguments where argument.kind == kind && argument.isRequired {
      let name = argument.names[0]
      // Both ends of a padding are one argument.
      guard !names.contains(name), !members.contains(where: { $0.0 == name }) else { continue }
      members.append((name, 3))
    }
    return members
  }

  /// A value that is no argument's default.
  private func sample(_ argument: Argument, _ current: JSONValue?) -> JSONValue {
    switch argument.field {
    case "padding": return "same"
    case "dtype": return "int32"
    case "score": return "concat"
    case "activation" where Self.activations.contains(argument.kind): return 0.75
    case "activation", "recurrentActivation": return "relu"
    case "rate", "maskValue", "epsilon", "momentum", "dropout", "options.dropout", "options.recurrentDropout":
      return 0.25
    case _: break
    }
    if let flag = current?.bool { return .bool(!flag) }
    return 7
  }

  /// Whether a field holds what was given: as it is, as a number in an activation's name, or as each element of a list.
  private func holds(_ found: JSONValue?, _ given: JSONValue, _ argument: Argument) -> Bool {
    if Self.activations.contains(argument.kind) { return found?.string?.contains(given.text()) ?? false }
    if let list = found?.array { return !list.isEmpty && list.allSatisfy { $0 == given } }
    return found?.text() == given.text()
  }

  @Test func everyNameIsReadIntoItsField() throws {
    for argument in arguments {
      let required = required(of: argument.kind, without: argument.names)
      let own: [(String, JSONValue)] = argument.isRequired ? [(argument.names[0], .integer(1))] : []
      let current = value(argument.field, try read(argument.kind, required + own))
      let given = sample(argument, current)
      #expect(!holds(current, given, argument), "\(argument)")
      for name in argument.names {
        let found = value(argument.field, try read(argument.kind, required + [(name, given)]))
        #expect(holds(found, given, argument), "\(argument.kind.rawValue) \(name)")
      }
    }
  }

  @Test func everyDefaultIsTheStatedOne() throws {
    for argument in arguments {
      let required = required(of: argument.kind, without: argument.names)
      switch argument.fallback {
      case "required": #expect(throws: RNNError.self, "\(argument)") { try read(argument.kind, required) }
      case "by version": break
      case "none": #expect(value(argument.field, try read(argument.kind, required)) == nil, "\(argument)")
      case "the pool size": #expect(value("strides", try read(argument.kind, [("pool_size", 5)])) == 5)
      case "the key dim":
        #expect(value("valueDim", try read(argument.kind, [("num_heads", 3), ("key_dim", 5)])) == 5)
      case _:
        let codes = argument.fallback.codes
        for (version, code) in zip(Self.versions, codes.count == 1 ? [codes[0], codes[0]] : codes) {
          let found = value(argument.field, try read(argument.kind, required, version: version))
          let stated = try expected(code, argument.field, version)
          #expect(found == stated, "\(argument) \(version)")
        }
      }
    }
  }

  /// A default, in native words.
  private func expected(_ code: String, _ field: String, _ version: String) throws -> JSONValue {
    let stated = try JSONValue(parsing: code)
    guard field.lowercased().hasSuffix("activation"), let name = stated.string else { return stated }
    let generation = KerasEra(version: version, architecture: nil).generation
    return .string(KerasActivations.activation(named: name, generation)?.name ?? name)
  }

  @Test func otherFieldsHaveTheStatedValues() throws {
    for (kind, field, values) in others {
      for (version, text) in zip(Self.versions, values) where text.codes.count == 1 {
        let found = value(field, try read(kind, required(of: kind), version: version))
        #expect(found == (try JSONValue(parsing: text.code)), "\(kind.rawValue) \(field) \(version)")
      }
    }
  }

  /// Every field that a layer codes has a row, and no other field has.
  @Test(arguments: ArgumentSpecTests.plain)
  func everyFieldHasARow(_ kind: KerasClass) throws {
    let name = try read(kind, required(of: kind))["kind"]?.string ?? ""
    let native = try #require(LayerSpec.Kind(rawValue: name))
    let spec = try #require(try LayerSamples.json(LayerSamples.spec(native)).object)
    // Keras has the batch first, always.
    var fields = Set(spec.keys).subtracting(["kind", "options", "batchAxis"])
    fields.formUnion((spec["options"]?.object?.keys ?? []).map { "options.\($0)" })
    let ofArguments = arguments.filter { $0.kind == kind }.map(\.field)
    let rest = others.filter { $0.kind == kind }.map(\.field)
    #expect(Set(ofArguments + rest) == fields)
    #expect(Set(ofArguments).isDisjoint(with: rest))
    #expect(Set(rest).count == rest.count)
  }

  @Test func modesOfMergeAreThoseOfTheCode() throws {
    for row in try SpecDocument("keras.md").table("Arguments", 3) {
      let spec = try read(.merge, [("mode", .string(row[0].code))], version: "1.2.2")
      #expect(spec["kind"]?.string == row[1].codes[0], "\(row)")
      #expect(row[1].codes.dropFirst().allSatisfy { $0 == spec["function"]?.string }, "\(row)")
    }
    #expect(throws: RNNError.self) { try read(.merge, [("mode", "lambda")], version: "1.2.2") }
  }
}
