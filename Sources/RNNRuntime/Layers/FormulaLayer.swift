import RNNCore
import RealModule

/// A tensor of a formula, in any precision. Whoever made it owns the memory.
struct FormulaTensor<Scalar: Real & BinaryFloatingPoint> {
  var values: UnsafeMutablePointer<Scalar>
  /// Batch first.
  var shape: [Int]
  /// 1 for a valid position, 0 for a masked one; `nil` where nothing is masked.
  var mask: UnsafeMutablePointer<UInt8>?
  var maskShape: [Int] = []

  var count: Int { elementCount(shape) }
  /// The last axis.
  var width: Int { shape[shape.count - 1] }
}

/// One forward run of a formula.
struct FormulaRun<Scalar: Real & BinaryFloatingPoint> {
  var inputs: [FormulaTensor<Scalar>]
  /// As planned; masks are written where the plan makes them.
  var outputs: [FormulaTensor<Scalar>]
  /// In the order of `LayerSpec.parameterNames`.
  var parameters: [UnsafePointer<Scalar>]
  /// `nil` outside training.
  var noise: LayerNoise?
  /// See `ForwardRun`.
  var onlyMask = false
}

/// A layer that has no kernel of its own: its formula, written once for any precision, is what runs and also the
/// reference that its gradient is tested against.
protocol FormulaLayer: RuntimeLayer {
  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>)
}

extension FormulaLayer {
  func forward(_ run: inout ForwardRun) throws {
    func tensor(_ value: Value) -> FormulaTensor<Float> {
      FormulaTensor(values: value.floats, shape: value.shape, mask: value.mask, maskShape: value.maskShape)
    }
    evaluate(
      FormulaRun(
        inputs: run.inputs.map(tensor), outputs: run.outputs.map(tensor), parameters: run.parameters, noise: run.noise,
        onlyMask: run.onlyMask))
  }
}

/// The number of elements of a shape; absurd ones come to a number that no memory has, without overflow.
func elementCount(_ shape: [Int]) -> Int {
  let most = 1 << 50
  return shape.reduce(1) { product, size in
    let (next, overflow) = product.multipliedReportingOverflow(by: size)
    return overflow || next > most ? most : next
  }
}

/// A shape seen along one axis: `outer` blocks of `size` runs of `inner` neighbours.
struct AxisView {
  var outer: Int
  var size: Int
  var inner: Int

  /// - Parameter place: counts the batch as 0.
  init(_ shape: [Int], place: Int) {
    outer = elementCount(Array(shape[..<place]))
    size = shape[place]
    inner = elementCount(Array(shape[(place + 1)...]))
  }

  /// The place of an axis that may count from the end, in a shape with the batch.
  static func place(_ axis: Int, rank: Int) -> Int { axis < 0 ? axis + rank : axis }
}

/// A shape seen as groups: the positions along some axes belong together, and each position of the others is a group.
struct AxisGroups {
  /// Where each group begins.
  let groups: [Int]
  /// What its members lie behind that, in the order of the axes in memory.
  let members: [Int]

  /// - Parameter axes: count the batch as 0, or from the end.
  init(_ shape: [Int], axes: [Int]) {
    let inside = Set(axes.map { AxisView.place($0, rank: shape.count) })
    groups = AxisGroups.offsets(shape) { !inside.contains($0) }
    members = AxisGroups.offsets(shape) { inside.contains($0) }
  }

  private static func offsets(_ shape: [Int], _ isTaken: (Int) -> Bool) -> [Int] {
    var offsets = [0]
    var stride = elementCount(shape)
    for (axis, size) in shape.enumerated() {
      stride = size == 0 ? 0 : stride / size
      guard isTaken(axis) else { continue }
      offsets = offsets.flatMap { offset in (0..<size).map { offset + $0 * stride } }
    }
    return offsets
  }
}
