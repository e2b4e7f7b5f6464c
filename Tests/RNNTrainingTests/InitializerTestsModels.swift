import Foundation
import RNNCore
import RNNTestSupport
import Testing

@testable import RNNTraining

/// Names and configurations of initializers, as files hold them.
struct InitializerNameTests {
  @Test func everyName() throws {
    let uniform = VarianceScaling.Distribution.uniform
    func scaling(_ scale: Double, _ mode: VarianceScaling.Mode, _ distribution: VarianceScaling.Distribution)
      -> Initializer
    { .varianceScaling(VarianceScaling(scale: scale, mode: mode, distribution: distribution)) }
    let table: [(Initializer, [String])] = [
      (.zeros, ["zeros", "zero", "Zeros", "ZerosV2"]),
      (.ones, ["ones", "one", "Ones", "OnesV2"]),
      (.zeros, ["constant", "Constant", "ConstantV2"]),
      (
        .uniform(minimum: -0.05, maximum: 0.05),
        ["uniform", "random_uniform", "RandomUniform", "RandomUniformV2"]
      ),
      (.normal(mean: 0, deviation: 0.05), ["normal", "random_normal", "RandomNormal", "RandomNormalV2"]),
      (.truncatedNormal(mean: 0, deviation: 0.05), ["truncated_normal", "TruncatedNormal", "TruncatedNormalV2"]),
      (scaling(1, .inputs, .truncatedNormal), ["variance_scaling", "VarianceScaling", "VarianceScalingV2"]),
      (scaling(1, .average, uniform), ["glorot_uniform", "GlorotUniform", "GlorotUniformV2", "glorot_uniformV2"]),
      (scaling(1, .average, .truncatedNormal), ["glorot_normal", "GlorotNormal", "glorot_normalV2"]),
      (scaling(2, .inputs, uniform), ["he_uniform", "HeUniform", "he_uniformV2"]),
      (scaling(2, .inputs, .truncatedNormal), ["he_normal", "HeNormal", "he_normalV2"]),
      (scaling(1, .inputs, uniform), ["lecun_uniform", "LecunUniform", "lecun_uniformV2"]),
      (scaling(1, .inputs, .truncatedNormal), ["lecun_normal", "LecunNormal", "LecunNormalV2"]),
      (.orthogonal(gain: 1), ["orthogonal", "Orthogonal", "OrthogonalInitializer", "OrthogonalV2"]),
      (.identity(gain: 1), ["identity", "Identity", "IdentityInitializer", "IdentityV2"]),
    ]
    for (initializer, names) in table {
      for name in names {
        #expect(try Initializer(keras: .string(name)) == initializer, "\(name)")
        let object: JSONValue = ["class_name": .string(name), "config": ["seed": 7, "dtype": "float32"]]
        #expect(try Initializer(keras: object) == initializer, "\(name)")
      }
    }
    #expect(Set(table.compactMap { InitializerKind($0.1[0]) }).count == InitializerKind.allCases.count)
    #expect(try Initializer(keras: nil) == .glorotUniform)
  }

  @Test func keras1HasItsOwn() throws {
    #expect(try Initializer(keras: "orthogonal", rules: .keras1) == .orthogonal(gain: 1.1, rules: .keras1))
    guard case .varianceScaling(let scaling) = try Initializer(keras: "he_normal", rules: .keras1) else {
      Issue.record("he_normal does not scale")
      return
    }
    #expect(scaling.distribution == .untruncatedNormal && scaling.scale == 2)
  }

  @Test func argumentsAreRead() throws {
    let cases: [(String, Initializer)] = [
      ("{\"class_name\": \"Constant\", \"config\": {\"value\": 0.25}}", .constant(0.25)),
      ("{\"class_name\": \"Orthogonal\", \"config\": {\"gain\": 2, \"seed\": null}}", .orthogonal(gain: 2)),
      ("{\"class_name\": \"Identity\", \"config\": {\"gain\": 3.0}}", .identity(gain: 3)),
      (
        "{\"class_name\": \"RandomUniform\", \"config\": {\"minval\": -1, \"maxval\": 2}}",
        .uniform(minimum: -1, maximum: 2)
      ),
      ("{\"class_name\": \"function\", \"config\": \"ones\"}", .ones),
    ]
    for (text, initializer) in cases {
      #expect(try Initializer(keras: try JSONValue(parsing: text)) == initializer, "\(text)")
    }
  }

