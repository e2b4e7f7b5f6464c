/// A layer whose last step is its activation.
public protocol LayerWithLastActivation: LayerConfiguration {
  var activation: Activation { get set }
}

extension DenseSpec: LayerWithLastActivation {}
extension Conv1DSpec: LayerWithLastActivation {}
extension Conv1DTransposeSpec: LayerWithLastActivation {}
extension DepthwiseConv1DSpec: LayerWithLastActivation {}
extension SeparableConv1DSpec: LayerWithLastActivation {}
extension LocallyConnected1DSpec: LayerWithLastActivation {}
extension ActivationSpec: LayerWithLastActivation {}

extension LayerSpec {
  /// Takes the activation off a layer whose last step it is.
  /// - Returns: what was taken; `nil` for any other layer.
  @discardableResult
  public mutating func clearActivation() -> Activation? {
    guard var configuration = configuration as? any LayerWithLastActivation else { return nil }
    let taken = configuration.activation
    configuration.activation = .linear
    guard let bare = LayerSpec(kind, configuration) else { return nil }
    self = bare
    return taken
  }
}
