import Foundation
import RNNCore
import RNNTestSupport
import Testing

@testable import RNNTraining

/// The loop around the steps: what it watches, what it remembers, and where it can be taken up again.
struct FitTests {
  private let x: [Float]
  private let y: [Float]

  init() {
    var generator = SeededGenerator(seed: 12)
    x = generator.floats(40 * 6 * 3)
    y = generator.floats(40)
  }

  private func source(_ rows: Range<Int>) throws -> ArraySource {
    ArraySource(
      x: try Tensor(Array(x[rows.lowerBound * 18..<rows.upperBound * 18]), shape: [rows.count, 6, 3]),
      y: try Tensor(Array(y[rows]), shape: [rows.count, 1]))
  }

  private func model(isStateful: Bool = false, activation: Activation = .tanh) throws -> NativeModel {
    var lstm = LSTMSpec(units: 4)
    lstm.options.stateful = isStateful
    let layers: [ModelSpec.Layer] = [
      .init(name: "x", spec: .input(InputSpec(shape: [6, 3]))),
      .init(name: "noise", spec: .dropout(NoiseSpec(rate: 0.2))),
      .init(name: "lstm", spec: .lstm(lstm)), .init(name: "dense", spec: .dense(DenseSpec(units: 1))),
    ]
    let spec = ModelSpec.sequential(name: "m", layers: layers)
    return NativeModel(
      spec: spec, parameters: try ParameterInitialization.parameters(for: spec, seed: 1),
      provenance: Provenance(source: "", container: "", framework: "Keras", dialect: "keras3"))
  }

  private func trainer(
    _ model: NativeModel, _ optimizer: Optimizer = .adam, metrics: [JSONValue] = [], seed: UInt64 = 3
  ) throws -> Trainer {
    let configuration = TrainingConfiguration(
      optimizer: optimizer, losses: [Loss(.meanSquaredError)], metrics: metrics)
    return try Trainer(model, configuration, seed: seed)
  }

  @Test func stopsEarlyAndKeepsTheHistory() throws {
    // A rate of 0 improves nothing.
    var optimizer = Optimizer(.sgd(momentum: 0, nesterov: false), learningRate: .constant(0))
    optimizer.learningRate = .constant(1e-30)
    var options = FitOptions()
    (options.epochs, options.batchSize, options.earlyStopping) = (10, 10, EarlyStopping(patience: 3))
    let result = try Fit(try trainer(try model(), optimizer), options).run(
      try source(0..<30), validation: try source(30..<40))
    #expect(result.end == .stoppedEarly)
    // The first epoch is the best; three are no better.
    #expect(result.history.count == 4)
  }

  @Test func lowersTheRateAndSaysSo() throws {
    var options = FitOptions()
    (options.epochs, options.batchSize) = (6, 10)
    options.plateau = ReduceOnPlateau(patience: 2, factor: 0.5)
    let optimizer = Optimizer(.sgd(momentum: 0, nesterov: false), learningRate: .constant(1e-30))
    let history = try Fit(try trainer(try model(), optimizer), options).run(
      try source(0..<30), validation: try source(30..<40)
    ).history
    // The rate that an epoch was trained with: lowered after epochs 3 and 5.
    #expect(history.compactMap { $0["learning_rate"] } == [1, 1, 1, 0.5, 0.5, 0.25].map { $0 * 1e-30 })
  }

  @Test func watchesTheNamedValue() throws {
    var options = FitOptions()
    (options.epochs, options.batchSize, options.monitor) = (12, 10, "val_mae")
    var events = Fit.Events()
    var improved: [Double] = []
    events.improved = { _, line in improved.append(line["val_mae"] ?? .nan) }
    let fast = Optimizer(.sgd(momentum: 0, nesterov: false), learningRate: .constant(0.3))
    let history = try Fit(try trainer(try model(), fast, metrics: ["mae"]), options, events: events).run(
      try source(0..<30), validation: try source(30..<40)
    ).history
    var best = Double.infinity
    let expected = history.compactMap { $0["val_mae"] }.filter { value in
      defer { best = min(best, value) }
      return value < best
    }
    #expect(improved == expected)
    #expect((1..<12).contains(improved.count))
    options.monitor = "accuracy"
    #expect(throws: RNNError.self) { try Fit(try trainer(try model()), options).run(try source(0..<30)) }
    options.monitor = "val_loss"
    #expect(throws: RNNError.self) { try Fit(try trainer(try model()), options).run(try source(0..<30)) }
  }

  @Test func schedulesAreNotLowered() throws {
    var options = FitOptions()
    options.plateau = ReduceOnPlateau(patience: 1)
    var optimizer = Optimizer.adam
    optimizer.learningRate = .exponential(initial: 0.1, steps: 1, rate: 0.5, staircase: false)
    let trainer = try trainer(try model(), optimizer)
    #expect(throws: RNNError.self) { try Fit(trainer, options).run(try source(0..<30)) }
  }

