import Foundation
import RNNCore

/// The recurrent layers in double precision, one unit at a time, from the equations in the layers' documentation.
struct RecurrentReference {
  enum Cell: CaseIterable {
    case lstm, gruResettingAfter, gruResettingBefore, simple
  }

  var cell: Cell
  var units: Int
  var channels: Int
  var options: RecurrentOptions
  /// Of the candidate, and of the gates.
  var activation: (Double) -> Double
  var gate: (Double) -> Double
  var kernel: [Double]
  var recurrent: [Double]
  var bias: [Double]

  struct Result {
    /// In reading order.
    var outputs: [[Double]]
    var last: [Double]
    /// h, and c for LSTM.
    var states: [[Double]]
  }

  private var gates: Int {
    switch cell {
    case .lstm: 4
    case .gruResettingAfter, .gruResettingBefore: 3
    case .simple: 1
    }
  }

  static func stateCount(_ cell: Cell) -> Int { cell == .lstm ? 2 : 1 }

  /// One sequence; `mask` tells the steps that count.
  func run(_ x: [[Double]], mask: [Bool]? = nil, initial: [[Double]]? = nil) -> Result {
    let zero = [Double](repeating: 0, count: units)
    var states = initial ?? Array(repeating: zero, count: Self.stateCount(cell))
    var output = zero
    var outputs: [[Double]] = []
    let order = options.goBackwards ? Array(x.indices.reversed()) : Array(x.indices)
    for time in order {
      if mask?[time] ?? true {
        states = step(x[time], states)
        output = states[0]
      } else if options.zeroOutputForMask {
        output = zero
      }
      outputs.append(output)
    }
    return Result(outputs: outputs, last: output, states: states)
  }

  /// x K + b for one unit of one gate.
  private func input(_ x: [Double], _ gate: Int, _ unit: Int) -> Double {
    let column = gate * units + unit
    return (0..<channels).reduce(bias.isEmpty ? 0 : bias[column]) { $0 + x[$1] * kernel[$1 * gates * units + column] }
  }

  /// h R for one unit of one gate.
  private func memory(_ h: [Double], _ gate: Int, _ unit: Int) -> Double {
    (0..<units).reduce(0) { $0 + h[$1] * recurrent[$1 * gates * units + gate * units + unit] }
  }

  private func step(_ x: [Double], _ states: [[Double]]) -> [[Double]] {
    let h = states[0]
    let all = 0..<units
    func sum(_ gate: Int, _ unit: Int) -> Double { input(x, gate, unit) + memory(h, gate, unit) }
    switch cell {
    case .simple: return [all.map { activation(sum(0, $0)) }]
    case .lstm:
      // i, f, g, o
      let c = all.map { gate(sum(1, $0)) * states[1][$0] + gate(sum(0, $0)) * activation(sum(2, $0)) }
      return [all.map { gate(sum(3, $0)) * activation(c[$0]) }, c]
    case .gruResettingAfter:
      // z, r, n; row 1 of the bias belongs to h R.
      func inner(_ gate: Int, _ unit: Int) -> Double {
        memory(h, gate, unit) + (bias.isEmpty ? 0 : bias[3 * units + gate * units + unit])
      }
      return [
        all.map { unit in
          let z = gate(input(x, 0, unit) + inner(0, unit))
          let r = gate(input(x, 1, unit) + inner(1, unit))
          return z * h[unit] + (1 - z) * activation(input(x, 2, unit) + r * inner(2, unit))
        }
      ]
    case .gruResettingBefore:
      let reset = all.map { gate(sum(1, $0)) * h[$0] }
      return [
        all.map { unit in
          let z = gate(sum(0, unit))
          return z * h[unit] + (1 - z) * activation(input(x, 2, unit) + memory(reset, 2, unit))
        }
      ]
    }
  }
}

extension RecurrentReference.Cell {
  /// The layer that the reference stands for.
  func spec(units: Int, options: RecurrentOptions, activation: Activation, gate: Activation) -> LayerSpec {
    switch self {
    case .lstm:
      var spec = LSTMSpec(units: units)
      (spec.options, spec.activation, spec.recurrentActivation) = (options, activation, gate)
      return .lstm(spec)
    case .gruResettingAfter, .gruResettingBefore:
      var spec = GRUSpec(units: units, resetAfter: self == .gruResettingAfter)
      (spec.options, spec.activation, spec.recurrentActivation) = (options, activation, gate)
      return .gru(spec)
    case .simple:
      var spec = SimpleRNNSpec(units: units)
      (spec.options, spec.activation) = (options, activation)
      return .simpleRNN(spec)
    }
  }
}
