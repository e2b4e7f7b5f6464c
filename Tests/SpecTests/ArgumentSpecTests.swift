import RNNCore
import RNNTestSupport
import Testing

@testable import RNNDialects

/// The argument tables of `spec/layouts.md`: every name is read into its field, and every default is the stated one.
struct ArgumentSpecTests {
  struct Argument {
    var kind: LayerSpec.Kind
    var field: String
    var names: [String]
    var fallback: String
  }

  static let recurrent: [LayerSpec.Kind] = [.lstm, .gru, .simpleRNN]

  static func arguments() throws -> [Argument] {
    let document = try SpecDocument("layouts.md")
    let own = try document.table("Arguments", 0).map { row in
      Argument(
        kind: try #require(LayerSpec.Kind(rawValue: row[0].code)), field: row[1].code, names: row[2].codes,
        fallback: row[3])
    }
    let shared = try document.table("Arguments", 1).flatMap { row in
      recurrent.map { Argument(kind: $0, field: row[0].code, names: row[1].codes, fallback: row[2]) }
    }
    return own + shared
  }

  /// A configuration with the required arguments, read by Keras 2.
  private func read(_ kind: LayerSpec.Kind, _ members: [(String, JSONValue)]) throws -> JSONValue {
    var reader = KerasConfigReader(
      className: kind.rawValue, layerName: "l", config: JSONObject(members),
      era: KerasEra(version: "2.2.4", architecture: nil))
    let spec = try KerasLayerReading.spec(kind, &reader)
    _ = try reader.finish()
    return try LayerSamples.json(spec)
  }

  private func value(_ field: String, _ spec: JSONValue) -> JSONValue? {
    field.split(separator: ".").reduce(JSONValue?.some(spec)) { $0?[String($1)] }
  }

  /// A value that is no argument's default.
  private func sample(_ field: String, _ current: JSONValue) -> JSONValue {
    switch field {
    case "padding": return "same"
    case "dtype": return "int32"
    case "activation", "recurrentActivation": return "relu"
    default: break
    }
    if let flag = current.bool { return .bool(!flag) }
    return current.integer == nil || field.hasPrefix("options") || ["rate", "maskValue"].contains(field) ? 0.25 : 7
  }

  @Test func everyNameIsReadIntoItsField() throws {
    let all = try Self.arguments()
    for argument in all {
      let others = all.filter { $0.kind == argument.kind && $0.field != argument.field && $0.fallback == "required" }
      let required = others.map { ($0.names[0], JSONValue.integer(3)) }
      let own = isRequired(argument) ? [(argument.names[0], JSONValue.integer(1))] : []
      let present = try read(argument.kind, required + own)
      let current = try #require(value(argument.field, present), "\(argument)")
      let expected = sample(argument.field, current)
      for name in argument.names {
        let spec = try read(argument.kind, required + [(name, expected)])
        #expect(value(argument.field, spec)?.text() == expected.text(), "\(argument.kind) \(name)")
      }
    }
  }

  private func isRequired(_ argument: Argument) -> Bool { argument.fallback == "required" }

  @Test func everyDefaultIsTheStatedOne() throws {
    let all = try Self.arguments()
    for argument in all {
      let required = all.filter { $0.kind == argument.kind && isRequired($0) }
      let config = required.filter { $0.field != argument.field }.map { ($0.names[0], JSONValue.integer(3)) }
      switch argument.fallback {
      case "required":
        #expect(throws: RNNError.self) { try read(argument.kind, config) }
      case "by version": break
      case "the pool size":
        #expect(value("strides", try read(argument.kind, [("pool_size", 5)])) == 5)
      default:
        let found = value(argument.field, try read(argument.kind, config))
        #expect(found == (try JSONValue(parsing: argument.fallback.code)), "\(argument)")
      }
    }
  }

  /// Every field that a layer codes can be read from some argument.
  @Test(arguments: LayerSpec.Kind.allCases)
  func everyFieldHasAnArgument(_ kind: LayerSpec.Kind) throws {
    let spec = try #require(try LayerSamples.json(LayerSamples.spec(kind)).object)
    var fields = Set(spec.keys).subtracting(["kind", "options"])
    fields.formUnion((spec["options"]?.object?.keys ?? []).map { "options.\($0)" })
    // Shapes are read by their own rules.
    if kind == .input { fields.subtract(["shape", "batchSize"]) }
    // No argument, but a consequence of how Keras 3 calls the layer.
    fields.remove("options.ignoresMask")
    #expect(Set(try Self.arguments().filter { $0.kind == kind }.map(\.field)) == fields)
  }
}
