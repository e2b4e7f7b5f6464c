import Foundation
import RNNCore
import Testing

@testable import RNNTraining

/// The numbers themselves.
struct InitializerValueTests {
  /// Kolmogorov and Smirnov's distance between 24 000 numbers and a distribution: 1.95 / sqrt(n) is exceeded by one
  /// right sample of a thousand.
  @Test func shapesAreRight() throws {
    let cases: [(Initializer, @Sendable (Double) -> Double)] = [
      (.uniform(minimum: -1, maximum: 3), { ($0 + 1) / 4 }),
      (.normal(mean: 0, deviation: 1), Self.normal),
      (
        .truncatedNormal(mean: 0, deviation: 1),
        { (Self.normal($0) - Self.normal(-2)) / (Self.normal(2) - Self.normal(-2)) }
      ),
    ]
    for (initializer, cumulative) in cases {
      let values = try initializer.values(shape: [24_000], seed: 11, parameter: 0).map(Double.init).sorted()
      let distance = values.enumerated().map { index, value in
        abs(cumulative(value) - (Double(index) + 0.5) / 24_000)
      }.max()
      #expect(try #require(distance) < 1.95 / 24_000.0.squareRoot(), "\(initializer)")
    }
  }

  private static func normal(_ x: Double) -> Double { erfc(-x / 2.0.squareRoot()) / 2 }

  @Test func sameArgumentsGiveTheSameNumbers() throws {
    for initializer in samples {
      let first = try initializer.values(shape: [7, 9], seed: 5, parameter: 2)
      #expect(try initializer.values(shape: [7, 9], seed: 5, parameter: 2) == first)
      #expect(try initializer.values(shape: [7, 9], seed: 6, parameter: 2) != first)
      #expect(try initializer.values(shape: [7, 9], seed: 5 + 1 << 32, parameter: 2) != first)
      #expect(try initializer.values(shape: [7, 9], seed: 5, parameter: 3) != first)
      #expect(try initializer.values(shape: [7, 9], seed: 5, parameter: 2, part: 1) != first)
    }
  }

  private let samples: [Initializer] = [
    .uniform(minimum: 0, maximum: 1), .normal(mean: 0, deviation: 1), .truncatedNormal(mean: 0, deviation: 1),
    .glorotUniform, .orthogonal(gain: 1),
  ]

  /// So that a later version draws them too; by the definition of Philox4x32-10.
  @Test func someNumbersAreThese() throws {
    let uniform = try Initializer.uniform(minimum: 0, maximum: 1).values(shape: [5], seed: 42, parameter: 1)
    #expect(uniform == [0.3017506, 0.9907354, 0.13569155, 0.84351844, 0.30667454])
    let normal = try Initializer.normal(mean: 0, deviation: 1).values(shape: [5], seed: 42, parameter: 1)
    let expected: [Float] = [1.5453795, -0.09005977, 1.1079907, -1.6634598, -1.0781064]
    // Logarithms and sines may differ in their last bit between machines.
    for (ours, expected) in zip(normal, expected) { #expect(abs(ours - expected) < 1e-6) }
  }

  @Test func numbersDoNotHangTogether() throws {
    let count = 24_000
    let normal = Initializer.normal(mean: 0, deviation: 1)
    func draw(_ seed: UInt64, _ parameter: Int) throws -> [Double] {
      try normal.values(shape: [count], seed: seed, parameter: parameter).map(Double.init)
    }
    let own = try draw(1, 0)
    let others = [
      try draw(2, 0), try draw(1, 1), Array(own.dropFirst(1)), Array(own.dropFirst(2)), Array(own.dropFirst(4)),
    ]
    for other in others {
      let correlation = zip(own, other).reduce(0) { $0 + $1.0 * $1.1 } / Double(other.count)
      #expect(abs(correlation) < 5 / Double(count).squareRoot())
    }
  }

  @Test(arguments: [[6, 6], [60, 80], [80, 60], [5, 12, 20], [1, 9], [9, 1], [1, 1], [64, 256]])
  func orthogonalOnesAreOrthonormal(_ shape: [Int]) throws {
    for rules in KerasRules.allCases {
      let gain = 1.1
      let values = try Initializer.orthogonal(gain: gain, rules: rules).values(shape: shape, seed: 3, parameter: 0)
      let columns = rules == .keras1 ? shape.dropFirst().reduce(1, *) : shape[shape.count - 1]
      #expect(Orthonormality.error(values.map { Double($0) / gain }, columns: columns) < 1e-5, "\(shape) \(rules)")
    }
  }

  /// Over all orthogonal matrices: no sign is fixed, and no element is preferred.
  @Test func orthogonalOnesAreEvenlySpread() throws {
    let matrices = try (0..<400).map {
      try Initializer.orthogonal(gain: 1).values(shape: [4, 4], seed: $0, parameter: 0).map(Double.init)
    }
    for element in 0..<16 {
      let mean = matrices.reduce(0) { $0 + $1[element] } / 400
      let square = matrices.reduce(0) { $0 + $1[element] * $1[element] } / 400
      // An element's deviation is 1/2; its square's is sqrt(2 (4 - 1) / (4 + 2)) / 4 = 1/4.
      #expect(abs(mean) < 5 * 0.5 / 20 && abs(square - 0.25) < 5 * 0.25 / 20)
    }
  }

  @Test func identities() throws {
    #expect(try Initializer.identity(gain: 2).values(shape: [2, 3], seed: 0, parameter: 0) == [2, 0, 0, 0, 2, 0])
    let wide = try Initializer.identity(gain: 1, rules: .keras2).values(shape: [2, 4], seed: 0, parameter: 0)
    #expect(wide == [1, 0, 1, 0, 0, 1, 0, 1])
    let tall = try Initializer.identity(gain: 1, rules: .keras2).values(shape: [4, 2], seed: 0, parameter: 0)
    #expect(tall == [1, 0, 0, 1, 1, 0, 0, 1])
    for (rules, shape) in [(KerasRules.keras1, [2, 4]), (.keras2, [2, 3]), (.later, [2]), (.keras2, [0, 2])] {
      #expect(throws: RNNError.self) {
        try Initializer.identity(gain: 1, rules: rules).values(shape: shape, seed: 0, parameter: 0)
      }
    }
    #expect(throws: RNNError.self) { try Initializer.orthogonal(gain: 1).values(shape: [4], seed: 0, parameter: 0) }
  }

  @Test func fansOfVectorsAndNamedAxes() {
    var scaling = VarianceScaling()
    #expect(scaling.fans([]) == (1, 1) && scaling.fans([9]) == (9, 9))
    scaling.rules = .keras2
    #expect(scaling.fans([9]) == (3, 3))
    scaling.rules = .later
    scaling.inputAxes = [0, 1]
    scaling.outputAxes = [-1]
    #expect(scaling.fans([2, 3, 5]) == (6, 5))
  }
}

enum Orthonormality {
  /// The largest |R Rt - I|, by rows or columns, whichever are fewer.
  static func error(_ values: [Double], columns: Int) -> Double {
    let rows = values.count / columns
    let count = min(rows, columns)
    let length = max(rows, columns)
    func element(_ vector: Int, _ index: Int) -> Double {
      rows < columns ? values[vector * columns + index] : values[index * columns + vector]
    }
    var worst = 0.0
    for one in 0..<count {
      for other in 0...one {
        let product = (0..<length).reduce(0) { $0 + element(one, $1) * element(other, $1) }
        worst = max(worst, abs(product - (one == other ? 1 : 0)))
      }
    }
    return worst
  }
}
