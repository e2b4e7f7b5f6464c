import RNNCore

/// Where an interrupted training stands: what the model that it left in a `.rnn` carries beside its weights, its
/// optimizer's slots and its recurrent states.
public struct TrainingCheckpoint: Sendable, Equatable {
  /// The member of the model's `training` that holds it.
  static let key = NativeModel.interruptionKey

  public var position: FitPosition
  /// The `training` that training was started with: a plateau may have lowered the learning rate since.
  var compiled: JSONValue
  /// Nadam's.
  var momentumProduct: Double

  /// `nil` where the model carries none: it was imported, or its training is finished.
  /// - Throws: `badData` for a damaged one.
  public init?(of model: NativeModel) throws {
    guard let text = model.training, text.contains(TrainingCheckpoint.key),
      let json = try JSONValue(parsing: text)[TrainingCheckpoint.key]
    else { return nil }
    guard let position = json["position"].flatMap({ FitPosition($0) }), let compiled = json["compiled"],
      compiled.object != nil,
      let momentumProduct = json["momentum_product"]?.double
    else { throw RNNError.badData("the place where training was interrupted cannot be read") }
    self.position = position
    self.compiled = compiled
    self.momentumProduct = momentumProduct
  }

  init(position: FitPosition, compiled: JSONValue, momentumProduct: Double) {
    self.position = position
    self.compiled = compiled
    self.momentumProduct = momentumProduct
  }

  var json: JSONValue {
    ["position": position.json, "compiled": compiled, "momentum_product": .number(momentumProduct)]
  }

  /// A model without what an interrupted training left beside its weights and its optimizer's state.
  public static func removed(from model: NativeModel) -> NativeModel {
    var model = model
    model.recurrentStates = []
    if var training = (try? JSONValue(parsing: model.training ?? ""))?.object, training[key] != nil {
      training[key] = nil
      model.training = JSONValue.object(training).text()
    }
    return model
  }

  /// The interrupted model as it was compiled when training started.
  public func started(_ model: NativeModel) -> NativeModel {
    var model = model
    model.training = compiled.text()
    return model
  }
}

extension Trainer {
  /// The model as `trainedModel` gives it, with everything that taking the training up again needs.
  /// - Throws: `internalError` where what was written would not train on in the same way.
  public func checkpoint(at position: FitPosition) throws -> NativeModel {
    var model = try trainedModel()
    guard try TrainingConfiguration(for: model) == configuration else {
      throw RNNError(.internalError, "the training's configuration cannot be written down")
    }
    var training = (try JSONValue(parsing: model.training ?? "{}")).object ?? JSONObject()
    training[TrainingCheckpoint.key] =
      TrainingCheckpoint(position: position, compiled: compiled, momentumProduct: momentumProduct).json
    model.training = JSONValue.object(training).text()
    model.recurrentStates = try recurrentStates()
    return model
  }
}
