import CRNNKernels
import RNNTestSupport
import Testing

/// The loops of training, for every instruction set of the machine, against the formulas in double precision.
@Suite(.serialized) struct TrainingKernelTests {
  private static let sizes = [1, 3, 4, 7, 8, 15, 16, 17, 40, 70, 161]

  private func floats(_ count: Int, _ seed: Int) -> [Float] {
    var generator = SeededGenerator(seed: UInt64(seed))
    return generator.floats(count)
  }

  private func worst(_ found: [Float], _ expected: [Double]) -> Double {
    guard found.count == expected.count else { return .infinity }
    return zip(found, expected).map { abs(Double($0) - $1) / max(1, abs($1)) }.max() ?? 0
  }

  @Test(arguments: InstructionSets.names)
  func transposes(name: String) throws {
    let kernels = try InstructionSets.table(name)
    for rows in Self.sizes {
      for columns in [1, 5, 16, 33] {
        let a = floats(rows * columns, rows)
        var out = [Float](repeating: .nan, count: a.count)
        kernels.transpose(rows, columns, a, &out)
        #expect(out == (0..<columns).flatMap { column in (0..<rows).map { a[$0 * columns + column] } })
      }
    }
  }

  @Test(arguments: InstructionSets.names)
  func derivativesOfFunctions(name: String) throws {
    let kernels = try InstructionSets.table(name)
    for count in Self.sizes {
      let (y, dy) = (floats(count, 1), floats(count, 2))
      func check(
        _ kernel: (UnsafeMutablePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>, Int) -> Void,
        _ slope: (Double) -> Double
      ) {
        let expected = zip(y, dy).map { slope(Double($0)) * Double($1) }
        var dx = [Float](repeating: .nan, count: count)
        kernel(&dx, y, dy, count)
        #expect(worst(dx, expected) <= 3e-7)
        // In place.
        dx = dy
        dx.withUnsafeMutableBufferPointer { buffer in
          guard let base = buffer.baseAddress else { return }
          kernel(base, y, base, count)
        }
        #expect(worst(dx, expected) <= 3e-7)
      }
      check(kernels.relu_gradient) { $0 > 0 ? 1 : 0 }
      check(kernels.sigmoid_gradient) { $0 * (1 - $0) }
      check(kernels.tanh_gradient) { 1 - $0 * $0 }
    }
  }

  @Test(arguments: InstructionSets.names)
  func aStepOfAnLSTMBackwards(name: String) throws {
    let kernels = try InstructionSets.table(name)
    for units in Self.sizes {
      let (gates, squashed, before) = (floats(4 * units, 1), floats(units, 2), floats(units, 3))
      let (dh, dc) = (floats(units, 4), floats(units, 5))
      var (newDH, newDC, sums) = (dh, dc, gates)
      kernels.lstm_gradient(&newDH, &newDC, &sums, squashed, before, units)
      var (expected, cells): ([Double], [Double]) = (Array(repeating: 0, count: 4 * units), [])
      for unit in 0..<units {
        let (i, f) = (Double(gates[unit]), Double(gates[units + unit]))
        let (g, o) = (Double(gates[2 * units + unit]), Double(gates[3 * units + unit]))
        let (h, s) = (Double(dh[unit]), Double(squashed[unit]))
        let cell = Double(dc[unit]) + h * o * (1 - s * s)
        expected[unit] = cell * g * i * (1 - i)
        expected[units + unit] = cell * Double(before[unit]) * f * (1 - f)
        expected[2 * units + unit] = cell * i * (1 - g * g)
        expected[3 * units + unit] = h * s * o * (1 - o)
        cells.append(cell * f)
      }
      #expect(worst(sums, expected) <= 1e-6)
      #expect(worst(newDC, cells) <= 1e-6)
      #expect(newDH.allSatisfy { $0 == 0 })
    }
  }

  /// To the first of equals; to the first step where nothing equals NaN.
  @Test(arguments: InstructionSets.names)
  func aMaximumBackwards(name: String) throws {
    let kernels = try InstructionSets.table(name)
    for width in Self.sizes {
      let steps = 4
      var x = floats(width * steps, 1).map { ($0 * 2).rounded() }
      x[0] = .nan
      let y = (0..<width).map { channel -> Float in
        let column = (0..<steps).map { x[$0 * width + channel] }
        return column.contains { $0.isNaN } ? .nan : column.max() ?? 0
      }
      let dy = floats(width, 2)
      var (dx, expected) = (floats(width * steps, 3), floats(width * steps, 3))
      for channel in 0..<width {
        let first = (0..<steps).first { x[$0 * width + channel] == y[channel] } ?? 0
        expected[first * width + channel] += dy[channel]
      }
      kernels.max_pool_gradient(&dx, x, y, dy, width, steps)
      #expect(dx == expected)
    }
  }

