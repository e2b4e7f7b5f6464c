import CRNNKernels
import Foundation
import RNNTestSupport
import Testing

/// The vector functions against Foundation's in double precision.
@Suite struct VectorFunctionTests {
  private typealias Function = (inout [Float]) -> Void

  private func apply(_ function: (UnsafeMutablePointer<Float>?, Int) -> Void, _ values: [Float]) -> [Float] {
    var copy = values
    copy.withUnsafeMutableBufferPointer { function($0.baseAddress, $0.count) }
    return copy
  }

  /// Dense where the functions change, and every binade down to the subnormals.
  private static let sweep: [Float] = {
    var values = stride(from: Float(-104), through: 90, by: 0.00713).map { $0 }
    for exponent in -149...7 {
      for mantissa in stride(from: Float(1), to: 2, by: 0.03125) {
        let value = mantissa * Float(sign: .plus, exponent: exponent, significand: 1)
        values += [value, -value]
      }
    }
    return values
  }()

  private static let special: [Float] = [
    0, -0.0, .infinity, -.infinity, .nan, -.nan, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .leastNormalMagnitude,
    .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 88.72283, 88.72285, -87.33654, -103.97, -104.5, 1000, -1000,
  ]

  private func worst(_ found: [Float], _ values: [Float], _ exact: (Double) -> Double) -> (ulps: Double, at: Float) {
    zip(found, values).reduce((0, 0)) { worst, pair in
      let distance = ulps(pair.0, from: exact(Double(pair.1)))
      return distance > worst.0 ? (distance, pair.1) : worst
    }
  }

  /// A polynomial good to 1 ulp, evaluated in floats, and one or two roundings behind it: 2 ulp.
  @Test(arguments: InstructionSets.names)
  func exponentialIsGoodToTwoUlps(name: String) throws {
    let kernels = try InstructionSets.table(name)
    let found = apply(kernels.exponential, Self.sweep)
    let worst = worst(found, Self.sweep, exp)
    #expect(worst.ulps <= 2, "\(worst)")
  }

  /// The exponential's 2 ulp shrink in 1 + e^-x where that is near 1 and pass through it elsewhere; a sum and a
  /// quotient round once each: 3 ulp. Below -88.7 e^-x overflows: the result is 0 instead of a subnormal number.
  @Test(arguments: InstructionSets.names)
  func sigmoidIsGoodToThreeUlps(name: String) throws {
    let kernels = try InstructionSets.table(name)
    let normal = Self.sweep.filter { $0 > -87.3 }
    let worst = worst(apply(kernels.sigmoid, normal), normal) { 1 / (1 + exp(-$0)) }
    #expect(worst.ulps <= 3, "\(worst)")
    let small = Self.sweep.filter { $0 <= -87.3 }
    for (value, x) in zip(apply(kernels.sigmoid, small), small) {
      #expect(abs(Double(value) - exp(Double(x))) < Double(Float.leastNormalMagnitude))
    }
  }

  /// Below 0.625 a polynomial good to 1 ulp; above it 1 - 2 / (e^2x + 1), whose last difference at most doubles the
  /// relative error of a term that is smaller than the result: 3 ulp.
  @Test(arguments: InstructionSets.names)
  func tanhIsGoodToThreeUlps(name: String) throws {
    let kernels = try InstructionSets.table(name)
    let worst = worst(apply(kernels.tanh, Self.sweep), Self.sweep, Foundation.tanh)
    #expect(worst.ulps <= 3, "\(worst)")
  }

