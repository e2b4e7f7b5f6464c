import Foundation
import RNNCore
import RNNTestSupport
import Testing

@testable import RNNTraining

/// What a trained model says of its training is read back as the very same training.
struct ConfigurationTests {
  private func readBack(_ configuration: TrainingConfiguration, _ model: NativeModel) throws -> TrainingConfiguration {
    var written = model
    written.training = configuration.kerasConfig(for: model).text()
    return try TrainingConfiguration(for: written)
  }

  /// For the models of every Keras, as they are and with everything changed that options or a plateau can change.
  @Test(arguments: TrajectoryTests.cases)
  func isReadBackAsItWas(_ fixture: TrainingCase) throws {
    let model = try fixture.model()
    let given = try TrainingConfiguration(for: model)
    let changes: [(inout TrainingConfiguration) -> Void] = [
      { _ in }, { $0.optimizer.learningRate = .constant(0.0123) }, { $0.optimizer.clipNorm = 1.5 },
      { ($0.optimizer.clipNorm, $0.optimizer.globalClipNorm) = (nil, 0.5) }, { $0.optimizer.clipValue = 0.25 },
      { $0.optimizer.learningRate = .exponential(initial: 0.1, steps: 3, rate: 0.5, staircase: true) },
      { $0.optimizer = .adam }, { $0.metrics = [["mae"]] },
      { $0.optimizer = (try? Optimizer(keras: "nadam", dialect: "keras3", version: nil)) ?? .adam },
      { $0.optimizer = (try? Optimizer(keras: "rmsprop", dialect: "keras2", version: "2.2.4")) ?? .adam },
      { $0.losses[0] = Loss(.huber) },
      {
        $0.losses[0] = Loss(.binaryCrossentropy)
        ($0.losses[0].labelSmoothing, $0.losses[0].fromLogits) = (0.1, true)
      },
    ]
    for (number, change) in changes.enumerated() {
      var changed = given
      change(&changed)
      #expect(try readBack(changed, model) == changed, "change \(number)")
    }
  }

  private func twoOutputs(_ training: String?) -> NativeModel {
    let layers: [ModelSpec.Layer] = [
      .init(name: "x", spec: .input(InputSpec(shape: [3]))), .init(name: "a", spec: .dense(DenseSpec(units: 1))),
      .init(name: "b", spec: .dense(DenseSpec(units: 1))),
    ]
    let spec = ModelSpec(
      name: "m", isSequential: false, layers: layers,
      calls: [
        .init(layer: 0, inputs: []), .init(layer: 1, inputs: [.init(call: 0)]),
        .init(layer: 2, inputs: [.init(call: 0)]),
      ], inputs: [0], outputs: [.init(call: 1), .init(call: 2)])
    var model = NativeModel(
      spec: spec, parameters: [], provenance: Provenance(source: "", container: "", framework: "", dialect: "keras3"))
    model.training = training
    return model
  }

  /// In every form that Keras writes.
  @Test func metricsGoToTheirOutputs() throws {
    for (json, expected) in [
      (#"["mae", "mse"]"#, [["mae"], ["mse"]]), (#"["mae"]"#, [["mae"], ["mae"]]),
      (#"[["mae"], ["mse"]]"#, [["mae"], ["mse"]]),
      (#"[null, ["mse", "mse"]]"#, [[], ["mse", "mse"]]), (#"{"b": ["mse"], "a": "mae"}"#, [["mae"], ["mse"]]),
      (#"{"b": ["mse"]}"#, [[], ["mse"]]), ("null", [[], []]), (#"["mae", "mae"]"#, [["mae"], ["mae"]]),
    ] as [(String, [[JSONValue]])] {
      let model = twoOutputs(#"{"loss": "mse", "metrics": \#(json)}"#)
      let configuration = try TrainingConfiguration(for: model)
      #expect(configuration.metrics == expected)
      #expect(try readBack(configuration, model) == configuration)
    }
  }

  /// Without any of these, Keras does not open a file.
  @Test func hasWhatKerasAsksFor() throws {
    let model = twoOutputs(nil)
    let json = try TrainingConfiguration(for: model).kerasConfig(for: model)
    for key in ["loss", "metrics", "weighted_metrics", "loss_weights", "optimizer_config"] {
      #expect(json[key] != nil, "\(key)")
    }
  }

  @Test func accuracyIsForClasses() throws {
    #expect(try TrainingConfiguration(for: twoOutputs(nil)).metrics == [[], []])
    let classes = TrainingConfiguration.metrics(fitting: [Loss(.binaryCrossentropy), Loss(.categoricalCrossentropy)])
    #expect(classes == ["accuracy"])
    #expect(TrainingConfiguration.metrics(fitting: [Loss(.binaryCrossentropy), Loss(.huber)]).isEmpty)
  }

  /// Rows of the output's width are one-hot where nothing names a loss.
  @Test func lossesFitTheTargets() throws {
    func kind(_ target: [Int], width: Int, steps: Int? = nil) throws -> Loss.Kind {
      var dense = DenseSpec(units: width)
      dense.activation = .softmax
      let input: Shape = steps.map { [$0, 3] } ?? [3]
      let spec = ModelSpec.sequential(
        name: "m",
        layers: [.init(name: "x", spec: .input(InputSpec(shape: input))), .init(name: "d", spec: .dense(dense))])
      var configuration = TrainingConfiguration(optimizer: .adam, losses: [Loss.fitting(.softmax)])
      try configuration.fitLosses(to: [target], of: spec)
      return configuration.losses[0].kind
    }
    #expect(try kind([], width: 4) == .sparseCategoricalCrossentropy)
    #expect(try kind([1], width: 4) == .sparseCategoricalCrossentropy)
    #expect(try kind([4], width: 4) == .categoricalCrossentropy)
    #expect(try kind([5], width: 4, steps: 5) == .sparseCategoricalCrossentropy)
    #expect(try kind([4], width: 4, steps: 4) == .sparseCategoricalCrossentropy)
    #expect(try kind([5, 4], width: 4, steps: 5) == .categoricalCrossentropy)
  }

  /// Keras 3's 1 - 0.999 is rounded once; that of older ones is taken of a float32 number.
  @Test func factorsOfEachEra() throws {
    let new = try Optimizer(keras: "adam", dialect: "keras3", version: nil)
    let old = try Optimizer(keras: "adam", dialect: "keras2", version: "2.2.4")
    #expect(new.rest(0.999) == 0.001)
    #expect(old.rest(0.999) == 1 - Float(0.999) && old.rest(0.999) != 0.001)
  }
}
