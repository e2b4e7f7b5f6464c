import Foundation
import RNNTestSupport
import Testing

@testable import RNNCore
@testable import RNNTraining

/// `spec/native-format.md` against the code.
struct NativeFormatSpecTests {
  let document: SpecDocument

  init() throws {
    document = try SpecDocument("native-format.md")
  }

  /// The first column's codes.
  private func names(_ heading: String, _ number: Int = 0) throws -> [String] {
    try document.table(heading, number).map { $0[0].code }
  }

  private func keys(_ value: some Encodable) throws -> Set<String> {
    Set(try #require(try LayerSamples.json(value).object).keys)
  }

  /// A model with everything that a file can hold.
  private func fullModel() throws -> NativeModel {
    let spec = ModelSpec.sequential(
      name: "full",
      layers: [
        .init(name: "ids", spec: .input(InputSpec(shape: [4], dtype: "int32"))),
        .init(name: "embedding", spec: LayerSamples.spec(.embedding), carried: "{}"),
      ])
    var provenance = Provenance(source: "model.h5", container: "HDF5", framework: "Keras", dialect: "keras3")
    provenance.sha256 = String(repeating: "0", count: 64)
    provenance.frameworkVersion = "3.15.1"
    provenance.backend = "tensorflow"
    provenance.tensorNames = ["embeddings"]
    let table = try Tensor([Float](repeating: 0, count: 14), shape: [7, 2])
    var model = NativeModel(
      spec: spec, parameters: [.init(layer: "embedding", name: "embeddings", tensor: table)], provenance: provenance)
    model.training = "{}"
    model.optimizerSlots = [.init(path: "iteration", tensor: try Tensor([Int64(3)], shape: []))]
    model.recurrentStates = [
      .init(call: 1, state: 0, tensor: try Tensor([Float](repeating: 0, count: 2), shape: [1, 2]))
    ]
    model.ledger = [LedgerEntry(.carried, "optimizer", "1 tensor")]
    model.text = TextBundle(
      rules: TextRules(), words: try Tensor(dtype: .uint8, shape: [0], bytes: Data()),
      offsets: try Tensor([Int64(0)], shape: [1]))
    return model
  }

  @Test func dtypesAreThoseOfTheCode() throws {
    let rows = try document.table("Bytes").map { "\($0[0].code) \($0[2])" }
    #expect(rows == DType.allCases.map { "\($0.rawValue) \($0.byteCount)" })
  }

  @Test func metadataStandsInTheOrderOfTheTable() throws {
    let file = try fullModel().safetensors()
    let documented = try names("Metadata")
    #expect(documented == file.metadata.map(\.key))
    let keys = [
      NativeFile.Key.format, NativeFile.Key.version, NativeFile.Key.model, NativeFile.Key.text,
      NativeFile.Key.training, NativeFile.Key.provenance, NativeFile.Key.ledger,
    ]
    #expect(documented == keys)
    #expect(try document.prose().contains("the word `\(NativeFile.format)`"))
    #expect(try document.prose().contains("describes format version \(NativeFile.version),"))
  }

  @Test func tensorsStandInTheOrderOfTheTable() throws {
    let prefixes = try document.table("Tensors").map { $0[0].codes[0] }
    #expect(
      prefixes == [
        NativeFile.Prefix.parameters, NativeFile.Prefix.optimizer, NativeFile.Prefix.states, NativeFile.offsetsName,
        NativeFile.wordsName,
      ])
    let written = try fullModel().safetensors().entries.map(\.name)
    #expect(written.count == prefixes.count)
    for (name, prefix) in zip(written, prefixes) { #expect(name.hasPrefix(prefix)) }
  }

  @Test func interruptedTrainingsHaveTheFieldsOfTheCode() throws {
    let checkpoint = TrainingCheckpoint(position: FitPosition(), compiled: [:], momentumProduct: 1)
    let rows = try document.table("Training")
    #expect(rows.map { $0[0].code } == checkpoint.json.object?.keys)
    let fields = rows[0][2].codes
    let keys = checkpoint.position.json.object?.keys ?? []
    #expect(
      Set(fields) == Set(keys + (checkpoint.position.options.json.object?.keys ?? []) + ["best", "wait", "cooldown"]))
    #expect(try document.prose().contains("the member `\(TrainingCheckpoint.key)`"))
  }

