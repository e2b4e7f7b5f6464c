import Foundation
import RNNContainers
import RNNCore
import RNNRuntime
import RNNTestSupport
import Testing

/// The LSTMs of history, against an independent statement in NumPy (`fixtures/history/generate.py`).
struct HistoryTests {
  private struct Statement {
    var arrays: [String: Tensor]

    init(_ name: String) throws {
      let url = Fixtures.folder.appendingPathComponent("history/\(name).npz")
      arrays = Dictionary(
        try NPZ.read(try Data(contentsOf: url)).map { ($0.name, $0.tensor) }, uniquingKeysWith: { $1 })
    }

    func tensor(_ name: String) throws -> Tensor { try #require(arrays[name]) }

    /// The arrays of several gates side by side.
    func joined(_ letter: String, _ gates: [String]) throws -> Tensor {
      let parts = try gates.map { try tensor("\(letter)_\($0)") }
      let rows = parts[0].shape.count == 2 ? parts[0].shape[0] : 1
      let width = parts[0].count / rows
      let values = (0..<rows).flatMap { row in parts.flatMap { $0.floats()[row * width..<(row + 1) * width] } }
      return try Tensor(values, shape: parts[0].shape.dropLast() + [width * gates.count])
    }
  }

  private func model(_ layer: LayerSpec, _ parameters: [(String, Tensor)], channels: Int) throws -> Model {
    let spec = ModelSpec.sequential(
      name: "m",
      layers: [.init(name: "x", spec: .input(InputSpec(shape: [nil, channels]))), .init(name: "lstm", spec: layer)])
    return try Model(
      NativeModel(
        spec: spec, parameters: parameters.map { .init(layer: "lstm", name: $0.0, tensor: $0.1) },
        provenance: Provenance(source: "", container: "", framework: "", dialect: "")))
  }

  private func expectClose(_ found: [Float], _ stated: [Double]) {
    let excess = Tolerance.excess(
      of: found, over: stated.map { Float($0) }, twin: nil, absolute: 2e-6, relative: 1e-5)
    #expect(excess <= 0)
  }

  private static let variants: [(String, LSTMVariantSpec, gates: [String])] = {
    var projected = LSTMVariantSpec.vanilla(units: 5)
    (projected.projection, projected.cellClip, projected.projectionClip) = (3, 0.75, 0.5)
    var coupled = LSTMVariantSpec.vanilla(units: 5)
    coupled.forgetGate = .fromInputGate
    let all = ["i", "f", "g", "o"]
    return [
      ("1997", .original1997(units: 5), ["i", "g", "o"]), ("1999", .forget1999(units: 5), all),
      ("2000", .peephole2000(units: 5), all), ("2005", .vanilla(units: 5), all), ("2014", projected, all),
      ("2015", coupled, ["i", "g", "o"]),
    ]
  }()

  @Test(arguments: variants.map(\.0))
  func equalsNumPy(_ year: String) throws {
    var (_, spec, gates) = try #require(Self.variants.first { $0.0 == year })
    spec.options.returnSequences = true
    let statement = try Statement(year)
    var parameters = [
      ("kernel", try statement.joined("K", gates)), ("recurrent_kernel", try statement.joined("R", gates)),
      ("bias", try statement.joined("b", gates)),
    ]
    if spec.peepholes {
      let seeing = gates.filter { $0 != "g" }
      let values = try seeing.flatMap { try statement.tensor("p_\($0)").floats() }
      parameters.append(("peephole_kernel", try Tensor(values, shape: [seeing.count, spec.units])))
    }
    if spec.projection != nil { parameters.append(("projection_kernel", try statement.tensor("P"))) }
    let x = try statement.tensor("x")
    let y = try statement.tensor("y").doubles()
    let model = try model(.lstmVariant(spec), parameters, channels: x.shape[2])
    let naive = try NaiveModel.predict([x], model)[0]
    // Seven steps of sums of about ten products around 1, in float32 and in float64.
    expectClose(try model.predict([x])[0].floats(), y)
    try #require(naive.count == y.count)
    #expect(zip(naive, y).allSatisfy { abs($0 - $1) <= 1e-12 })
  }

  /// 4 sigmoid(a) - 2 is 2 tanh(a / 2), and 2 sigmoid(s) - 1 is tanh(s / 2): the LSTM of 1997 is today's with the cell state
  /// halved, the candidate's arrays halved and a forget gate that is open; that of 1999 the same with its own forget gate.
  @Test(arguments: ["1997", "1999"])
  func isTodaysLSTMFolded(_ year: String) throws {
    let statement = try Statement(year)
    let x = try statement.tensor("x")
    let (channels, units) = (x.shape[2], 5)
    func arrays(_ letter: String, rows: Int, open: Float) throws -> Tensor {
      let gates = ["i", "f", "g", "o"].map { gate -> [Float] in
        guard let tensor = statement.arrays["\(letter)_\(gate)"] else {
          return [Float](repeating: open, count: rows * units)
        }
        return tensor.floats().map { gate == "g" ? $0 / 2 : $0 }
      }
      let values = (0..<rows).flatMap { row in gates.flatMap { $0[row * units..<(row + 1) * units] } }
      return try Tensor(values, shape: letter == "b" ? [4 * units] : [rows, 4 * units])
    }
    var spec = LSTMSpec(units: units)
    spec.options.returnSequences = true
    // A bias of 17 or more opens a gate wholly in float32.
    let modern = try model(
      .lstm(spec),
      [
        ("kernel", try arrays("K", rows: channels, open: 0)),
        ("recurrent_kernel", try arrays("R", rows: units, open: 0)), ("bias", try arrays("b", rows: 1, open: 20)),
      ], channels: channels)
    expectClose(try modern.predict([x])[0].floats(), try statement.tensor("y").doubles())
  }
}
