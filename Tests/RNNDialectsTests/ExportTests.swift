import Foundation
import RNNCore
import RNNDialects
import Testing

/// What is exported is imported as what it was.
@Suite struct ExportTests {
  /// The file's content, its `model_config` where an HDF5 reader would put it.
  private func exported(_ model: NativeModel, _ content: KerasExport.Content = .wholeModel) throws -> Checkpoint {
    var checkpoint = try KerasExport.checkpoint(of: model, content).checkpoint
    if let json = checkpoint.attribute("model_config", at: "")?.string { checkpoint.architecture = .keras(json: json) }
    return checkpoint
  }

  private func expectSame(_ found: NativeModel, _ model: NativeModel, location: SourceLocation = #_sourceLocation) {
    #expect(found.spec.layers.map(\.name) == model.spec.layers.map(\.name), sourceLocation: location)
    for (found, layer) in zip(found.spec.layers, model.spec.layers) {
      #expect(found.spec == layer.spec, sourceLocation: location)
      #expect(found.isTrainable == layer.isTrainable, sourceLocation: location)
    }
    #expect(found.spec == model.spec, sourceLocation: location)
    #expect(found.parameters == model.parameters, sourceLocation: location)
  }

  @Test func aChainComesBack() throws {
    let model = try ExportModels.model(ExportModels.chain)
    let found = try importing(try exported(model))
    expectSame(found, model)
    #expect(found.provenance.frameworkVersion == "2.2.4")
    #expect(found.provenance.dialect == "keras2")
  }

  @Test func aGraphComesBack() throws {
    let model = try ExportModels.model(ExportModels.graph)
    expectSame(try importing(try exported(model)), model)
  }

  private static let generations = [(KerasGeneration.keras2, "2.2.4"), (.keras3, "3.15.1")]

  @Test(arguments: generations)
  func wrappersAndModelsInsideComeBack(_ generation: KerasGeneration, _ version: String) throws {
    let model = try ExportModels.model(
      ExportModels.composed(generation), dialect: generation.rawValue, version: version)
    let checkpoint = try exported(model)
    #expect(checkpoint.attribute("keras_version", at: "")?.string == version)
    expectSame(try importing(checkpoint), model)
  }

  @Test(arguments: generations)
  func aModelInsideStaysFrozen(_ generation: KerasGeneration, _ version: String) throws {
    let spec = ExportModels.composed(generation, isFrozenInside: true)
    let model = try ExportModels.model(spec, dialect: generation.rawValue, version: version)
    expectSame(try importing(try exported(model)), model)
  }

