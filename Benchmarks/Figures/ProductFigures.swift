import Foundation
import RNNCore
import RNNRuntime

/// Matrix products of the shapes that the measured models use, beside OpenBLAS, on one thread of one process.
enum ProductFigures {
  private static let shapes = [(2880, 64, 640), (30, 280, 70), (720, 280, 64), (640, 64, 2880), (1, 280, 70)]

  private typealias SGEMM =
    @convention(c) (
      Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>, Int32, UnsafePointer<Float>, Int32, Float,
      UnsafeMutablePointer<Float>, Int32
    ) -> Void

  /// - Parameter operations: what one core does in a second at most.
  static func measure(operations: Double) throws {
    guard let sgemm = openBLAS() else { return print("matrix products: libopenblas.so.0 is not there, not measured") }
    print("matrix products, c[m, n] += a[m, k] b[k, n], one thread, in turn:")
    for (rows, columns, inner) in shapes { try measure(rows, columns, inner, sgemm, limit: operations) }
  }

  /// The library, told to stay on the calling thread, and what the processor is where it does not know its name: this
  /// version takes newer ones for the oldest.
  private static func openBLAS() -> SGEMM? {
    if Kernels.instructionSet == "avx512" { setenv("OPENBLAS_CORETYPE", "SkylakeX", 0) }
    if Kernels.instructionSet == "avx2" { setenv("OPENBLAS_CORETYPE", "Haswell", 0) }
    guard let library = dlopen("libopenblas.so.0", RTLD_NOW), let symbol = dlsym(library, "cblas_sgemm") else {
      return nil
    }
    if let threads = dlsym(library, "openblas_set_num_threads") {
      unsafeBitCast(threads, to: (@convention(c) (Int32) -> Void).self)(1)
    }
    if let name = dlsym(library, "openblas_get_config") {
      let config = unsafeBitCast(name, to: (@convention(c) () -> UnsafePointer<CChar>?).self)()
      print("OpenBLAS: \(config.map { String(cString: $0) } ?? "")")
    }
    return unsafeBitCast(symbol, to: SGEMM.self)
  }

  private static func measure(
    _ rows: Int, _ columns: Int, _ inner: Int, _ sgemm: SGEMM, limit: Double
  ) throws {
    var random = Random(seed: 5)
    func matrix(_ count: Int) -> UnsafeMutablePointer<Float> {
      let memory = UnsafeMutableRawPointer.allocate(byteCount: count * 4, alignment: 64).bindMemory(
        to: Float.self, capacity: count)
      for index in 0..<count { memory[index] = Float(random.next() - 0.5) }
      return memory
    }
    let (a, b) = (matrix(rows * inner), matrix(inner * columns))
    let (ours, theirs) = (matrix(rows * columns), matrix(rows * columns))
    defer { for memory in [a, b, ours, theirs] { memory.deallocate() } }
    ours.update(repeating: 0, count: rows * columns)
    theirs.update(repeating: 0, count: rows * columns)
    func own() {
      ProductKernel.multiplyAdd(rows: rows, columns: columns, inner: inner, a, b, into: ours)
    }
    func library() {
      sgemm(
        101, 111, 111, Int32(rows), Int32(columns), Int32(inner), 1, a, Int32(inner), b, Int32(columns), 1, theirs,
        Int32(columns))
    }
    own()
    library()
    let largest = (0..<rows * columns).reduce(Float(0)) { max($0, abs(ours[$1] - theirs[$1])) }
    guard largest < 1e-3 else { throw RNNError.badData("the products differ by \(largest)") }
    let operations = 2 * Double(rows * columns * inner)
    // As many calls as fill a millisecond, in turn, for about a second.
    let repeats = max(1, Int(1e-3 * limit / operations))
    var times: (own: [Double], library: [Double]) = ([], [])
    for _ in 0..<400 {
      var start = Clock.seconds()
      for _ in 0..<repeats { own() }
      times.own.append((Clock.seconds() - start) / Double(repeats))
      start = Clock.seconds()
      for _ in 0..<repeats { library() }
      times.library.append((Clock.seconds() - start) / Double(repeats))
    }
    let (mine, blas) = (times.own.sorted()[200], times.library.sorted()[200])
    func share(_ seconds: Double) -> String { Figures.format(operations / seconds / limit * 100, 0) }
    print(
      "  \(rows)x\(columns)x\(inner): rnnconv \(Figures.format(mine * 1e6, 2)) us (\(share(mine)) % of the limit), "
        + "OpenBLAS \(Figures.format(blas * 1e6, 2)) us (\(share(blas)) %): \(Figures.format(mine / blas, 2)) (goal: 0.85)"
    )
  }
}
