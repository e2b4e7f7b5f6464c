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
    var spec = ModelSpec.sequential(
      name: "full",
      layers: [
        .init(name: "ids", spec: .input(InputSpec(shape: [4], dtype: "int32"))),
        .init(name: "embedding", spec: LayerSamples.spec(.embedding), carried: "{}"),
      ])
    spec.outputBatchAxes = [0]
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
    #expect(Set(try names("Constants and ranges", 0)) == (try keys(BinarySpec.Constant(shape: [], values: [0]))))
    #expect(Set(try names("Constants and ranges", 1)) == (try keys(LayerSamples.range)))
  }

  /// The words that a field may hold: all of them, in the code's order.
  @Test func wordsOfFieldsAreThoseOfTheCode() throws {
    let merging = MaskRule.allCases.map(\.rawValue)
    let words: [(kind: String, field: String, words: [String])] = [
      ("TokenCounts", "mode", TokenCountsSpec.Mode.allCases.map(\.rawValue)),
      ("LSTMVariant", "forgetGate", LSTMVariantSpec.ForgetGate.allCases.map(\.rawValue)),
      ("BatchNormalization", "correction", BatchNormalizationSpec.VarianceCorrection.allCases.map(\.rawValue)),
      ("LayerNormalization", "form", LayerNormalizationSpec.Form.allCases.map(\.rawValue)),
      ("Merge", "function", MergeSpec.Function.allCases.map(\.rawValue)), ("Merge", "maskRule", merging),
      ("Concatenate", "maskRule", merging), ("Attention", "score", AttentionSpec.Score.allCases.map(\.rawValue)),
      ("Unary", "function", UnarySpec.Function.allCases.map(\.rawValue)),
      ("Binary", "function", BinarySpec.Function.allCases.map(\.rawValue)),
      ("Cumulative", "function", CumulativeSpec.Function.allCases.map(\.rawValue)),
      ("Rearrange", "function", RearrangeSpec.Function.allCases.map(\.rawValue)),
      ("Reduction", "function", ReductionSpec.Function.allCases.map(\.rawValue)),
      ("Bidirectional", "merge", BidirectionalSpec.Merge.allCases.map(\.rawValue)),
      ("TimeDistributed", "masks", TimeDistributedSpec.Masks.allCases.map(\.rawValue)),
    ]
    let rows = try document.table("Layers")
    for item in words {
      let row = try #require(rows.first { $0[0].code == item.kind && $0[1].codes == [item.field] })
      #expect(row[3].codes == item.words, "\(item.kind) \(item.field)")
    }
    let split = try #require(try document.table("Text").first { $0[0].code == "split" })
    #expect(split[2].codes == TextRules.Split.allCases.map(\.rawValue))
  }

  /// Functions with numbers in their names: each is read, and written as it stands.
  @Test func activationsWithNumbersAreThoseOfTheCode() throws {
    let rows = try document.table("Activations with numbers")
    for row in rows {
      let activation = try #require(Activation(named: row[0].code), "\(row[0])")
      #expect(activation.name == row[0].code)
      #expect(!Activation.allCases.contains(activation))
    }
    for begin in ["leaky_relu(", "elu(", "thresholded_relu(", "relu("] {
      #expect(rows.contains { $0[0].code.hasPrefix(begin) }, "\(begin)")
    }
    for name in ["relu()", "relu(1)", "elu", "leaky_relu(none)", "leaky_relu(0.3", "gelu(1.0)", "elu(1.0, 2.0)"] {
      let isKnown = Activation.allCases.contains { $0.name == name }
      #expect((Activation(named: name) != nil) == isKnown, "\(name)")
    }
  }

  /// Layers that hand their first input's mask on, whatever is inside them.
  @Test func layersThatKeepAMaskAreThoseOfTheCode() throws {
    let section = try document.section("Masks")
    let first = try #require(section.firstIndex { $0.hasPrefix("The mask stays with the output of") })
    let documented = section[first...].prefix { !$0.isEmpty }.flatMap(\.codes)
    let joints: Set<LayerSpec.Kind> = [.foldSteps, .timeDistributed, .activated]
    let coded = LayerSpec.Kind.allCases.filter { kind in
      let configuration = LayerSamples.spec(kind).configuration
      return configuration.keepsMask && !(configuration is any RecurrentConfiguration) && !joints.contains(kind)
        && kind != .bidirectional
    }
    #expect(Set(documented) == Set(coded.map(\.rawValue) + ["returnSequences", "rms", "TimeDistributed"]))
    var options = RecurrentOptions()
    options.returnSequences = true
    var rms = LayerNormalizationSpec(axes: [-1], epsilon: 1)
    rms.form = .rootMeanSquare
    #expect(!rms.keepsMask)
    for kind in LayerSpec.Kind.allCases where LayerSamples.spec(kind).isRecurrent && kind != .timeMajor {
      var spec = LayerSamples.spec(kind)
      spec.setRecurrentOptions(options)
      #expect(spec.configuration.keepsMask, "\(kind.rawValue)")
      spec.setRecurrentOptions(.init())
      #expect(!spec.configuration.keepsMask, "\(kind.rawValue)")
    }
  }

  @Test func layersOfOthersAreThoseOfTheCode() throws {
    let places = try document.table("Layers that are made of others", 0)
    let parts = try document.table("Layers that are made of others", 1)
    for kind in LayerSpec.Kind.allCases {
      let configuration = LayerSamples.spec(kind).configuration
      let own = places.filter { $0[0].code == kind.rawValue }
      guard let composite = configuration as? any CompositeLayer else {
        #expect(own.isEmpty, "\(kind.rawValue)")
        continue
      }
      // The layers of a model have their own names.
      let isModel = kind == .model
      let documented = own.flatMap { $0[2].codes }
      #expect(isModel || documented == composite.innerPlaces.filter { !$0.isEmpty }, "\(kind.rawValue)")
      #expect(own.isEmpty == (!isModel && composite.innerLayers.isEmpty), "\(kind.rawValue)")
      guard !isModel else { continue }
      let row = try #require(parts.first { $0[0].code == kind.rawValue })
      #expect(Set(row[1].codes) == Set(composite.parts.map(\.name)).subtracting([""]), "\(kind.rawValue)")
    }
  }

  @Test func limitsOfGraphsAreThoseOfTheCode() throws {
    let calls = try SourceFile.constant("mostCalls", in: "RNNCore/Model/ModelSpec+Validation.swift")
    #expect(try document.prose().contains("more than \(calls) calls"))
    let rows = try document.table("Number of inputs")
    for kind in LayerSpec.Kind.allCases {
      let counts = LayerSamples.spec(kind).configuration.inputCounts
      // The sample has numbers in the place of both choices.
      if kind == .select { continue }
      let words = counts.lowerBound == counts.upperBound ? "\(counts.lowerBound)" : "more"
      let row = rows.first { $0[0].codes.contains(kind.rawValue) }
      if counts == 1...1 {
        #expect(row == nil, "\(kind.rawValue)")
      } else if words == "more" {
        let ends = try #require(row, "\(kind.rawValue)")[1].components(separatedBy: " to ")
        #expect(ends.first == "\(counts.lowerBound)", "\(kind.rawValue)")
      } else {
        #expect(row?[1] == words, "\(kind.rawValue)")
      }
    }
  }

  @Test func textProvenanceAndLedgerAreThoseOfTheCode() throws {
    var rules = TextRules()
    (rules.startID, rules.unknownID, rules.idLimit, rules.length) = (1, 2, 3, 4)
    (rules.lowersASCII, rules.strips, rules.split, rules.ngrams) = (true, "", .whole, [1])
    (rules.unknownCount, rules.emptyID) = (1, 0)
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
      var named: Set<String> = []
      for variant in 0...1 {
        let spec = LayerSamples.spec(kind, variant: variant)
        let shapes = try spec.parameterShapes(inputs: LayerSamples.inputs(kind))
        named.formUnion(spec.parameterNames)
        let documented = try own.filter { spec.parameterNames.contains($0[1].code) }.map { row in
          ParameterShape(row[1].code, try shape(row[2].brackets[min(variant, row[2].brackets.count - 1)]))
        }
        #expect(documented == shapes, "\(kind.rawValue) \(variant)")
      }
      #expect(Set(own.map { $0[1].code }) == named, "\(kind.rawValue)")
    }
  }

  /// `channels / groups, 4 units` in numbers.
  private func shape(_ text: String) throws -> [Int] {
    guard !text.isEmpty else { return [] }
    return try text.components(separatedBy: ", ").map { dimension in
      let words = dimension.components(separatedBy: " ")
      func size(_ word: String) throws -> Int { try #require(Int(word) ?? LayerSamples.sizes[word], "\(word)") }
      if words.count == 3, words[1] == "/" { return try size(words[0]) / size(words[2]) }
      return try words.reduce(1) { $0 * (try size($1)) }
    }
  }

  @Test func historicLSTMsAreThoseOfTheCode() throws {
    let rows = try document.table("LSTMs of history")
    let coded = RecurrentHistory.lstms.map { [$0.year, $0.name, $0.source] + $0.equations }
    #expect(rows.map { Array($0[..<3] + $0[4...]) } == coded)
    let plain = try #require(try LayerSamples.json(LSTMVariantSpec(units: 3)).object)
    let specs: [(row: Int, spec: LSTMVariantSpec)] = [
      (0, .original1997(units: 3)), (1, .forget1999(units: 3)), (2, .peephole2000(units: 3)), (3, .vanilla(units: 3)),
    ]
    for (row, spec) in specs {
      let changed = try #require(try LayerSamples.json(spec).object).members
        .filter { $0.key != "options" && plain[$0.key] != $0.value }
      let coded = changed.map { "\($0.key) \($0.value.string ?? $0.value.text())" }
      let codes = rows[row][3].codes
      let documented = stride(from: 0, to: codes.count - 1, by: 2).map { "\(codes[$0]) \(codes[$0 + 1])" }
      #expect(Set(documented) == Set(coded), "\(rows[row][1])")
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