  @Test(arguments: InstructionSets.names)
  func specialValuesComeOutAsInTheory(name: String) throws {
    let kernels = try InstructionSets.table(name)
    func bits(_ values: [Float]) -> [UInt32] { values.map { $0.isNaN ? 0x7FC0_0000 : $0.bitPattern } }
    let ends: [Float] = [0, -0.0, .infinity, -.infinity, .nan, 1000, -1000, .greatestFiniteMagnitude]
    #expect(bits(apply(kernels.exponential, ends)) == bits([1, 1, .infinity, 0, .nan, .infinity, 0, .infinity]))
    #expect(bits(apply(kernels.sigmoid, ends)) == bits([0.5, 0.5, 1, 0, .nan, 1, 0, 1]))
    #expect(bits(apply(kernels.tanh, ends)) == bits([0, -0.0, 1, -1, .nan, 1, -1, 1]))
    #expect(bits(apply(kernels.relu, ends)) == bits([0, -0.0, .infinity, 0, .nan, 1000, 0, .greatestFiniteMagnitude]))
    // A subnormal number is its own tanh; half of it is lost in a sigmoid.
    let tiny: [Float] = [.leastNonzeroMagnitude, -.leastNonzeroMagnitude, 0x1p-130]
    #expect(bits(apply(kernels.tanh, tiny)) == bits(tiny))
    #expect(apply(kernels.sigmoid, tiny) == [0.5, 0.5, 0.5])
    #expect(apply(kernels.exponential, tiny) == [1, 1, 1])
  }

  @Test(arguments: InstructionSets.names)
  func resultsStayInTheirRange(name: String) throws {
    let kernels = try InstructionSets.table(name)
    #expect(apply(kernels.sigmoid, Self.sweep).allSatisfy { (0...1).contains($0) })
    #expect(apply(kernels.tanh, Self.sweep).allSatisfy { (-1...1).contains($0) })
    #expect(apply(kernels.exponential, Self.sweep).allSatisfy { $0 >= 0 })
    // tanh is odd to the bit.
    let negated = apply(kernels.tanh, Self.sweep.map { -$0 })
    #expect(zip(apply(kernels.tanh, Self.sweep), negated).allSatisfy { $0 == -$1 })
  }

  /// An element has the same bits wherever it stands, in a whole vector or in the rest.
  @Test(arguments: InstructionSets.names)
  func bitsDoNotDependOnThePlace(name: String) throws {
    let kernels = try InstructionSets.table(name)
    let values = Self.special + Self.sweep.prefix(50)
    for function in [kernels.exponential, kernels.sigmoid, kernels.tanh, kernels.relu] {
      guard let function else { continue }
      let together = apply(function, values)
      for start in values.indices {
        for count in [1, 3, 5, 17] where start + count <= values.count {
          let found = apply(function, Array(values[start..<start + count]))
          #expect(found.map(\.bitPattern) == together[start..<start + count].map(\.bitPattern))
        }
      }
      #expect(apply(function, []).isEmpty)
    }
  }

  /// Element-wise arithmetic is one or two roundings in each case; whole numbers take none.
  @Test(arguments: InstructionSets.names)
  func elementWiseKernels(name: String) throws {
    let kernels = try InstructionSets.table(name)
    for count in [0, 1, 7, 16, 33] {
      let (a, b) = ((0..<count).map { Float($0 - 5) }, (0..<count).map { Float(3 * $0 % 11) })
      let (c, d) = ((0..<count).map { Float($0 % 4) }, (0..<count).map { Float(7 - $0) })
      var out = d
      kernels.multiply(&out, a, b, count)
      #expect(out == zip(a, b).map { $0 * $1 })
      out = a
      kernels.add(&out, b, count)
      #expect(out == zip(a, b).map { $0 + $1 })
      out = a
      kernels.maximum(&out, b, count)
      #expect(out == zip(a, b).map { max($0, $1) })
      // c <- f c + i g, with i = a, f = b, g = c
      out = d
      kernels.lstm_cell(&out, a, b, c, count)
      #expect(out == (0..<count).map { b[$0] * d[$0] + a[$0] * c[$0] })
      // h <- z h + (1 - z) n, with z = a, n = b
      out = d
      kernels.gru_state(&out, a, b, count)
      #expect(out == (0..<count).map { a[$0] * d[$0] + (1 - a[$0]) * b[$0] })
    }
    var out: [Float] = [1, .nan, .nan]
    kernels.maximum(&out, [.nan, 1, .nan], 3)
    #expect(out.allSatisfy { $0.isNaN })
  }
}
