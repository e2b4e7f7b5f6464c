import Foundation
import RNNCore
import RNNTestSupport
import Testing

@testable import RNNTraining

/// Early stopping, reduction on a plateau and the best epoch, against Keras's callbacks over the same values.
struct WatchTests {
  /// One entry of `callbacks.json`.
  struct Case: Sendable, CustomTestStringConvertible {
    let number: Int
    let json: JSONValue

    var testDescription: String { "case \(number)" }

    var values: [Double] { (json["values"]?.array ?? []).map { $0.double ?? .nan } }
    var isLargerBetter: Bool { json["mode"] == "max" }

    func number(_ group: String, _ key: String) throws -> Double { try #require(json[group]?[key]?.double, "\(key)") }

    static let all: [Case] = {
      let url = Fixtures.folder.appendingPathComponent("training/callbacks.json")
      guard let data = try? Data(contentsOf: url), let list = (try? JSONValue(parsing: data))?.array else { return [] }
      return list.enumerated().map { Case(number: $0.offset, json: $0.element) }
    }()
  }

  @Test(arguments: Case.all)
  func stopsWhereKerasStops(_ given: Case) throws {
    let rule = EarlyStopping(
      patience: Int(try given.number("stopping", "patience")), margin: try given.number("stopping", "margin"))
    var watch = Watch()
    let stopped = given.values.indices.first { epoch in
      rule.stops(after: epoch, value: given.values[epoch], isLargerBetter: given.isLargerBetter, &watch)
    }
    #expect(stopped == given.json["stopping"]?["epoch"]?.integer)
    let best = try #require(watch.best)
    #expect(try best == given.number("stopping", "best") || best.isNaN)
  }

  @Test(arguments: Case.all)
  func lowersTheRateAsKeras(_ given: Case) throws {
    let rule = ReduceOnPlateau(
      patience: Int(try given.number("plateau", "patience")), factor: try given.number("plateau", "factor"),
      margin: try given.number("plateau", "min_delta"), cooldown: Int(try given.number("plateau", "cooldown")),
      minimum: try given.number("plateau", "min_lr"))
    var watch = Watch()
    var rate = 0.5
    let rates = given.values.map { value in
      rate = rule.rate(after: value, rate: rate, isLargerBetter: given.isLargerBetter, &watch) ?? rate
      return rate
    }
    #expect(rates == given.json["plateau"]?["rates"]?.array?.compactMap(\.double))
  }

  @Test(arguments: Case.all)
  func findsTheBestAsKeras(_ given: Case) {
    var watch = Watch()
    let best = given.values.indices.filter { epoch in
      let isBest = watch.isImproved(by: given.values[epoch], margin: 0, isLargerBetter: given.isLargerBetter)
      if isBest { watch.best = given.values[epoch] }
      return isBest
    }
    #expect(best == given.json["best"]?.array?.compactMap(\.integer))
  }

  @Test func thereAreCases() {
    #expect(Case.all.count == 60)
    #expect(Case.all.contains { $0.json["stopping"]?["epoch"]?.isNull == true })
  }
}
