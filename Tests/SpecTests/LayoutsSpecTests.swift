import RNNCore
import RNNTestSupport
import Testing

@testable import RNNDialects

/// `spec/layouts.md` against the tables of the Keras dialects.
struct LayoutsSpecTests {
  let document: SpecDocument

  init() throws {
    document = try SpecDocument("layouts.md")
  }

  @Test func erasAreThoseOfTheCode() throws {
    let evidence = try document.table("Era", 0)
    #expect(evidence.count >= 7)
    for row in evidence {
      let era = KerasEra(version: nil, architecture: try JSONValue(parsing: row[1].code))
      #expect(era.generation.rawValue == row[2].code, "\(row[1])")
    }
    for row in try document.table("Era", 1) {
      let era = KerasEra(version: row[0].code, architecture: nil)
      let found = [era.generation.rawValue, era.defaultRecurrentActivation, "\(era.defaultResetAfter)"]
      #expect(row[1...].map(\.code) == found, "\(row[0])")
    }
    let silent = KerasEra(version: nil, architecture: nil)
    #expect(silent.generation == .keras2)
    #expect(silent.defaultRecurrentActivation == "hard_sigmoid")
    for generation in KerasGeneration.allCases { #expect(document.text.contains("`\(generation.rawValue)`")) }
  }

  @Test func classesAreThoseOfTheCode() throws {
    var documented: Set<String> = []
    for row in try document.table("Classes") {
      for name in row[0].codes + row[1].codes { documented.insert("\(name) \(row[0].code)") }
    }
    #expect(documented == Set(KerasClasses.table.map { "\($0.name) \($0.kind.rawValue)" }))
  }

  @Test func groupsAreTheClassesInSnakeCase() throws {
    let rows = try document.table("Matching")
    let needy = LayerSpec.Kind.allCases.filter { !LayerSamples.spec($0).parameterNames.isEmpty }
    #expect(Set(rows.map { $0[0].code }) == Set(needy.map(\.rawValue)))
    for row in rows { #expect(KerasClasses.snakeCase(row[0].code) == row[1].code) }
  }

  @Test(arguments: Array(zip(KerasGeneration.allCases, 1...)))
  func activationsAreThoseOfTheCode(_ generation: KerasGeneration, _ column: Int) throws {
    let rows = try document.table("Activations")
    #expect(Set(rows.map { $0[0].code }) == Set(Activation.allCases.map(\.rawValue)))
    let documented = rows.flatMap { row in row[column].codes.map { "\($0) \(row[0].code)" } }
    let table = KerasActivations.table(generation)
    #expect(documented.sorted() == table.map { "\($0.name) \($0.activation.rawValue)" }.sorted())
    for row in rows {
      let activation = try #require(Activation(rawValue: row[0].code))
      #expect(KerasActivations.name(of: activation, generation) == row[column].codes.first)
    }
  }

  @Test func structuralAndCarriedKeysAreThoseOfTheCode() throws {
    let section = try document.section("Other keys")
    let first = try #require(section.firstIndex { $0.hasPrefix("Structural keys") })
    let paragraph = section[first...].drop { !$0.isEmpty }.dropFirst().prefix { !$0.isEmpty }
    let structural = paragraph.flatMap(\.codes)
    #expect(structural.count == KerasKeys.structural.count)
    #expect(Set(structural) == KerasKeys.structural)
    let carried = try document.table("Other keys", 0)
    #expect(carried.count == KerasKeys.carried.count)
    #expect(Set(carried.map { $0[0].code }) == KerasKeys.carried)
    for row in carried {
      let layer = ModelSpec.Layer(
        name: "l", spec: .flatten, carried: JSONValue.object(JSONObject([(row[0].code, 1)])).text())
      let config = try KerasLayerWriting(generation: .keras2).config(of: layer)
      #expect(config.keys.contains(row[0].code) == (row[1] == "yes"), "\(row[0])")
    }
  }

  @Test func neutralKeysAreThoseOfTheCode() throws {
    let rows = try document.table("Other keys", 1)
    for row in rows {
      #expect(KerasKeys.isNeutral(row[0].code, try JSONValue(parsing: row[1].code)), "\(row[0])")
      #expect(!KerasKeys.isNeutral(row[0].code, "another value"))
    }
    let source = try SourceFile.text("RNNDialects/Keras/KerasConfigReader.swift")
    let list = try #require(
      source.components(separatedBy: "neutral: [(key: String, value: JSONValue)] = [").last?
        .components(separatedBy: "]").first)
    let coded = list.matches(of: #/\("([a-z_]+)", ([^)]+)\)/#).map { "\($0.1) \($0.2)" }
    #expect(rows.map { "\($0[0].code) \($0[1].code.replacing("null", with: "nil"))" } == coded)
  }

  @Test func arraysOfKeras1AreThoseOfTheCode() throws {
    let rows = try document.table("Arrays", 0)
    for (kind, layout) in [("LSTM", KerasLayout.keras1LSTM), ("GRU", KerasLayout.keras1GRU)] {
      let documented = rows.filter { $0[0].code == kind }.map { "\($0[1]) \($0[2].code) \($0[3])" }
      let coded = layout.parts.map { part in
        "\(layout.arrayCount) \(part.parameter) \(part.arrays.map(String.init).joined(separator: ", "))"
      }
      #expect(documented == coded)
    }
    #expect(rows.allSatisfy { ["LSTM", "GRU"].contains($0[0].code) })
  }

  /// The gate of each joined array follows from its number: W, U, b of one gate stand together.
  @Test func gateOrdersFollowFromTheArrays() throws {
    let text = try document.prose("Arrays")
    let parameters = try SpecDocument("native-format.md").table("Parameters")
    let layouts = [
      ("LSTM", KerasLayout.keras1LSTM, ["i", "c", "f", "o"]), ("GRU", KerasLayout.keras1GRU, ["z", "r", "h"]),
    ]
    for (kind, layout, stored) in layouts {
      #expect(text.contains("of each gate in the order \(stored.joined(separator: ", "))"))
      for (offset, part) in layout.parts.enumerated() {
        #expect(part.arrays.allSatisfy { $0 % 3 == offset })
        let native = part.arrays.map { stored[$0 / 3] }.joined(separator: ", ")
        let row = parameters.first { $0[0].code == kind && $0[1].code == part.parameter }
        #expect(row?[3] == native)
        #expect(kind == "GRU" || text.contains("joined along the last axis as \(native)."))
      }
    }
  }

  @Test func kernelsOfFourAxesAreReadAsDocumented() throws {
    let rows = try document.table("Arrays", 1)
    let sizes = ["k": 3, "channels": 2, "f": 5, "1": 1]
    for row in rows {
      let names = row[0].trimmingCharacters(in: ["(", ")"]).components(separatedBy: ", ")
      let shape = try names.map { try #require(sizes[$0]) }
      let values = (0..<30).map(Float.init)
      let kernel = try KerasKernelLayout.threeAxes(try Tensor(values, shape: shape), kernelSize: 3, filters: 5)
      #expect(kernel.shape == [3, 2, 5])
      let isReversed = row[2].contains("reversing")
      #expect(kernel.floats()[1] == (isReversed ? 6 : 1))
    }
    #expect(rows.count == 2)
  }

  @Test(arguments: LayerSpec.Kind.allCases)
  func exportWritesTheDocumentedKeys(_ kind: LayerSpec.Kind) throws {
    let rows = try document.table("Export")
    let row = try #require(rows.first { $0[0].codes == [kind.rawValue] })
    let recurrent = try #require(rows.first { $0[0] == "Recurrent" })
    let documented = row[1].codes + (row[1].contains("\"Recurrent\"") ? recurrent[1].codes : [])
    let layer = ModelSpec.Layer(name: "l", spec: LayerSamples.spec(kind), isTrainable: false)
    let config = try KerasLayerWriting(generation: .keras3).config(of: layer)
    #expect(Set(config.keys) == Set(documented + ["name", "trainable"]))
    #expect(config.keys.count == documented.count + 2)
  }
}
