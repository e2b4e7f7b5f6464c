import CRNNKernels
import Foundation
import RNNTestSupport
import Testing

/// The steps of recurrent cells and the sums of tables' rows, for every instruction set of the machine.
@Suite struct RecurrentKernelTests {
  private static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  private static func random(_ count: Int, _ seed: UInt64) -> [Float] {
    var generator = SeededGenerator(seed: seed)
    return generator.floats(count).map { $0 * 4 }
  }

  /// Gates err by 3 units of the last place of at most 1, a cell of size 5 by two roundings more: 2e-6.
  @Test(arguments: InstructionSets.names, [1, 4, 15, 16, 17, 35])
  func lstmStep(name: String, units: Int) throws {
    let kernels = try InstructionSets.table(name)
    let (rows, step) = (3, 4 * units + 5)
    let sums = Self.random(rows * step, 1)
    let before = Self.random(rows * units, 2)
    for isTraining in [false, true] {
      var (c, h) = (before, [Float](repeating: .nan, count: rows * units))
      var gates = [Float](repeating: -7, count: rows * step)
      var tape = [Float](repeating: -7, count: rows * (2 * units + 3))
      if isTraining {
        kernels.lstm_step(rows, units, sums, step, &c, &h, &gates, step, &tape, 2 * units + 3)
      } else {
        kernels.lstm_step(rows, units, sums, step, &c, &h, nil, 0, nil, 0)
      }
      for row in 0..<rows {
        for unit in 0..<units {
          let s = (0..<4).map { Double(sums[row * step + $0 * units + unit]) }
          let exact = [Self.sigmoid(s[0]), Self.sigmoid(s[1]), tanh(s[2]), Self.sigmoid(s[3])]
          let cell = exact[1] * Double(before[row * units + unit]) + exact[0] * exact[2]
          #expect(abs(Double(c[row * units + unit]) - cell) < 2e-6)
          #expect(abs(Double(h[row * units + unit]) - exact[3] * tanh(cell)) < 2e-6)
          guard isTraining else { continue }
          for gate in 0..<4 { #expect(abs(Double(gates[row * step + gate * units + unit]) - exact[gate]) < 2e-6) }
          #expect(tape[row * (2 * units + 3) + unit] == c[row * units + unit])
          #expect(abs(Double(tape[row * (2 * units + 3) + units + unit]) - tanh(cell)) < 2e-6)
        }
        // What lies between the rows stays.
        if isTraining {
          #expect(gates[row * step + 4 * units..<(row + 1) * step].allSatisfy { $0 == -7 })
          #expect(tape[row * (2 * units + 3) + 2 * units..<(row + 1) * (2 * units + 3)].allSatisfy { $0 == -7 })
        }
      }
    }
  }

  @Test(arguments: InstructionSets.names, [1, 4, 15, 16, 17, 35])
  func gruStep(name: String, units: Int) throws {
    let kernels = try InstructionSets.table(name)
    let (rows, step) = (3, 3 * units + 2)
    let (sums, products) = (Self.random(rows * step, 3), Self.random(rows * step, 4))
    let before = Self.random(rows * units, 5)
    for isTraining in [false, true] {
      var h = before
      var gates = [Float](repeating: -7, count: rows * step)
      var tape = [Float](repeating: -7, count: rows * (2 * units + 1))
      if isTraining {
        kernels.gru_step(rows, units, sums, step, products, step, &h, &gates, step, &tape, 2 * units + 1)
      } else {
        kernels.gru_step(rows, units, sums, step, products, step, &h, nil, 0, nil, 0)
      }
      for row in 0..<rows {
        for unit in 0..<units {
          func sum(_ gate: Int) -> (Double, Double) {
            let place = row * step + gate * units + unit
            return (Double(sums[place]), Double(products[place]))
          }
          let (z, r) = (Self.sigmoid(sum(0).0 + sum(0).1), Self.sigmoid(sum(1).0 + sum(1).1))
          let n = tanh(sum(2).0 + r * sum(2).1)
          let place = row * units + unit
          #expect(abs(Double(h[place]) - (z * Double(before[place]) + (1 - z) * n)) < 3e-6)
          guard isTraining else { continue }
          for (gate, exact) in [z, r, n].enumerated() {
            #expect(abs(Double(gates[row * step + gate * units + unit]) - exact) < 3e-6)
          }
          #expect(tape[row * (2 * units + 1) + unit] == products[row * step + 2 * units + unit])
          #expect(tape[row * (2 * units + 1) + units + unit] == before[place])
        }
        if isTraining {
          #expect(gates[row * step + 3 * units..<(row + 1) * step].allSatisfy { $0 == -7 })
          #expect(tape[(row + 1) * (2 * units + 1) - 1] == -7)
        }
      }
    }
  }

  /// Whole numbers: exact sums.
  @Test(arguments: InstructionSets.names, [1, 5, 16, 31, 64, 70, 130])
  func sumsOfWindows(name: String, width: Int) throws {
    let kernels = try InstructionSets.table(name)
    let (rows, taps) = (9, 3)
    let span = taps * width
    var generator = SeededGenerator(seed: 6)
    let table = (0..<rows * span).map { _ in Float(Int.random(in: -50...50, using: &generator)) }
    let slots = (0..<40).map { _ in UInt32.random(in: 0..<9, using: &generator) }
    let bias = (0..<width).map { Float($0 % 7) }
    for (step, dilation) in [(1, 1), (2, 1), (1, 3), (3, 2)] {
      let windows = (slots.count - 1 - (taps - 1) * dilation) / step + 1
      for hasBias in [false, true] {
        var out = [Float](repeating: .nan, count: windows * width)
        if hasBias {
          kernels.sum_windows(&out, windows, width, bias, table, slots, span, taps, step, dilation)
        } else {
          kernels.sum_windows(&out, windows, width, nil, table, slots, span, taps, step, dilation)
        }
        for window in 0..<windows {
          for column in 0..<width {
            let sum = (0..<taps).reduce(hasBias ? bias[column] : 0) { sum, tap in
              sum + table[Int(slots[window * step + tap * dilation]) * span + tap * width + column]
            }
            #expect(out[window * width + column] == sum)
          }
        }
      }
    }
  }
}
