import Foundation
import RNNCore
import RNNTestSupport
import Testing

@testable import RNNTraining

/// Early stopping, reduction on a plateau and the best epoch, against Keras's callbacks over the same values.
struct MonitorTests {
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
      patience: Int(try given.number("stopping", "patience")), minDelta: try given.number("stopping", "min_delta"))
    var state = MonitorState()
    let stopped = given.values.indices.first { epoch in
      rule.stops(after: epoch, value: given.values[epoch], isLargerBetter: given.isLargerBetter, &state)
    }
    #expect(stopped == given.json["stopping"]?["epoch"]?.integer)
    let best = try #require(state.best)
    #expect(try best == given.number("stopping", "best") || best.isNaN)
  }

  @Test(arguments: Case.all)
  func lowersTheRateAsKeras(_ given: Case) throws {
    let rule = ReduceOnPlateau(
      patience: Int(try given.number("plateau", "patience")), factor: try given.number("plateau", "factor"),
      minDelta: try given.number("plateau", "min_delta"), cooldown: Int(try given.number("plateau", "cooldown")),
      minimum: try given.number("plateau", "min_lr"))
    var state = MonitorState()
    var rate = 0.5
    let rates = given.values.map { value in
      rate = rule.rate(after: value, rate: rate, isLargerBetter: given.isLargerBetter, &state) ?? rate
      return rate
    }
    #expect(rates == given.json["plateau"]?["rates"]?.array?.compactMap(\.double))
  }

  @Test(arguments: Case.all)
  func findsTheBestAsKeras(_ given: Case) {
    var state = MonitorState()
    let best = given.values.indices.filter { epoch in
      let isBest = state.isImproved(by: given.values[epoch], minDelta: 0, isLargerBetter: given.isLargerBetter)
      if isBest { state.best = given.values[epoch] }
      return isBest
    }
    #expect(best == given.json["best"]?.array?.compactMap(\.integer))
  }

  @Test func thereAreCases() {
    #expect(Case.all.count == 60)
    #expect(Case.all.contains { $0.json["stopping"]?["epoch"]?.isNull == true })
  }
}
