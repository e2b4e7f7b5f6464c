import Foundation
import RNNContainers
import RNNConversion
import RNNCore
import RNNRuntime
import RNNTestSupport
import Testing

/// Models whose first layer reads text, against the framework that wrote them.
struct TextCaseTests {
  @Test(arguments: Case.texts)
  func outputsAgree(_ fixture: Case) throws {
    let model = try Model(try fixture.native())
    let rows = try UnicodeArray(contentsOf: fixture.folder.appendingPathComponent("inputs.npz")).rows
    let expected = try #require(try fixture.arrays("outputs.npz"))[0].tensor
    #expect(expected.shape[0] == rows.count)
    // Several columns are several words; in a line of text, tabs stand between them.
    let ids = try rows.map { row in
      try #require(try model.ids(for: row.joined(separator: "\t")).integers())
    }
    let theirs = expected.floats()
    let counts = model.native.spec.layers.contains { $0.spec.kind == .tokenCounts }
    if counts {
      // Filling up would count.
      for (index, row) in ids.enumerated() where !row.isEmpty {
        let found = try model.predict([try Tensor(row.map(Int64.init), shape: [1, row.count])])[0].floats()
        let width = theirs.count / rows.count
        try expectClose(found, Array(theirs[index * width..<(index + 1) * width]), "row \(index)")
      }
    } else {
      let width = ids.map(\.count).max() ?? 0
      let filled = ids.flatMap { row in
        (row + [Int](repeating: 0, count: width - row.count)).map(Int64.init)
      }
      let found = try model.predict([try Tensor(filled, shape: [rows.count, width])])[0]
      #expect(found.shape == expected.shape)
      try expectClose(found.floats(), theirs, "the batch")
    }
  }

  /// As for numbers: a few roundings of numbers around 1, and the order of long sums.
  private func expectClose(_ ours: [Float], _ theirs: [Float], _ what: String) throws {
    #expect(ours.count == theirs.count, "\(what)")
    #expect(Tolerance.excess(of: ours, over: theirs, twin: nil, absolute: 2e-6, relative: 1e-5) <= 0, "\(what)")
  }
}

/// The only array of an `.npz`, of NumPy's fixed-width text (`<U40`): by example, its columns.
private struct UnicodeArray {
  var rows: [[String]]

  init(contentsOf url: URL) throws {
    let archive = try ZipArchive(parsing: try Data(contentsOf: url))
    let bytes = [UInt8](try archive.contents(of: try #require(archive.members.first)))
    // Version 1 has two bytes for the header's length.
    try #require(bytes.count > 10 && bytes[6] == 1)
    let start = 10 + Int(bytes[8]) + Int(bytes[9]) << 8
    let header = String(decoding: bytes[10..<start], as: UTF8.self)
    let width = try #require(try #/'descr': '<U(\d+)'/#.firstMatch(in: header).flatMap { Int($0.1) })
    let stated = try #require(try #/'shape': \(([\d, ]*)\)/#.firstMatch(in: header))
    let shape = stated.1.split(separator: ",").compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
    let texts = (0..<shape.reduce(1, *)).map { index in
      var text = ""
      for character in 0..<width {
        let place = start + 4 * (index * width + character)
        let value = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) }
        if value != 0, let scalar = Unicode.Scalar(value) { text.unicodeScalars.append(scalar) }
      }
      return text
    }
    let columns = shape.dropFirst().reduce(1, *)
    rows = (0..<shape[0]).map { Array(texts[$0 * columns..<($0 + 1) * columns]) }
  }
}