  @Test func limitsAreThoseOfTheCode() throws {
    #expect(try document.prose().contains("N above \(Safetensors.maximumHeaderLength),"))
    #expect(try document.prose().contains("integers from 1 to \(SizeLimit.dimension)."))
  }

  @Test func fieldsOfTheModelAreThoseOfTheCode() throws {
    let model = try fullModel()
    let reference = ModelSpec.Reference(call: 0)
    #expect(Set(try names("Model", 0)) == (try keys(model.spec)))
    #expect(Set(try names("Model", 1)) == (try keys(model.spec.layers[1])))
    #expect(Set(try names("Model", 2)) == (try keys(ModelSpec.Call(layer: 0, inputs: [reference]))))
    #expect(Set(try names("Model", 3)) == (try keys(reference)))
  }

  @Test(arguments: LayerSpec.Kind.allCases)
  func fieldsOfEachKindAreThoseOfTheCode(_ kind: LayerSpec.Kind) throws {
    let rows = try document.table("Layers").filter { $0[0].code == kind.rawValue }
    #expect(!rows.isEmpty)
    let coded = try keys(LayerSamples.spec(kind)).subtracting(["kind"])
    #expect(Set(rows.flatMap { $0[1].codes }) == coded)
    #expect(rows.count == max(coded.count, 1))
  }

  @Test func noOtherKindStandsInTheTable() throws {
    let kinds = Set(try document.table("Layers").map { $0[0].code })
    #expect(kinds == Set(LayerSpec.Kind.allCases.map(\.rawValue)))
    #expect(Set(try names("Recurrent options")) == (try keys(RecurrentOptions())))
    #expect(try names("Windows") == Padding.allCases.map(\.rawValue))
  }

  @Test func textProvenanceAndLedgerAreThoseOfTheCode() throws {
    var rules = TextRules()
    (rules.startID, rules.unknownID, rules.idLimit, rules.length) = (1, 2, 3, 4)
    #expect(Set(try names("Text")) == (try keys(rules)))
    let model = try fullModel()
    #expect(Set(try names("Provenance")) == (try keys(model.provenance)))
    #expect(Set(try names("Ledger")) == (try keys(model.ledger[0])))
    let kinds = try #require(try document.table("Ledger").first { $0[0].code == "kind" })
    #expect(kinds[2].codes == LedgerEntry.Kind.allCases.map(\.rawValue))
  }

  @Test func parametersAreThoseOfTheCode() throws {
    let rows = try document.table("Parameters")
    for kind in LayerSpec.Kind.allCases {
      let own = rows.filter { $0[0].code == kind.rawValue }
      let input: Shape = [nil, LayerSamples.channels]
      for (number, resetAfter) in [true, false].enumerated() {
        let shapes = try LayerSamples.spec(kind, resetAfter: resetAfter).parameterShapes(input: input)
        let documented = try own.map { row in
          ParameterShape(row[1].code, try shape(row[2].brackets[min(number, row[2].brackets.count - 1)]))
        }
        #expect(documented == shapes, "\(kind.rawValue)")
      }
    }
  }

  /// `channels / groups, 4 units` in numbers.
  private func shape(_ text: String) throws -> [Int] {
    try text.components(separatedBy: ", ").map { dimension in
      let words = dimension.components(separatedBy: " ")
      func size(_ word: String) throws -> Int { try #require(Int(word) ?? LayerSamples.sizes[word], "\(word)") }
      if words.count == 3, words[1] == "/" { return try size(words[0]) / size(words[2]) }
      return try words.reduce(1) { $0 * (try size($1)) }
    }
  }

  @Test func exampleIsAFile() throws {
    let header = Data(try #require(document.blocks("json").first).utf8)
    let size = try Safetensors.dataSize(header: header)
    #expect(try document.prose().contains("the file's tensors take \(size) bytes"))
    let example = try Safetensors(header: header, data: Data(count: size))
    let model = try NativeModel(example)
    // What is written again is the same, byte for byte.
    #expect(try model.safetensors() == example)
  }
}