  /// One group for each layer of the whole model: what gradients move first, layer by layer, then the statistics.
  @Test func aModelInsideIsOneGroup() throws {
    let inner = ModelSpec.sequential(
      name: "inner",
      layers: [
        .init(name: "y", spec: .input(InputSpec(shape: [2]))),
        .init(name: "bn", spec: .batchNormalization(BatchNormalizationSpec(axis: -1, epsilon: 1e-3, momentum: 0.99))),
        .init(name: "d", spec: .dense(DenseSpec(units: 2))),
      ])
    let spec = ModelSpec.sequential(
      name: "m",
      layers: [
        .init(name: "x", spec: .input(InputSpec(shape: [2]))),
        .init(name: "inner", spec: .model(NestedModelSpec(model: inner))),
      ])
    let checkpoint = try exported(try ExportModels.model(spec, dialect: "keras3", version: "3.15.1"))
    #expect(checkpoint.attribute("layer_names", at: "model_weights")?.strings == ["inner"])
    #expect(
      checkpoint.attribute("weight_names", at: "model_weights/inner")?.strings == [
        "inner/bn/gamma:0", "inner/bn/beta:0", "inner/d/kernel:0", "inner/d/bias:0", "inner/bn/moving_mean:0",
        "inner/bn/moving_variance:0",
      ])
  }

  @Test func weightsAloneComeBackIntoTheirModel() throws {
    for spec in [ExportModels.chain, ExportModels.graph, ExportModels.composed(.keras2)] {
      let model = try ExportModels.model(spec)
      let checkpoint = try exported(model, .weightsOnly)
      #expect(checkpoint.attribute("model_config", at: "") == nil)
      #expect(checkpoint.attribute("layer_names", at: "") != nil)
      expectSame(try importing(checkpoint) { $0.architecture = .native(model.spec) }, model)
    }
  }

  @Test func theStoredTypeStays() throws {
    var model = try ExportModels.model(ExportModels.graph)
    for index in model.parameters.indices {
      let shape = model.parameters[index].tensor.shape
      let bytes = Data((0..<2 * shape.reduce(1, *)).map { UInt8(truncatingIfNeeded: $0 * 29) })
      model.parameters[index].tensor = try Tensor(
        dtype: index % 2 == 0 ? .float16 : .bfloat16, shape: shape, bytes: bytes)
    }
    #expect(try importing(try exported(model)).parameters == model.parameters)
  }

  /// The names that a file gave its weights are theirs again.
  @Test func namesAndOrderAreKept() throws {
    var model = try ExportModels.model(ExportModels.graph)
    let names = model.parameters.map { "scope_1/\($0.layer)/cell/\($0.name):0" }
    model.provenance.tensorNames = names
    let checkpoint = try exported(model)
    #expect(checkpoint.attribute("layer_names", at: "model_weights")?.strings == model.spec.layers.map(\.name))
    let listed = model.spec.layers.flatMap {
      checkpoint.attribute("weight_names", at: "model_weights/\($0.name)")?.strings ?? ["missing"]
    }
    #expect(listed == names)
    #expect(checkpoint.entries.map(\.path) == zip(model.parameters, names).map { "model_weights/\($0.layer)/\($1)" })
    #expect(try importing(checkpoint).provenance.tensorNames == names)
  }

  @Test func withoutNamesThoseOfKeras2AreGiven() throws {
    let model = try ExportModels.model(ExportModels.graph)
    let checkpoint = try exported(model)
    #expect(
      checkpoint.attribute("weight_names", at: "model_weights/encoder")?.strings
        == ["encoder/kernel:0", "encoder/recurrent_kernel:0", "encoder/bias:0"])
    #expect(checkpoint.attribute("keras_version", at: "model_weights")?.string == "2.2.4")
    #expect(checkpoint.attribute("backend", at: "")?.string == "tensorflow")
  }

  /// A Sequential hides its input.
  @Test func aChainDoesNotListItsInput() throws {
    let model = try ExportModels.model(ExportModels.chain)
    let names = try exported(model).attribute("layer_names", at: "model_weights")?.strings
    #expect(names == Array(model.spec.layers.map(\.name).dropFirst()))
  }

  /// HDF5 gives an object's header 64 kB; Keras splits a list before it reaches 64,512 bytes.
  @Test func longListsAreSplitAndJoined() throws {
    let long = String(repeating: "n", count: 200)
    let dense = LayerSpec.dense(DenseSpec(units: 1))
    let layers =
      [ModelSpec.Layer(name: "in", spec: .input(InputSpec(shape: [1])))]
      + (0..<700).map { .init(name: "\(long)\($0)", spec: dense) }
    let model = try ExportModels.model(.sequential(name: "long", layers: layers))
    let checkpoint = try exported(model)
    #expect(checkpoint.attribute("layer_names", at: "model_weights") == nil)
    // 700 names of 203 bytes are 142,100 bytes: three parts of 47,370.
    let parts = (0..<4).map { checkpoint.attribute("layer_names\($0)", at: "model_weights")?.strings }
    #expect(parts.map { $0?.count } == [234, 233, 233, nil])
    #expect(parts.flatMap { $0 ?? [] } == layers.dropFirst().map(\.name))
    expectSame(try importing(checkpoint), model)
  }

  @Test func trainingAndOptimizerGoAlong() throws {
    var model = try ExportModels.model(ExportModels.graph)
    model.training = #"{"optimizer_config": {"class_name": "Adam", "config": {"lr": 0.001}}, "loss": "mse"}"#
    model.optimizerSlots = try ["Adam/iterations:0", "Adam/z:0", "Adam/a:0"].enumerated().map {
      .init(path: $0.element, tensor: try counted([2], from: $0.offset))
    }
    let found = try importing(try exported(model))
    #expect(found.training == model.training)
    #expect(found.optimizerSlots == model.optimizerSlots)
    let bare = try exported(model, .weightsOnly)
    #expect(bare.attribute("training_config", at: "") == nil)
    #expect(!bare.entries.contains { $0.path.hasPrefix("optimizer") })
  }

  /// A `.keras` archive names its optimizer differently from an HDF5 file.
  @Test func aCompileConfigBecomesATrainingConfig() throws {
    var model = try ExportModels.model(ExportModels.graph, dialect: "keras3", version: "3.1.0")
    model.training =
      #"{"optimizer": {"module": "keras.optimizers", "class_name": "Adam", "config": {"learning_rate": 0.1}, "#
      + #""registered_name": null}, "loss": "mse"}"#
    let text = try #require(try exported(model).attribute("training_config", at: "")?.string)
    let json = try JSONValue(parsing: text)
    #expect(json["optimizer"] == nil)
    #expect(json["optimizer_config"] == ["class_name": "Adam", "config": ["learning_rate": 0.1]])
    #expect(json["loss"] == "mse")
  }

  /// The version that a file states decides what its names mean.
  @Test func activationsChooseTheGeneration() throws {
    func version(_ activation: Activation, dialect: String, _ stated: String?) throws -> String? {
      let spec = ModelSpec.sequential(
        name: "m",
        layers: [
          .init(name: "in", spec: .input(InputSpec(shape: [2]))),
          .init(name: "a", spec: .activation(ActivationSpec(activation: activation))),
        ])
      let model = try ExportModels.model(spec, dialect: dialect, version: stated)
      let checkpoint = try exported(model)
      expectSame(try importing(checkpoint), model)
      return checkpoint.attribute("keras_version", at: "")?.string
    }
    #expect(try version(.hardSigmoidFifth, dialect: "keras2", "2.15.0") == "2.15.0")
    #expect(try version(.hardSigmoidFifth, dialect: "keras1", "1.2.2") == "2.2.4")
    #expect(try version(.hardSigmoidSixth, dialect: "keras3", "3.1.0") == "3.1.0")
    #expect(try version(.tanh, dialect: "keras3", "3.1.0") == "3.1.0")
    #expect(try version(.celu, dialect: "keras2", "2.15.0")?.hasPrefix("3.") == true)
    #expect(try version(.relu, dialect: "keras1", "1.2.2") == "2.2.4")
  }

  @Test func whatNoGenerationHasIsRefused() throws {
    var dense = DenseSpec(units: 2)
    dense.activation = .celu
    let spec = ModelSpec.sequential(
      name: "m",
      layers: [
        .init(name: "in", spec: .input(InputSpec(shape: [2]))),
        .init(name: "a", spec: .activation(ActivationSpec(activation: .hardSigmoidFifth))),
        .init(name: "b", spec: .dense(dense)),
      ])
    // Keras 2's hard_sigmoid and Keras 3's celu never stood in one version.
    expectError(.unsupported, naming: "celu", "'b'") { try exported(try ExportModels.model(spec)) }
    for layer in [
      LayerSpec.lstmVariant(.vanilla(units: 2)), .reverseSteps(ReverseStepsSpec(reversesMask: true)),
      .unary(UnarySpec(.sin)), .highway(HighwaySpec(activation: .relu, useBias: true)),
    ] {
      let spec = ModelSpec.sequential(
        name: "m",
        layers: [.init(name: "in", spec: .input(InputSpec(shape: [nil, 2]))), .init(name: "b", spec: layer)])
      expectError(.unsupported, naming: "'b'", layer.kind.rawValue) { try exported(try ExportModels.model(spec)) }
    }
  }

  /// Activation layers with parameters have classes of their own; as the activation of another layer they are objects.
  @Test func activationLayersComeBack() throws {
    for (activation, dialect, version) in [
      (Activation.leakyRelu(slope: 0.125), "keras2", "2.2.4"), (.leakyRelu(slope: 0.125), "keras3", "3.15.1"),
      (.scaledElu(alpha: 0.5), "keras2", "2.2.4"), (.thresholdedRelu(theta: 0.25), "keras2", "2.2.4"),
      (.boundedRelu(ceiling: 3, slope: 0.5, threshold: 0.25), "keras3", "3.15.1"),
      (.boundedRelu(ceiling: nil, slope: 0.5, threshold: 0), "keras2", "2.2.4"),
    ] {
      var dense = DenseSpec(units: 2)
      dense.activation = activation
      let spec = ModelSpec.sequential(
        name: "m",
        layers: [
          .init(name: "in", spec: .input(InputSpec(shape: [2]))),
          .init(name: "a", spec: .activation(ActivationSpec(activation: activation))),
          .init(name: "d", spec: .dense(dense)),
        ])
      let model = try ExportModels.model(spec, dialect: dialect, version: version)
      let checkpoint = try exported(model)
      #expect(checkpoint.attribute("keras_version", at: "")?.string == version, "\(activation.name)")
      expectSame(try importing(checkpoint), model)
    }
  }
}
