import CRNNKernels
import RNNTestSupport
import Testing

/// c += a b, for every instruction set of the machine.
@Suite(.serialized) struct ProductTests {
  private struct Product {
    var rows: Int
    var columns: Int
    var inner: Int
    var a: [Float]
    var b: [Float]
    var c: [Float]
    var steps: (a: Int, b: Int, c: Int)

    /// Rows stand `gap` floats apart; what lies between is NaN, which would show in every sum.
    init(_ rows: Int, _ columns: Int, _ inner: Int, gap: Int, seed: UInt64) {
      var generator = SeededGenerator(seed: seed)
      (self.rows, self.columns, self.inner) = (rows, columns, inner)
      steps = (inner + gap, columns + gap, columns + 2 * gap)
      func matrix(_ rows: Int, _ columns: Int, _ step: Int) -> [Float] {
        (0..<rows).flatMap { _ in generator.floats(columns) + [Float](repeating: .nan, count: step - columns) }
      }
      a = matrix(rows, inner, steps.a)
      b = matrix(inner, columns, steps.b)
      c = matrix(rows, columns, steps.c)
    }

    func run(_ kernels: rnn_kernels) -> [Float] {
      var result = c
      kernels.multiply_add(rows, columns, inner, a, steps.a, b, steps.b, &result, steps.c)
      return result
    }

    /// The exact sum, to double precision, and the sum of the magnitudes.
    func exact(_ row: Int, _ column: Int) -> (value: Double, magnitude: Double) {
      var value = Double(c[row * steps.c + column])
      var magnitude = abs(value)
      for index in 0..<inner {
        let term = Double(a[row * steps.a + index]) * Double(b[index * steps.b + column])
        value += term
        magnitude += abs(term)
      }
      return (value, magnitude)
    }
  }

