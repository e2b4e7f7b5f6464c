import RNNCore
import RNNDialects
import Testing

@Suite struct EraTests {
  private func era(_ version: String?, _ json: String? = nil, _ override: KerasGeneration? = nil) throws -> KerasEra {
    KerasEra(version: version, architecture: try json.map { try JSONValue(parsing: $0) }, override: override)
  }

  @Test(arguments: [
    ("1.0.4", KerasGeneration.keras1), ("1.2.2", .keras1), ("2.0.0", .keras2), ("2.2.4", .keras2),
    ("2.2.4-tf", .keras2),
    ("2.4.0", .keras2), ("2.15.0", .keras2), ("3.0.5", .keras3), ("3.15.1", .keras3), ("3.0.0.dev2024", .keras3),
  ])
  func theVersionTellsTheGeneration(version: String, generation: KerasGeneration) throws {
    let era = try era(version)
    #expect(era.generation == generation)
    #expect(era.version == version)
    #expect(era.reason.contains(version))
  }

  @Test func withoutAVersionTheArgumentsTell() throws {
    for (json, generation) in [
      (#"{"class_name": "Dense", "config": {"units": 1}}"#, KerasGeneration.keras2),
      (
        #"{"layers": [{"module": "keras.layers", "class_name": "Dense", "config": {}, "registered_name": null}]}"#,
        .keras3
      ),
      (#"{"config": [{"class_name": "Convolution1D", "config": {"nb_filter": 3}}]}"#, .keras1),
      (#"{"config": [{"class_name": "LSTM", "config": {"output_dim": 3, "inner_activation": "sigmoid"}}]}"#, .keras1),
      (#"{"config": [{"class_name": "MaxPooling1D", "config": {"border_mode": "valid"}}]}"#, .keras1),
      (#"{"config": [{"class_name": "Dense", "config": {"output_dim": 3, "W_regularizer": null}}]}"#, .keras1),
      // An embedding has had `output_dim` at all times.
      (#"{"config": [{"class_name": "Embedding", "config": {"output_dim": 3}}]}"#, .keras2),
    ] {
      #expect(try era(nil, json).generation == generation, "\(json)")
    }
    #expect(try era(nil).generation == .keras2)
  }

  @Test func theVersionWinsOverTheArguments() throws {
    #expect(try era("2.1.0", #"{"registered_name": null}"#).generation == .keras2)
    #expect(try era("3.1.0", #"{"nb_filter": 1}"#).generation == .keras3)
  }

  @Test func theUserWinsOverEverything() throws {
    for generation in KerasGeneration.allCases {
      let era = try era("2.2.4", nil, generation)
      #expect(era.generation == generation)
      #expect(era.version == "2.2.4")
      #expect(era.reason.contains("--dialect \(generation.rawValue)"))
    }
  }

  @Test func aFileStatesItsVersionInThreePlaces() throws {
    var checkpoint = Checkpoint()
    let json = try JSONValue(parsing: #"{"keras_version": "3.1.0"}"#)
    #expect(KerasImport.version(of: checkpoint, architecture: nil) == nil)
    #expect(KerasImport.version(of: checkpoint, architecture: json) == "3.1.0")
    try checkpoint.setAttribute("keras_version", .string("2.2.4"), at: "model_weights")
    #expect(KerasImport.version(of: checkpoint, architecture: json) == "2.2.4")
    try checkpoint.setAttribute("keras_version", .string("2.3.1"), at: "")
    #expect(KerasImport.version(of: checkpoint, architecture: json) == "2.3.1")
  }

  /// layouts.md, "Gate activation by version": hard_sigmoid up to 2.2.5, sigmoid from 2.3.0 and in tf.keras 2.
  @Test(arguments: [
    ("1.2.2", Activation.hardSigmoidFifth), ("2.0.0", .hardSigmoidFifth), ("2.2.4", .hardSigmoidFifth),
    ("2.2.5", .hardSigmoidFifth), ("2.3.0", .sigmoid), ("2.2.4-tf", .sigmoid), ("2.4.0", .sigmoid),
    ("2.15.0", .sigmoid),
    ("3.0.0", .sigmoid),
  ])
  func gatesTakeTheDefaultOfTheirVersion(version: String, gate: Activation) throws {
    let json = sequential([("LSTM", #"{"name": "l", "units": 2, "batch_input_shape": [null, null, 3]}"#)])
    var file = try KerasFile(json, version: version)
    try file.add("l", [("k", filled([3, 8])), ("r", filled([2, 8])), ("b", filled([8]))])
    guard case .lstm(let spec)? = try importing(try file.listed()).layer("l") else {
      Issue.record("no LSTM")
      return
    }
    #expect(spec.recurrentActivation == gate)
  }

  /// The name stayed, the slope changed with version 3.
  @Test(arguments: [
    ("1.2.2", Activation.hardSigmoidFifth), ("2.15.0", .hardSigmoidFifth), ("3.0.5", .hardSigmoidSixth),
  ])
  func hardSigmoidIsThatOfItsGeneration(version: String, activation: Activation) throws {
    let json = sequential([
      ("Activation", #"{"name": "a", "activation": "hard_sigmoid", "batch_input_shape": [null, 3]}"#)
    ])
    var file = try KerasFile(json, version: version)
    try file.add("a")
    let model = try importing(try file.listed())
    #expect(model.layer("a") == .activation(ActivationSpec(activation: activation)))
    #expect(model.provenance.decisions.contains { $0.contains("hard_sigmoid is clip") })
    #expect(model.provenance.frameworkVersion == version)
  }

  /// Silent about reset_after, the bias tells: (2, 3u) or (3u); without a bias, the era.
  @Test func resetAfterFollowsTheBias() throws {
    func resetAfter(_ version: String, _ bias: [Int]?, stated: String = "") throws -> Bool? {
      let json = sequential([
        (
          "GRU",
          #"{"name": "g", "units": 2, "use_bias": \#(bias != nil), "batch_input_shape": [null, null, 3]\#(stated)}"#
        )
      ])
      var file = try KerasFile(json, version: version)
      let biases = try bias.map { [("b", try filled($0))] } ?? []
      try file.add("g", [("k", filled([3, 6])), ("r", filled([2, 6]))] + biases)
      guard case .gru(let spec)? = try importing(try file.listed()).layer("g") else { return nil }
      return spec.resetAfter
    }
    for version in ["2.2.4", "2.4.0", "3.0.5"] {
      #expect(try resetAfter(version, [2, 6]) == true)
      #expect(try resetAfter(version, [6]) == false)
      #expect(try resetAfter(version, nil, stated: #", "reset_after": true"#) == true)
    }
    #expect(try resetAfter("2.2.4", nil) == false)
    #expect(try resetAfter("3.0.5", nil) == true)
    expectError(.badData, naming: "bias of 'g'", "[6]", "[2, 6]") {
      try resetAfter("3.0.5", [6], stated: #", "reset_after": true"#)
    }
  }
}
