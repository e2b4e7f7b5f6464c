/// The values of one epoch by their names in Keras's history.
public struct EpochHistory: Sendable, Equatable {
  public var values: [(name: String, value: Double)]

  public init(values: [(name: String, value: Double)]) {
    self.values = values
  }

  public static func == (left: EpochHistory, right: EpochHistory) -> Bool {
    left.values.map(\.name) == right.values.map(\.name) && left.values.map(\.value) == right.values.map(\.value)
  }

  public subscript(name: String) -> Double? { values.first { $0.name == name }?.value }
}
