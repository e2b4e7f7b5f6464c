/// What one who monitors epochs remembers: the best value so far and how long ago it was. A checkpoint keeps it.
public struct MonitorState: Sendable, Equatable {
  public var best: Double?
  /// Epochs since the last improvement.
  public var wait = 0
  /// Epochs for which a plateau is not looked for.
  public var cooldown = 0

  public init() {}

  /// Whether a value is better than the best, by more than `minDelta`; the first always is. As Keras's `MonitorCallback`,
  /// which compares in float32: NaN is better than nothing, and nothing is better than NaN.
  func isImproved(by value: Double, minDelta: Double, isLargerBetter: Bool) -> Bool {
    guard let best else { return true }
    return isLargerBetter ? Float(value - minDelta) > Float(best) : Float(value + minDelta) < Float(best)
  }
}

/// Stops a training that gets no better; Keras's `EarlyStopping`.
public struct EarlyStopping: Sendable, Equatable {
  /// Epochs without improvement after which training stops.
  public var patience: Int
  /// What counts as an improvement must be larger than this.
  public var minDelta: Double

  public init(patience: Int, minDelta: Double = 0) {
    self.patience = patience
    self.minDelta = minDelta
  }

  /// - Parameter epoch: counted from 0; training never stops after the first.
  /// - Returns: whether training stops.
  public func stops(after epoch: Int, value: Double, isLargerBetter: Bool, _ state: inout MonitorState) -> Bool {
    state.wait += 1
    if state.isImproved(by: value, minDelta: minDelta, isLargerBetter: isLargerBetter) {
      state.best = value
      state.wait = 0
      return false
    }
    return state.wait >= patience && epoch > 0
  }
}

/// Lowers the learning rate where nothing gets better; Keras's `ReduceLROnPlateau`.
public struct ReduceOnPlateau: Sendable, Equatable {
  /// What the rate is multiplied by, below 1.
  public var factor: Double
  /// Epochs without improvement after which the rate is lowered.
  public var patience: Int
  /// What counts as an improvement must be larger than this.
  public var minDelta: Double
  /// Epochs after a reduction in which none is counted.
  public var cooldown: Int
  /// The rate goes no lower.
  public var minimum: Double

  public init(
    patience: Int = 10, factor: Double = 0.1, minDelta: Double = 1e-4, cooldown: Int = 0, minimum: Double = 0
  ) {
    self.patience = patience
    self.factor = factor
    self.minDelta = minDelta
    self.cooldown = cooldown
    self.minimum = minimum
  }

  /// - Parameter rate: the learning rate of the epoch that ended.
  /// - Returns: the lower rate, or `nil` where it stays.
  public func rate(after value: Double, rate: Double, isLargerBetter: Bool, _ state: inout MonitorState) -> Double? {
    if state.cooldown > 0 {
      state.cooldown -= 1
      state.wait = 0
    }
    if state.isImproved(by: value, minDelta: minDelta, isLargerBetter: isLargerBetter) {
      state.best = value
      state.wait = 0
      return nil
    }
    guard state.cooldown <= 0 else { return nil }
    state.wait += 1
    guard state.wait >= patience, rate > minimum else { return nil }
    state.cooldown = cooldown
    state.wait = 0
    return max(rate * factor, minimum)
  }
}
