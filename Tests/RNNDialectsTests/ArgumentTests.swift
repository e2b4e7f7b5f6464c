import RNNCore
import RNNDialects
import Testing

/// Arguments of layers: read, carried, taken for neutral, or refused by name.
@Suite struct ArgumentTests {
  /// A Dense layer with further arguments.
  private func dense(_ arguments: String, version: String = "2.15.0", className: String = "Dense") throws -> NativeModel
  {
    let json = sequential([(className, #"{"name": "a", "units": 1, "batch_input_shape": [null, 1], \#(arguments)}"#)])
    var file = try KerasFile(json, version: version)
    try file.add("a", [("k", filled([1, 1])), ("b", filled([1]))])
    return try importing(try file.listed())
  }

  private func lstm(_ arguments: String) throws -> NativeModel {
    let json = sequential([("LSTM", #"{"name": "a", "units": 1, "batch_input_shape": [null, null, 1], \#(arguments)}"#)]
    )
    var file = try KerasFile(json, version: "2.15.0")
    try file.add("a", [("k", filled([1, 4])), ("r", filled([1, 4])), ("b", filled([4]))])
    return try importing(try file.listed())
  }

  @Test func anUnknownArgumentIsRefusedByName() {
    expectError(.unsupported, naming: "'a'", "Dense", "temperature=0.5", "other=[1, 2]") {
      try dense(#""temperature": 0.5, "other": [1, 2]"#)
    }
    for argument in [#""num_constants": 1"#, #""cell_clip": 3"#] {
      expectError(.unsupported, naming: "'a'", "LSTM") { try lstm(argument) }
    }
  }

  @Test func neutralArgumentsAreAccepted() throws {
    for argument in [
      #""time_major": false"#, #""implementation": 2"#, #""build_config": {"input_shape": [null, 1]}"#,
      #""dynamic": false"#,
    ] { #expect(throws: Never.self, "\(argument)") { try lstm(argument) } }
    for argument in [#""lora_rank": null"#, #""quantization_config": null"#, #""trainable": true, "dtype": "float32""#]
    {
      #expect(throws: Never.self, "\(argument)") { try dense(argument) }
    }
    expectError(.unsupported, naming: "lora_rank=4") { try dense(#""lora_rank": 4"#) }
  }

  @Test func whatOnlyTrainingNeedsIsCarried() throws {
    let model = try dense(
      #""kernel_initializer": "zeros", "bias_regularizer": {"class_name": "L2", "config": {"l2": 0.1}}"#)
    let carried = try JSONValue(parsing: try #require(model.spec.layers[1].carried))
    #expect(carried["kernel_initializer"] == "zeros")
    #expect(carried["bias_regularizer"]?["config"]?["l2"] == 0.1)
    #expect(model.ledger.isEmpty)
    #expect(try dense(#""trainable": false"#).spec.layers[1].isTrainable == false)
  }

  @Test func customInitializersAreNamed() throws {
    for value in [
      #""my_initializer""#, #"{"class_name": "MyInit", "config": {}}"#,
      #"{"class_name": "function", "config": "my_function"}"#,
    ] {
      let entries = try dense(#""kernel_initializer": \#(value)"#).ledger
      #expect(entries.count == 1)
      #expect(entries.first?.kind == .carried && entries.first?.subject == "a")
      #expect(entries.first?.note.contains("kernel_initializer") == true)
    }
    for name in ["glorot_uniform", "VarianceScaling", "Orthogonal"] {
      #expect(try dense(#""kernel_initializer": {"class_name": "\#(name)", "config": {"seed": null}}"#).ledger.isEmpty)
    }
  }

  @Test func anActivationIsABuiltInOne() throws {
    func activation(_ value: String, version: String = "2.15.0") throws -> LayerSpec? {
      try dense(#""activation": \#(value)"#, version: version).layer("a")
    }
    func dense1(_ activation: Activation) -> LayerSpec {
      var spec = DenseSpec(units: 1)
      spec.activation = activation
      return .dense(spec)
    }
    #expect(try activation("null") == dense1(.linear))
    #expect(try activation(#""swish""#) == dense1(.silu))
    #expect(try activation(#"{"class_name": "function", "config": "relu"}"#) == dense1(.relu))
    expectError(.unsupported, naming: "'a'", "my_relu") { try activation(#""my_relu""#) }
    // A layer without weights may stand for a function, with its arguments by the generation's names.
    #expect(try activation(#"{"class_name": "LeakyReLU", "config": {}}"#) == dense1(.leakyRelu(slope: 0.3)))
    #expect(
      try activation(#"{"class_name": "LeakyReLU", "config": {"name": "x", "alpha": 0.5}}"#)
        == dense1(.leakyRelu(slope: 0.5)))
    #expect(try activation(#"{"class_name": "Softmax", "config": {"axis": -1}}"#) == dense1(.softmax))
    expectError(.unsupported, naming: "'a'", "LeakyReLU", "mine=1") {
      try activation(#"{"class_name": "LeakyReLU", "config": {"mine": 1}}"#)
    }
    expectError(.unsupported, naming: "'a'", "PReLU", "recurrent") {
      try lstm(#""activation": {"class_name": "PReLU", "config": {"name": "p"}}"#)
    }
    expectError(.unsupported, naming: "'a'", "Hashing") {
      try activation(#"{"class_name": "Hashing", "config": {"units": 1}}"#)
    }
    // Keras 3 has functions that Keras 2 lacks.
    expectError(.unsupported, naming: "celu", "keras2") { try activation(#""celu""#) }
    #expect(try activation(#""celu""#, version: "3.1.0") == dense1(.celu))
  }

  @Test func aGatedRecurrentUnitIsRefused() {
    expectError(.unsupported, naming: "relu7") { try lstm(#""recurrent_activation": "relu7""#) }
  }

  @Test func argumentsOfTheWrongKindAreNamed() {
    expectError(.badData, naming: "'a'", "use_bias", "a string") { try dense(#""use_bias": "yes""#) }
    expectError(.badData, naming: "'a'", "return_sequences", "a list") { try lstm(#""return_sequences": [true]"#) }
    expectError(.badData, naming: "'a'", "dropout") { try lstm(#""dropout": "half""#) }
    for units in ["2.5", "\"3\"", "null", "[1, 2]", "NaN", "1e30"] {
      let json = sequential([("Dense", #"{"name": "a", "units": \#(units), "batch_input_shape": [null, 1]}"#)])
      expectError(.badData, naming: "'a'", "units", "a whole number") { try importing(try KerasFile(json).checkpoint) }
    }
    let missing = sequential([("Dense", #"{"name": "a", "batch_input_shape": [null, 1]}"#)])
    expectError(.badData, naming: "'a'", "units", "missing") { try importing(try KerasFile(missing).checkpoint) }
  }

  @Test func classesThatAreNotCarriedAreNamed() {
    for className in ["Lambda", "Conv2D", "MyLayer", "lstm", "TFOpLambda", "SpectralNormalization"] {
      expectError(.unsupported, naming: "'a'", "'\(className)'") { try dense(#""x": 1"#, className: className) }
    }
    let custom =
      #"{"class_name": "Sequential", "config": {"layers": [{"class_name": "Dense", "registered_name": "pkg>Dense", "#
      + #""config": {"name": "a", "units": 1}}]}}"#
    expectError(.unsupported, naming: "'a'", "pkg>Dense") { try importing(try KerasFile(custom).checkpoint) }
    for (json, reason) in [
      (#"{"class_name": "MyModel", "config": {}}"#, RNNError.Reason.unsupported), (#"{"config": {}}"#, .badData),
      (#"{"class_name": "Sequential", "config": {"layers": []}}"#, .badData), ("[]", .badData), ("{", .badData),
      (#"{"class_name": "Functional", "config": {"name": "sub"}}"#, .badData),
      (#"{"class_name": "Sequential", "config": [{"class_name": "Dense"}]}"#, .badData),
    ] { expectError(reason) { try importing(try KerasFile(json).checkpoint) } }
  }

  /// Time-major layers and channels in front are the same layers with other layouts around them.
  @Test func layoutsOfTensorsAreReadAsWrappers() throws {
    guard case .timeMajor(let major)? = try lstm(#""time_major": true"#).layer("a") else {
      Issue.record("no TimeMajor")
      return
    }
    #expect(try lstm(#""time_major": false"#).layer("a") == major.layer.spec)
    func convolution(_ format: String) throws -> LayerSpec? {
      let json = sequential([
        (
          "Conv1D",
          #"{"name": "c", "filters": 1, "kernel_size": 2, "batch_input_shape": [null, 2, 2], "#
            + #""data_format": \#(format)}"#
        )
      ])
      var file = try KerasFile(json, version: "3.1.0")
      try file.add("c", [("k", filled([2, 2, 1])), ("b", filled([1]))])
      return try importing(try file.listed()).layer("c")
    }
    guard case .channelsFirst(let first)? = try convolution(#""channels_first""#) else {
      Issue.record("no ChannelsFirst")
      return
    }
    for format in [#""channels_last""#, "null"] { #expect(try convolution(format) == first.layer.spec) }
    expectError(.badData, naming: "data_format", "channels_middle") { try convolution(#""channels_middle""#) }
  }

  /// What the versions do under one name is told apart by the version.
  @Test func theVersionDecidesWhatTheConfigurationDoesNotSay() throws {
    func spec(_ className: String, _ version: String, _ arguments: String = "") throws -> LayerSpec? {
      let json =
        #"{"keras_version": "\#(version)", "class_name": "Sequential", "config": {"name": "s", "layers": ["#
        + #"{"class_name": "\#(className)", "config": {"name": "a", "batch_input_shape": [null, 4, 2]"#
        + #"\#(arguments)}}]}}"#
      return try KerasDescription(json: json).spec.layers.last?.spec
    }
    var normalization = BatchNormalizationSpec(axis: -1, epsilon: 1e-3, momentum: 0.99)
    normalization.correction = .sample
    #expect(try spec("BatchNormalization", "2.2.4") == .batchNormalization(normalization))
    (normalization.correction, normalization.countsValidOnly) = (.none, true)
    for version in ["2.2.4-tf", "2.15.0", "3.1.0"] {
      #expect(try spec("BatchNormalization", version) == .batchNormalization(normalization), "\(version)")
    }
    let modes = try (0..<3).map { try spec("BatchNormalization", "1.2.2", #", "mode": \#($0)"#) }
    (normalization.countsValidOnly, normalization.alwaysUsesBatch) = (false, true)
    #expect(modes[2] == .batchNormalization(normalization))
    normalization.alwaysUsesBatch = false
    #expect(modes[0] == .batchNormalization(normalization))
    var layer = LayerNormalizationSpec(axes: [-1], epsilon: 1e-3)
    layer.form = .doubleEpsilon
    #expect(modes[1] == .layerNormalization(layer))
    expectError(.unsupported, naming: "'a'", "mode=3") { try spec("BatchNormalization", "1.2.2", #", "mode": 3"#) }
    expectError(.unsupported, naming: "'a'", "renorm") {
      try spec("BatchNormalization", "2.15.0", #", "renorm": true"#)
    }
    for (version, epsilon) in [("2.15.0", 1e-12), ("3.1.0", 1e-24)] {
      let unit = UnitNormalizationSpec(axes: [-1], epsilon: epsilon)
      #expect(try spec("UnitNormalization", version) == .unitNormalization(unit))
    }
    #expect(try spec("Identity", "3.1.0") == .identity(IdentitySpec()))
    #expect(try spec("Identity", "2.15.0") == .withoutMask(WithoutMaskSpec()))
    for (version, emitsState) in [
      ("1.2.2", true), ("2.3.1", true), ("2.2.4-tf", false), ("2.15.0", false), ("3.1.0", false),
    ] {
      let options = try spec("LSTM", version, #", "units": 1"#)?.recurrentOptions
      #expect(options?.emitsState == emitsState, "\(version)")
      let unrolled = try spec("LSTM", version, #", "units": 1, "unroll": true"#)?.recurrentOptions
      #expect(unrolled?.emitsState == false, "\(version)")
    }
  }

  /// Every generation's names of the same convolution.
  @Test func namesChangeWithTheGenerations() throws {
    var expected = Conv1DSpec(filters: 2, kernelSize: 3)
    (expected.strides, expected.padding, expected.activation, expected.useBias) = (2, .same, .relu, false)
    for (version, className, arguments) in [
      (
        "1.2.2", "Convolution1D",
        #""nb_filter": 2, "filter_length": 3, "subsample_length": 2, "border_mode": "same", "bias": false"#
      ),
      ("2.2.4", "Conv1D", #""filters": 2, "kernel_size": [3], "strides": [2], "padding": "same", "use_bias": false"#),
      (
        "3.1.0", "Conv1D",
        #""filters": 2, "kernel_size": [3], "strides": 2, "padding": "same", "use_bias": 0, "groups": 1"#
      ),
    ] {
      let json = sequential([
        (className, #"{"name": "c", "activation": "relu", "batch_input_shape": [null, 9, 1], \#(arguments)}"#)
      ])
      var file = try KerasFile(json, version: version)
      try file.add("c", [("k", filled([3, 1, 2]))])
      #expect(try importing(try file.listed()).layer("c") == .conv1D(expected), "\(version)")
    }
  }
}
