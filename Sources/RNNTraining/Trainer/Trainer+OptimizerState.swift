import RNNCore
import RNNRuntime

/// The optimizer's state, into and out of a model's slots.
extension Trainer {
  /// More steps than anybody takes, and few enough to count on.
  private static let mostIterations = 1 << 48

  private var trainable: [TrainingParameter] { parameters.joined().filter(\.isTrainable) }

  /// Takes the state that the model's file carried, if it belongs to this optimizer: an `iteration`, perhaps a learning
  /// rate, and for each slot a tensor of each parameter's shape, either parameter by parameter (Keras 3, TensorFlow since
  /// 2.11) or slot by slot (before).
  func restoreOptimizer() throws {
    let slots = native.optimizerSlots
    guard !slots.isEmpty else { return }
    let names = configuration.optimizer.slotNames
    let parameters = trainable
    if let counter = slots.first(where: { $0.tensor.shape.isEmpty && !$0.tensor.dtype.isFloatingPoint }) {
      iteration = counter.tensor.integer(at: 0) ?? 0
      guard (0...Trainer.mostIterations).contains(iteration) else {
        throw RNNError.badData("the optimizer has done \(iteration) steps, which no training has", at: counter.path)
      }
    }
    restoreMomentumProduct(slots)
    let tensors = slots.filter { !$0.tensor.shape.isEmpty }.map(\.tensor)
    // Keras saves an optimizer that has done no step without tensors.
    guard !names.isEmpty, !tensors.isEmpty else { return }
    let pairs = min(names.count, 2)
    let orders: [[(parameter: Int, slot: Int)]] = [
      // Keras 3 makes the moments of each parameter, and the largest ones of amsgrad behind them.
      parameters.indices.flatMap { parameter in (0..<pairs).map { (parameter, $0) } }
        + (pairs..<names.count).flatMap { slot in parameters.indices.map { ($0, slot) } },
      parameters.indices.flatMap { parameter in names.indices.map { (parameter, $0) } },
      names.indices.flatMap { slot in parameters.indices.map { ($0, slot) } },
    ]
    // Keras 3 comes first where both fit, unless the file is older.
    let isOld = slotsStandTogether(slots)
    for order in isOld ? orders.reversed() : orders
    where order.count <= tensors.count && zip(order, tensors).allSatisfy({ parameters[$0.parameter].shape == $1.shape })
    {
      for (place, tensor) in zip(order, tensors) {
        parameters[place.parameter].load(tensor, into: parameters[place.parameter].slots[place.slot])
      }
      return
    }
    throw RNNError.badData(
      "the optimizer's state does not fit the model's parameters",
      remedy: "Name an optimizer with --optimizer to start it afresh.")
  }

  /// Keras 2.2 names its slots `.../Variable_n:0`, TensorFlow's legacy optimizers `.../m:0`.
  private func slotsStandTogether(_ slots: [NativeModel.OptimizerSlot]) -> Bool {
    guard native.provenance.dialect != "keras3" else { return false }
    return slots.contains {
      $0.path.contains("Variable") || $0.path.hasSuffix("/m:0") || $0.path.hasSuffix("/momentum:0")
    }
  }

  private func restoreMomentumProduct(_ slots: [NativeModel.OptimizerSlot]) {
    guard case .nadam(let beta1, _, _, let decay) = configuration.optimizer.rule else { return }
    momentumProduct = 1
    var time = 1
    // The product vanishes after some thousand steps.
    while time <= iteration, momentumProduct > 0 {
      momentumProduct *= configuration.optimizer.nadamMomentum(time, beta1: beta1, decay: decay)
      time += 1
    }
  }

  /// The model with the trained weights, the optimizer's state as Keras 3 names it, and the configuration.
  /// - Throws: `badData` where the last step left a weight that is no finite number.
  public func trainedModel() throws -> NativeModel {
    settle()
    if let bad = trainable.first(where: { !TrainingKernels.areFinite($0.values, count: $0.count) }) {
      throw RNNError.badData(
        "the weights '\(plain.layers[bad.layer].name)/\(bad.name)' hold NaN or infinity after step \(iteration)",
        remedy: "Try a smaller --learning-rate, or clip gradients with --clipnorm 1.")
    }
    var model = native
    let byName = Dictionary(
      uniqueKeysWithValues: try parameters.joined().map { parameter in
        (
          NativeModel.path(layer: plain.layers[parameter.layer].name, parameter: parameter.name),
          try parameter.tensor(parameter.values)
        )
      })
    for index in model.parameters.indices {
      let parameter = model.parameters[index]
      let name = NativeModel.path(layer: parameter.layer, parameter: parameter.name)
      if let tensor = byName[name] { model.parameters[index].tensor = tensor }
    }
    let prefix = configuration.optimizer.className.lowercased()
    model.optimizerSlots = [
      .init(path: "\(prefix)/iteration", tensor: try Tensor([Int64(iteration)], shape: [])),
      .init(
        path: "\(prefix)/learning_rate",
        tensor: try Tensor([Float(configuration.optimizer.learningRate.value(at: iteration))], shape: [])),
    ]
    for parameter in trainable {
      let layer = plain.layers[parameter.layer].name
      for (name, memory) in zip(configuration.optimizer.slotNames, parameter.slots) {
        model.optimizerSlots.append(
          .init(path: "\(prefix)/\(layer)_\(parameter.name)_\(name)", tensor: try parameter.tensor(memory)))
      }
    }
    model.training = configuration.kerasConfig(for: native).text()
    model.recurrentStates = []
    return model
  }
}
