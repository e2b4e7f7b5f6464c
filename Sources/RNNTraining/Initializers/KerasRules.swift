/// Which Keras's rules hold where its versions differ under the same names.
public enum KerasRules: Sendable, Equatable, CaseIterable {
  /// Keras 1.
  case keras1
  /// Keras 2 up to 2.3.1 that is not TensorFlow's.
  case keras2
  /// TensorFlow's Keras 2, and Keras 3.
  case later

  /// - Parameters:
  ///   - dialect: `keras1`, `keras2` or `keras3`.
  ///   - version: as the file states it.
  public init(dialect: String, version: String?) {
    let numbers = (version ?? "").split(separator: ".").map { Int($0.prefix { $0.isNumber }) ?? 0 }
    let isTensorFlow = version?.hasSuffix("-tf") == true || !numbers.lexicographicallyPrecedes([2, 4])
    switch dialect {
    case "keras1": self = .keras1
    case "keras2": self = isTensorFlow ? .later : .keras2
    default: self = .later
    }
  }
}