  /// Interrupted after each of the steps, written, read and gone on with: weights, optimizer, history and the lowered
  /// rate are those of the uninterrupted training, for stateful models, too.
  @Test(arguments: [false, true], [1, 2, 3, 4, 6, 7])
  func goesOnToTheSameBits(_ isStateful: Bool, _ step: Int) throws {
    var options = FitOptions()
    (options.epochs, options.batchSize) = (3, 10)
    options.plateau = ReduceOnPlateau(patience: 1, factor: 0.5, minDelta: 1)
    options.earlyStopping = EarlyStopping(patience: 2, minDelta: 1)
    let nadam = Optimizer(
      .nadam(beta1: 0.9, beta2: 0.999, epsilon: 1e-7, decay: 1), learningRate: .constant(0.01))
    let native = try model(isStateful: isStateful)
    let (training, validation) = (try source(0..<30), try source(30..<40))
    func fresh() throws -> Trainer { try trainer(native, nadam, metrics: ["mae"]) }
    let whole = try fresh()
    let expected = try Fit(whole, options).run(training, validation: validation)
    var events = Fit.Events()
    var steps = 0
    events.shouldStop = {
      steps += 1
      return steps == step
    }
    var saved: NativeModel?
    events.checkpoint = { saved = try $0.checkpoint(at: $1) }
    let first = try Fit(try fresh(), options, events: events).run(training, validation: validation)
    #expect(first.end == .interrupted)
    let reread = try NativeModel(try Safetensors(parsing: try #require(saved).safetensors().serialized()))
    let checkpoint = try #require(try TrainingCheckpoint(of: reread))
    #expect(reread.recurrentStates.isEmpty == !isStateful)
    let second = try Trainer(
      reread, try TrainingConfiguration(for: reread), seed: checkpoint.position.seed, resuming: checkpoint)
    let result = try Fit(second, options).run(training, validation: validation, from: checkpoint.position)
    #expect(result.end == expected.end)
    #expect(result.history == expected.history)
    let (resumed, once) = (try second.trainedModel(), try whole.trainedModel())
    #expect(resumed.parameters == once.parameters)
    #expect(resumed.optimizerSlots == once.optimizerSlots)
    #expect(resumed.training == once.training)
    #expect(try TrainingCheckpoint(of: resumed) == nil)
  }

  @Test func refusesAnotherFit() throws {
    var options = FitOptions()
    (options.epochs, options.batchSize, options.checkpointEvery) = (1, 10, 1)
    var events = Fit.Events()
    var saved: FitPosition?
    events.checkpoint = { saved = $1 }
    _ = try Fit(try trainer(try model()), options, events: events).run(try source(0..<30))
    let position = try #require(saved)
    func resume(_ rows: Range<Int>, seed: UInt64 = 3, _ change: (inout FitOptions) -> Void = { _ in }) throws {
      var other = options
      change(&other)
      _ = try Fit(try trainer(try model(), seed: seed), other).run(try source(rows), from: position)
    }
    try resume(0..<30)
    #expect(throws: RNNError.self) { try resume(0..<29) }
    #expect(throws: RNNError.self) { try resume(0..<30, seed: 4) }
    #expect(throws: RNNError.self) { try resume(0..<30) { $0.batchSize = 5 } }
    #expect(throws: RNNError.self) { try resume(0..<30) { $0.isShuffled = false } }
  }

  // MARK: - Numbers that go bad

  private func message(_ body: () throws -> Void) -> String {
    do { try body() } catch { return "\(error)" }
    return ""
  }

  @Test func namesWhatWentBadFirst() throws {
    let batch = try source(0..<10).batch(rows: Array(0..<10))
    var native = try model()
    // An activation: the dense kernel's product overflows, everything before it is in order.
    let dense = try #require(native.parameters.firstIndex { $0.layer == "dense" && $0.name == "kernel" })
    native.parameters[dense].tensor = try Tensor([Float](repeating: 3e38, count: 4), shape: [4, 1])
    native.parameters[dense + 1].tensor = try Tensor([Float](repeating: 3e38, count: 1), shape: [1])
    let first = try trainer(native)
    #expect(message { _ = try first.trainStep(batch) }.contains("the output of layer 'dense' (Dense) went bad first"))
    // A gradient: the loss is finite, what goes back through the huge kernel is not.
    native = try model()
    native.parameters[dense].tensor = try Tensor([Float](repeating: 1e30, count: 4), shape: [4, 1])
    let second = try trainer(native, Optimizer(.sgd(momentum: 0, nesterov: false), learningRate: .constant(0.1)))
    let text = message { _ = try second.trainStep(batch) }
    #expect(text.contains("went bad first") && text.contains("gradient"), "\(text)")
    #expect(text.contains("step 1"))
    // The model is as it was.
    #expect(try second.trainedModel().parameters == native.parameters)
    // A parameter.
    native.parameters[dense].tensor = try Tensor([Float](repeating: .nan, count: 4), shape: [4, 1])
    #expect(message { _ = try trainer(native).trainStep(batch) }.contains("the parameter 'dense/kernel'"))
    // The data.
    var bad = batch
    bad.inputs[0] = try Tensor([Float](repeating: .nan, count: 180), shape: [10, 6, 3])
    #expect(message { _ = try trainer(try model()).trainStep(bad) }.contains("in the input 'x'"))
    // The last step: nothing looks at what it leaves but whoever wants the model.
    bad = batch
    bad.targets[0] = try Tensor([Float](repeating: 100, count: 10), shape: [10, 1])
    let last = try trainer(try model(), Optimizer(.sgd(momentum: 0, nesterov: false), learningRate: .constant(3e38)))
    _ = try last.trainStep(bad)
    #expect(message { _ = try last.trainedModel() }.contains("hold NaN or infinity after step 1"))
    // The loss.
    bad = batch
    bad.targets[0] = try Tensor([Float](repeating: .infinity, count: 10), shape: [10, 1])
    #expect(message { _ = try trainer(try model()).trainStep(bad) }.contains("the loss itself"))
  }
}