  /// Sizes around the widths of vectors (4, 8, 16) and their groups (2 or 4).
  private static let sizes = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 40, 47, 48, 49, 64, 65, 79, 80, 81, 140]

  /// Sums of n terms in floats err by at most n units of rounding (2^-24) of the sum of magnitudes (Higham 2002, 3.1);
  /// two roundings a term, where nothing is fused.
  @Test(arguments: InstructionSets.names)
  func sumsAreRightToRounding(name: String) throws {
    let kernels = try InstructionSets.table(name)
    for (index, columns) in Self.sizes.enumerated() {
      for rows in [1, 3, 4, 5, 6, 7, 8, 11, 13, 25] {
        for inner in [1, 2, 13, 64] {
          let product = Product(rows, columns, inner, gap: (index + rows) % 3, seed: UInt64(columns * 1000 + rows))
          let result = product.run(kernels)
          var worst = 0.0
          for row in 0..<rows {
            for column in 0..<columns {
              let exact = product.exact(row, column)
              let allowed = Double(2 * inner + 1) * 0x1p-24 * exact.magnitude
              worst = max(worst, abs(Double(result[row * product.steps.c + column]) - exact.value) / allowed)
            }
          }
          #expect(worst <= 1, "\(rows) x \(columns) x \(inner)")
        }
      }
    }
  }

  @Test(arguments: InstructionSets.names)
  func wholeNumbersAreExact(name: String) throws {
    let kernels = try InstructionSets.table(name)
    for columns in Self.sizes {
      var product = Product(5, columns, 9, gap: 1, seed: 1)
      func whole(_ values: [Float]) -> [Float] { values.map { ($0 * 100).rounded() } }
      (product.a, product.b, product.c) = (whole(product.a), whole(product.b), whole(product.c))
      let result = product.run(kernels)
      for row in 0..<5 {
        for column in 0..<columns {
          #expect(Double(result[row * product.steps.c + column]) == product.exact(row, column).value)
        }
      }
    }
  }

  @Test(arguments: InstructionSets.names)
  func nothingBetweenTheRowsIsTouched(name: String) throws {
    let kernels = try InstructionSets.table(name)
    for columns in Self.sizes {
      let product = Product(6, columns, 5, gap: 3, seed: 2)
      let result = product.run(kernels)
      for index in result.indices where index % product.steps.c >= columns {
        #expect(result[index].bitPattern == product.c[index].bitPattern)
      }
    }
  }

  /// The bits of a row do not depend on how many rows go together.
  @Test(arguments: InstructionSets.names)
  func oneRowHasTheBitsOfMany(name: String) throws {
    let kernels = try InstructionSets.table(name)
    for columns in Self.sizes {
      for inner in [1, 7, 50] {
        let product = Product(13, columns, inner, gap: 1, seed: UInt64(columns + inner))
        let together = product.run(kernels)
        for rows in [1, 2, 4, 5] {
          for start in stride(from: 0, to: 13 - rows + 1, by: rows) {
            var part = product
            part.rows = rows
            part.a = Array(product.a[(start * product.steps.a)...])
            part.c = Array(product.c[(start * product.steps.c)...])
            let alone = part.run(kernels)
            for row in 0..<rows {
              let expected = together[(start + row) * product.steps.c..<(start + row) * product.steps.c + columns]
              let found = alone[row * product.steps.c..<row * product.steps.c + columns]
              #expect(expected.map(\.bitPattern) == found.map(\.bitPattern), "\(columns) \(inner) \(start + row)")
            }
          }
        }
      }
    }
  }

  /// Large products are cut into panels, and their sums wait in c between the pieces: to the same bits.
  @Test(arguments: InstructionSets.names)
  func largeProductsHaveTheBitsOfTheirRows(name: String) throws {
    let kernels = try InstructionSets.table(name)
    for (rows, columns, inner) in [(49, 70, 201), (400, 65, 20), (50, 130, 400), (60, 5, 70), (64, 16, 193)] {
      let product = Product(rows, columns, inner, gap: 1, seed: UInt64(rows))
      let together = product.run(kernels)
      for row in stride(from: 0, to: rows, by: 7) {
        var part = product
        part.rows = 1
        part.a = Array(product.a[(row * product.steps.a)...])
        part.c = Array(product.c[(row * product.steps.c)...])
        let range = row * product.steps.c..<row * product.steps.c + columns
        #expect(part.run(kernels).prefix(columns).map(\.bitPattern) == together[range].map(\.bitPattern))
      }
    }
  }

  /// A transposed first factor, read as it lies, gives the bits of one that was brought in order.
  @Test(arguments: InstructionSets.names)
  func transposedProductsHaveTheSameBits(name: String) throws {
    let kernels = try InstructionSets.table(name)
    for (rows, columns, inner) in [
      (1, 1, 1), (3, 17, 5), (13, 64, 250), (70, 140, 30), (390, 33, 10), (64, 8, 200),
      // With the gap as wide as whole vectors.
      (9, 6, 5), (9, 14, 5), (9, 30, 5), (50, 62, 7),
    ] {
      let product = Product(rows, columns, inner, gap: 2, seed: UInt64(columns))
      var transposed = [Float](repeating: .nan, count: inner * (rows + 3))
      for row in 0..<rows {
        for index in 0..<inner { transposed[index * (rows + 3) + row] = product.a[row * product.steps.a + index] }
      }
      var result = product.c
      kernels.multiply_transposed_add(
        rows, columns, inner, transposed, rows + 3, product.b, product.steps.b, &result, product.steps.c)
      #expect(result.map(\.bitPattern) == product.run(kernels).map(\.bitPattern), "\(rows) \(columns) \(inner)")
    }
  }

  /// Packed, with sums that start elsewhere, or all from one row.
  @Test(arguments: InstructionSets.names)
  func packedProductsHaveTheSameBits(name: String) throws {
    let kernels = try InstructionSets.table(name)
    for columns in Self.sizes + [256, 280, 300] {
      for (rows, inner) in [(1, 1), (1, 37), (2, 3), (7, 20), (30, 5), (1, 0)] {
        let product = Product(rows, columns, inner, gap: 2, seed: UInt64(columns + rows))
        var packed = [Float](repeating: .nan, count: max(kernels.packed_count(columns, inner), 1))
        kernels.pack(columns, inner, product.b, product.steps.b, &packed)
        for startStep in [product.steps.c, 0] {
          var started = product
          for row in 0..<rows {
            for column in 0..<columns {
              started.c[row * product.steps.c + column] = product.c[row * startStep + column]
            }
          }
          let expected = inner == 0 ? started.c : started.run(kernels)
          for backwards: Int32 in [0, 1] {
            var result = product.c
            kernels.multiply_packed(
              rows, columns, inner, product.a, product.steps.a, packed, product.c, startStep, &result,
              product.steps.c, backwards)
            #expect(result.map(\.bitPattern) == expected.map(\.bitPattern), "\(rows) x \(columns) x \(inner)")
          }
        }
      }
    }
  }

  @Test(arguments: InstructionSets.names)
  func emptyProductsChangeNothing(name: String) throws {
    let kernels = try InstructionSets.table(name)
    for (rows, columns, inner) in [(0, 5, 5), (5, 0, 5), (5, 5, 0)] {
      let product = Product(rows, columns, inner, gap: 2, seed: 4)
      #expect(product.run(kernels).map(\.bitPattern) == product.c.map(\.bitPattern))
    }
  }

  @Test func unknownInstructionSetsAreNone() {
    #expect(rnn_kernels_named("sse9") == nil)
    #expect(rnn_kernels_named("baseline") != nil)
    #expect(rnn_kernels_named(nil)?.pointee.name == rnn_kernels_named("")?.pointee.name)
    #expect(InstructionSets.names.contains("baseline"))
  }
}