  @Test(arguments: InstructionSets.names)
  func dropsAndAdds(name: String) throws {
    let kernels = try InstructionSets.table(name)
    for count in Self.sizes {
      let (x, random) = (floats(count, 1), floats(count, 2).map { abs($0) })
      var (y, factors) = (x, random)
      kernels.dropout(&y, x, &factors, count, 0.3, 1 / 0.7)
      #expect(factors == random.map { $0 >= 0.3 ? Float(1 / 0.7) : 0 })
      #expect(y == zip(x, factors).map { $0 * $1 })
      kernels.multiply_accumulate(&y, x, random, count)
      let expected = (0..<count).map { Double(x[$0] * factors[$0]) + Double(x[$0]) * Double(random[$0]) }
      #expect(worst(y, expected) <= 2e-7)
    }
    let ids = [2, 0, 2]
    let rows = floats(3 * 5, 6)
    var (sum, squares) = ([Float](repeating: 1, count: 15), [Float](repeating: 0, count: 15))
    kernels.add_rows(&sum, &squares, rows, ids, 3, 5, 1, 3)
    var (expected, expectedSquares) = ([Double](repeating: 1, count: 15), [Double](repeating: 0, count: 15))
    for (position, id) in ids.enumerated() {
      for column in 1..<4 {
        let value = Double(rows[position * 5 + column])
        expected[id * 5 + column] += value
        expectedSquares[id * 5 + column] += value * value
      }
    }
    #expect(worst(sum, expected) <= 2e-7 && worst(squares, expectedSquares) <= 2e-7)
  }

  @Test(arguments: InstructionSets.names)
  func findsWhatIsNotFinite(name: String) throws {
    let kernels = try InstructionSets.table(name)
    for count in Self.sizes {
      var x = floats(count, 1).map { $0 * .greatestFiniteMagnitude }
      #expect(kernels.are_finite(x, count) == 1)
      for bad in [Float.nan, .infinity, -.infinity] {
        for place in [0, count / 2, count - 1] {
          let old = x[place]
          x[place] = bad
          #expect(kernels.are_finite(x, count) == 0)
          x[place] = old
        }
      }
    }
  }

  /// Windows with every stride and length, against the sums in double precision.
  @Test(arguments: InstructionSets.names)
  func sparseWindows(name: String) throws {
    let kernels = try InstructionSets.table(name)
    for (number, span) in Self.sizes.enumerated() {
      let (windows, filters, step) = (9, 5 + number, max(1, span / 3))
      var dz = floats(windows * filters, number)
      for index in dz.indices where index % 4 != 0 { dz[index] = 0 }
      let count = (windows - 1) * step + span
      let (x, kernel) = (floats(count, 20), floats(filters * span, 21))
      var (dx, dKernel) = (floats(count, 22), floats(filters * span, 23))
      var (expectedX, expectedKernel) = (dx.map(Double.init), dKernel.map(Double.init))
      for window in 0..<windows {
        for filter in 0..<filters {
          let value = Double(dz[window * filters + filter])
          for index in 0..<span {
            expectedX[window * step + index] += value * Double(kernel[filter * span + index])
            expectedKernel[filter * span + index] += value * Double(x[window * step + index])
          }
        }
      }
      var places = [UInt32](repeating: 0, count: windows * filters + windows + filters + 1)
      var values = [Float](repeating: 0, count: windows * filters)
      #expect(
        kernels.sparse_windows(dz, windows, filters, x, &dx, step, span, kernel, &dKernel, &places, &values) == 1)
      #expect(worst(dx, expectedX) <= 2e-6 && worst(dKernel, expectedKernel) <= 2e-6, "\(span)")
      // Too many numbers: nothing is done.
      let before = (dx, dKernel)
      dz = dz.map { _ in 1 }
      #expect(
        kernels.sparse_windows(dz, windows, filters, x, &dx, step, span, kernel, &dKernel, &places, &values) == 0)
      #expect(dx == before.0 && dKernel == before.1)
    }
  }

  /// Idle steps are the steps with gradients of 0, bit for bit, down to moments that vanish.
  @Test(arguments: InstructionSets.names)
  func idleStepsOfAdam(name: String) throws {
    let kernels = try InstructionSets.table(name)
    // Falling, rising, of either sign, and far too large at the end, when the rows have long been at rest.
    let schedules: [[Float]] = [
      (0..<1200).map { 0.001 / Float($0 + 1) }, (0..<1200).map { 1e-6 * Float($0) },
      (0..<1200).map { $0 % 2 == 0 ? 0.01 : -0.02 }, (0..<1200).map { $0 < 1000 ? 0.001 : 1e6 },
    ]
    for (count, alphas) in Self.sizes.flatMap({ count in schedules.map { (count, $0) } }) {
      var (p, m) = (floats(count, 1), floats(count, 2))
      var v = floats(count, 3).map { $0 * $0 }
      m[0] = 0
      v[0] = 0
      if count > 1 { (m[1], v[1]) = (2e-38, 1.3e-38) }
      var (q, n, w) = (p, m, v)
      let zeros = [Float](repeating: 0, count: count)
      for alpha in alphas { kernels.adam(&q, zeros, nil, &n, &w, count, alpha, 0.1, 0.001, 1e-7) }
      kernels.adam_idle(&p, &m, &v, count, alphas, alphas.count, 0.1, 0.001, 1e-7)
      #expect(p == q && m == n && v == w)
      #expect(m.allSatisfy { $0 == 0 })
    }
  }
}
