import Foundation
import RNNCore
import RNNTestSupport
import Testing

@testable import RNNTraining

/// Every initializer's distribution against the formulas of Keras's source (`fixtures/training/initializers.json`).
struct InitializerTests {
  @Test(arguments: InitializerRecord.all)
  func hasKerasDistribution(_ record: InitializerRecord) throws {
    let initializer = try record.initializer()
    // So many seeds that every shape gives 24 000 numbers.
    let seeds = 24_000 / record.shape.reduce(1, *)
    let values = try (1...max(seeds, 1)).flatMap { seed in
      try initializer.values(shape: record.shape, seed: UInt64(seed), parameter: 3).map(Double.init)
    }
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot()
    // Five standard errors of the mean; the deviation's is smaller still. 1e-6 for what is exact but for float32.
    let slack = 5 * record.deviation / count.squareRoot() + 1e-6
    #expect(abs(mean - record.mean) <= slack, "mean \(mean), Keras \(record.mean)")
    #expect(abs(deviation - record.deviation) <= slack, "deviation \(deviation), Keras \(record.deviation)")
    if let minimum = record.minimum, let maximum = record.maximum, let (low, high) = extremes(values) {
      #expect(low >= minimum - 1e-6 && high <= maximum + 1e-6, "\(low) ... \(high) of \(minimum) ... \(maximum)")
      let edge = 0.05 * (maximum - minimum)
      let isFull = !record.name.lowercased().hasPrefix("orthogonal")
      #expect(!isFull || low <= minimum + edge && high >= maximum - edge, "\(low) ... \(high) leaves the edges out")
    } else {
      #expect(values.contains { abs($0 - record.mean) > 3 * record.deviation }, "no normal number is far out")
    }
  }

  private func extremes(_ values: [Double]) -> (Double, Double)? {
    guard let low = values.min(), let high = values.max() else { return nil }
    return (low, high)
  }

  @Test(arguments: InitializerRecord.all.filter { $0.fans != nil })
  func hasKerasFans(_ record: InitializerRecord) throws {
    guard case .varianceScaling(let scaling) = try record.initializer() else {
      Issue.record("\(record) does not scale")
      return
    }
    let fans = scaling.fans(record.shape)
    let expected = try #require(record.fans)
    #expect(abs(fans.inputs - expected[0]) < 1e-9 && abs(fans.outputs - expected[1]) < 1e-9)
  }

  @Test(arguments: InitializerRecord.all)
  func itsAliasesAreTheSame(_ record: InitializerRecord) throws {
    // What differs is where the arguments stand, not what they say: the distribution over the shape is the same.
    func drawn(_ initializer: Initializer) -> Initializer {
      if case .varianceScaling(let scaling) = initializer { return scaling.distribution(over: record.shape) }
      return initializer
    }
    let own = drawn(try record.initializer(.later))
    for alias in record.aliases where record.only == nil {
      #expect(drawn(try Initializer(keras: .string(alias.name))) == own, "\(alias.name)")
      if alias.versions.contains("keras-2") {
        #expect(throws: Never.self) { try Initializer(keras: .string(alias.name), rules: .keras2) }
      }
    }
  }

  @Test func thereAreRecords() {
    #expect(InitializerRecord.all.count >= 90)
    #expect(InitializerRecord.all.filter { $0.only != nil }.count >= 10)
  }
}

/// One record of `initializers.json`.
struct InitializerRecord: Sendable, CustomTestStringConvertible, CustomStringConvertible {
  let name: String
  let config: JSONValue
  let shape: [Int]
  let fans: [Double]?
  let mean: Double
  let deviation: Double
  /// `nil` where the distribution has no bounds.
  let minimum: Double?
  let maximum: Double?
  let aliases: [(name: String, versions: [String])]
  /// The only Keras that has this.
  let only: String?

  static let all: [InitializerRecord] = {
    let url = Fixtures.folder.appendingPathComponent("training/initializers.json")
    guard let data = try? Data(contentsOf: url), let json = try? JSONValue(parsing: data) else { return [] }
    return (json.array ?? []).compactMap(InitializerRecord.init)
  }()

  private init?(_ json: JSONValue) {
    guard let name = json["name"]?.string, let config = json["config"], let shape = json["shape"]?.array,
      let theory = json["theory"], let mean = theory["mean"]?.double, let deviation = theory["stddev"]?.double
    else { return nil }
    self.name = name
    self.config = config
    self.shape = shape.compactMap(\.integer)
    self.mean = mean
    self.deviation = deviation
    fans = json["fans"]?.array?.compactMap(\.double)
    minimum = theory["minimum"]?.double
    maximum = theory["maximum"]?.double
    aliases = (json["aliases"]?.array ?? []).map { alias in
      (alias["name"]?.string ?? "", (alias["in"]?.array ?? []).compactMap(\.string))
    }
    only = json["only"]?.string
  }

  func initializer(_ rules: KerasRules? = nil) throws -> Initializer {
    if only == "keras-1" { return try Initializer(keras: .string(name), rules: rules ?? .keras1) }
    let object: JSONValue = ["module": "keras.initializers", "class_name": .string(name), "config": config]
    return try Initializer(keras: object, rules: rules ?? .later)
  }

  var description: String { "\(name) \(config.text()) \(shape)\(only.map { " of " + $0 } ?? "")" }
  var testDescription: String { description }
}