  @Test(arguments: [
    ("\"weight_variable\"", "weight_variable"), ("{\"class_name\": \"STFT\", \"config\": {}}", "STFT"),
    ("{\"class_name\": \"Zeros\", \"config\": {\"mine\": 1}}", "mine"), ("7", "a number"),
    ("{\"class_name\": \"Constant\", \"config\": {\"value\": [1, 2]}}", "value"),
    ("{\"class_name\": \"VarianceScaling\", \"config\": {\"mode\": \"fan\"}}", "fan"),
    ("{\"class_name\": \"VarianceScaling\", \"config\": {\"distribution\": \"cauchy\"}}", "cauchy"),
    ("{\"class_name\": \"VarianceScaling\", \"config\": {\"scale\": 0}}", "scale"),
  ])
  func othersAreRefused(_ text: String, _ named: String) throws {
    let json = try JSONValue(parsing: text)
    let error = #expect(throws: RNNError.self) { try Initializer(keras: json) }
    #expect(error?.what.contains(named) == true)
  }
}

/// Whole models' first parameters.
struct ParameterInitializationTests {
  @Test(arguments: ["keras-1.2.2", "keras-2.2.4", "tf-keras-2.19", "keras-3.15"])
  func publishedModels(_ origin: String) throws {
    let folder = Fixtures.folder.appendingPathComponent("\(origin)/published--h5")
    let model = try TrainingCase(folder: folder).model()
    let parameters = try ParameterInitialization.parameters(for: model.spec, seed: 1)
    try NativeModel(spec: model.spec, parameters: parameters, provenance: model.provenance).validate()
    #expect(try ParameterInitialization.parameters(for: model.spec, seed: 1) == parameters)
    #expect(try ParameterInitialization.parameters(for: model.spec, seed: 2) != parameters)
    let isOld = origin == "keras-1.2.2"
    for layer in model.spec.layers {
      let own = Dictionary(
        uniqueKeysWithValues: parameters.filter { $0.layer == layer.name }.map { ($0.name, $0.tensor) })
      if case .lstm(let lstm) = layer.spec {
        let bias = try #require(own["bias"]).floats()
        #expect(bias == (0..<4 * lstm.units).map { $0 / lstm.units == 1 ? 1 : 0 })
        try expectRecurrent(try #require(own["recurrent_kernel"]), units: lstm.units, isOld: isOld)
        let kernel = try #require(own["kernel"])
        // Keras 1 scales each gate's matrix for itself.
        let outputs = isOld ? lstm.units : 4 * lstm.units
        try expectWithin(kernel, (6 / Double(kernel.shape[0] + outputs)).squareRoot())
      } else if case .embedding = layer.spec {
        try expectWithin(try #require(own["embeddings"]), 0.05)
      } else if case .conv1D(let convolution) = layer.spec {
        let kernel = try #require(own["kernel"])
        let (inputs, outputs) = (kernel.shape[1], convolution.filters)
        let window = convolution.kernelSize
        let fans = isOld ? inputs * outputs * (1 + window) : window * (inputs + outputs)
        try expectWithin(kernel, (6 / Double(fans)).squareRoot())
        #expect(try #require(own["bias"]).floats().allSatisfy { $0 == 0 })
      }
    }
  }

  @Test func biasesOfLSTMs() throws {
    let quarter = #"{"class_name": "Constant", "config": {"value": 0.25}}"#
    let cases: [(String?, [Float])] = [
      (nil, [0, 1, 0, 0]), (#"{"unit_forget_bias": true}"#, [0, 1, 0, 0]),
      (#"{"unit_forget_bias": false}"#, [0, 0, 0, 0]),
      (#"{"bias_initializer": \#(quarter)}"#, [0.25, 1, 0.25, 0.25]),
      (#"{"bias_initializer": \#(quarter), "unit_forget_bias": false}"#, [0.25, 0.25, 0.25, 0.25]),
      (#"{"init": "uniform", "inner_init": "identity", "forget_bias_init": "zero"}"#, [0, 0, 0, 0]),
      (#"{"init": "uniform", "inner_init": "identity"}"#, [0, 1, 0, 0]),
    ]
    for (carried, expected) in cases {
      let parameters = try ParameterInitialization.parameters(for: model(carried), seed: 1)
      #expect(parameters.map(\.name) == ["kernel", "recurrent_kernel", "bias"])
      #expect(parameters[2].tensor.floats() == expected.flatMap { [$0, $0] }, "\(carried ?? "nothing")")
    }
  }

  @Test func gatesOfKeras1AreDrawnOneByOne() throws {
    let carried = #"{"init": "uniform", "inner_init": "identity"}"#
    let parameters = try ParameterInitialization.parameters(for: model(carried), seed: 1)
    #expect(parameters[1].tensor.floats() == [1, 0, 1, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1, 0, 1])
    #expect(Set(parameters[0].tensor.floats()).count == 24)
  }

  @Test func rulesCanBeGiven() throws {
    let carried = #"{"recurrent_initializer": "identity"}"#
    let tiled = try ParameterInitialization.parameters(for: model(carried), seed: 1, rules: .keras2)
    #expect(tiled[1].tensor.floats() == [1, 0, 1, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1, 0, 1])
    let single = try ParameterInitialization.parameters(for: model(carried), seed: 1)
    #expect(single[1].tensor.floats() == [1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0])
    #expect(KerasRules(dialect: "keras1", version: "1.2.2") == .keras1)
    #expect(KerasRules(dialect: "keras2", version: "2.3.1") == .keras2)
    #expect(KerasRules(dialect: "keras2", version: nil) == .keras2)
    for version in ["2.2.4-tf", "2.4.0", "2.15.0"] {
      #expect(KerasRules(dialect: "keras2", version: version) == .later)
    }
    #expect(KerasRules(dialect: "keras3", version: nil) == .later)
  }

  @Test func unknownOnesAreNamedWithTheirPlace() throws {
    let error = #expect(throws: RNNError.self) {
      try ParameterInitialization.parameters(for: model(#"{"kernel_initializer": "weight_variable"}"#), seed: 1)
    }
    #expect(error?.reason == .unsupported)
    #expect(error?.place == ["layer 'lstm'", "kernel", "kernel_initializer"])
    #expect(error?.what.contains("weight_variable") == true)
  }

  /// An LSTM of two units over three channels.
  private func model(_ carried: String?) -> ModelSpec {
    ModelSpec.sequential(
      name: "model",
      layers: [
        ModelSpec.Layer(name: "input", spec: .input(InputSpec(shape: [nil, 3]))),
        ModelSpec.Layer(name: "lstm", spec: .lstm(LSTMSpec(units: 2)), carried: carried),
      ])
  }

  /// Bounded by `limit`, and near to it somewhere: of n even numbers the largest misses it by 10 limit / n or more
  /// once in e^10.
  private func expectWithin(_ tensor: Tensor, _ limit: Double) throws {
    let largest = Double(try #require(tensor.floats().map(abs).max()))
    #expect(largest <= limit + 1e-7 && largest >= limit * (1 - 10 / Double(tensor.count)), "\(largest) of \(limit)")
  }

  private func expectRecurrent(_ tensor: Tensor, units: Int, isOld: Bool) throws {
    let values = tensor.floats().map(Double.init)
    guard isOld else {
      #expect(Orthonormality.error(values, columns: 4 * units) < 1e-5)
      return
    }
    for gate in 0..<4 {
      let own = (0..<units).flatMap { row in (0..<units).map { values[row * 4 * units + gate * units + $0] / 1.1 } }
      #expect(Orthonormality.error(own, columns: units) < 1e-5)
    }
  }
}
