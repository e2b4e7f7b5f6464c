import Foundation
import RNNCore
import RNNTestSupport
import Testing

@testable import RNNContainers

/// Object arrays of lists of ints: what Python 2.7 to 3.11 and NumPy 1.14 to 2.4 wrote (`fixtures/datasets`), and
/// pickles made by hand.
@Suite struct RaggedTests {
  private func fixture(_ name: String) throws -> Data {
    try Data(contentsOf: Fixtures.folder.appendingPathComponent("datasets/" + name))
  }

  private func expected() throws -> RaggedIntegers {
    let arrays = try NPZ.read(try fixture("lists.npz"))
    func integers(_ name: String) throws -> [Int] {
      try #require(arrays.first { $0.name == name }?.tensor.integers())
    }
    return try RaggedIntegers(values: try integers("values"), offsets: try integers("offsets"))
  }

  @Test(arguments: [
    "py27-p0", "py27-p1", "py27-p2", "py27-longs-p0", "py27-longs-p2", "py27-pure-p0", "py311-p0", "py311-p1",
    "py311-p2", "py311-p3", "py311-p4", "py311-p5",
  ])
  func readsEveryProtocol(_ origin: String) throws {
    let data = try fixture("lists-\(origin).npy")
    #expect(try RaggedIntegers(npy: data.shifted) == expected())
    // Only where the caller asks.
    expectError(.unsupported, containing: "object array") { try Tensor(npy: data) }
  }

  @Test(arguments: ["py27", "py36", "py37", "py311"]) func readsEveryArchive(_ origin: String) throws {
    let data = try fixture("lists-\(origin).npz")
    let arrays = try NPZ.readWithLists(data)
    #expect(arrays.map(\.name) == ["rows"])
    #expect(arrays.first?.array == .lists(try expected()))
    expectError(.unsupported, containing: "member 'rows.npy'") { try NPZ.read(data) }
  }

  @Test func readsArraysBesideLists() throws {
    let arrays = try NPZ.readWithLists(try fixture("lists.npz"))
    let expected = try NPZ.read(try fixture("lists.npz"))
    #expect(arrays.map(\.array) == expected.map { .tensor($0.tensor) })
  }

  @Test func readsOneListInManyPlaces() throws {
    let rows = try RaggedIntegers(npy: try fixture("lists-shared.npy"))
    #expect(rows == RaggedIntegers(rows: [[1, 2, 3], [], [1, 2, 3], [1, 2, 3]]))
    #expect((0..<rows.count).map { rows[$0].count } == [3, 0, 3, 3])
    #expect(rows.longest == 3)
    #expect(RaggedIntegers(rows: [[Int]]()).longest == 0)
  }

  @Test func refusesOtherContents() throws {
    let cases = [
      ("floats", "a float"), ("bools", "a bool in a list"), ("scalars", "multiarray.scalar"), ("arrays", "numpy"),
      ("strings", "a string in a list"), ("tuples", "a tuple in a list"), ("sets", "a set"),
      ("nested", "lists inside lists"), ("matrix", "[2, 2]"), ("wide", "beyond 64 bits"),
    ]
    for (name, text) in cases {
      let data = try fixture("refused-\(name).npy")
      expectError(.unsupported, containing: text) { try RaggedIntegers(npy: data) }
    }
    let tensor = try Tensor([1, 2] as [Float], shape: [2])
    expectError(.unsupported, containing: "'<f4'") { try RaggedIntegers(npy: tensor.npy()) }
  }

  @Test func offsetsMustFit() {
    for offsets in [[], [0], [0, 3], [1, 2], [0, 2, 1, 2]] {
      expectError(.badData) { try RaggedIntegers(values: [1, 2], offsets: offsets) }
    }
  }

  // MARK: - By hand

  /// An `.npy` file of this shape and pickle.
  private func npy(_ shape: String, _ pickle: Data) -> Data {
    let header = "{'descr': '|O', 'fortran_order': False, 'shape': \(shape), }\n"
    var result = Data(NPYHeader.magic + [1, 0])
    result.append(littleEndian: UInt16(header.utf8.count))
    return result + Data(header.utf8) + pickle
  }

  /// A pickle of an array of `count` rows whose list is what `list` leaves on the stack.
  private func pickle(count: UInt8, list: Data, end: String = "74 62 2E") -> Data {
    let head = "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
    return Data((head + "(I1\n").utf8) + Data(hex: "4B") + [count] + Data(hex: "85")
      + Data("cnumpy\ndtype\n(S'O8'\nI0\nI1\ntR(I3\nS'|'\nNNNI-1\nI-1\nI63\ntbI00\n".utf8) + list + Data(hex: end)
  }

  private func read(_ count: UInt8, _ list: String, shape: String? = nil) throws -> RaggedIntegers {
    try RaggedIntegers(npy: npy(shape ?? "(\(count),)", pickle(count: count, list: Data(hex: list))))
  }

  @Test func readsListsInAnyOrder() throws {
    #expect(try read(0, "5D") == RaggedIntegers(rows: [[Int]]()))
    #expect(try read(2, "5D 5D 4B01 61 61 5D 61") == RaggedIntegers(rows: [[1], []]))
    // LIST with its items after the mark; a list that goes on after another has begun.
    #expect(try read(2, "28 28 4B01 4B02 6C 28 4B03 6C 6C") == RaggedIntegers(rows: [[1, 2], [3]]))
    #expect(
      try read(3, "5D 28 5D 94 4B01 61 5D 94 4B02 61 6800 4B03 61 65") == RaggedIntegers(rows: [[1, 3], [2], [1, 3]]))
  }

  @Test func refusesHostileNames() {
    for text in ["cos\nsystem\n(S'id'\ntR.", "cnumpy\nload\n.", "c_codecs\ndecode\n.", "cbuiltins\neval\n."] {
      expectError(.unsupported, containing: "nothing in it is run") {
        try RaggedIntegers(npy: npy("(1,)", Data(text.utf8)))
      }
    }
    expectError(.unsupported, containing: "posix.system") {
      try RaggedIntegers(npy: npy("(1,)", Data(hex: "8004 8C05706F736978 8C0673797374656D 93 2E")))
    }
    let decode = Data("c_codecs\nencode\n(Vb\nVrot13\ntR.".utf8)
    expectError(.unsupported, containing: "latin1") { try RaggedIntegers(npy: npy("(1,)", decode)) }
    expectError(.unsupported, containing: "calls numpy.ndarray") {
      try RaggedIntegers(npy: npy("(1,)", Data("cnumpy\nndarray\n(I9999999\ntR.".utf8)))
    }
    let other = Data("cnumpy\ndtype\n(S'f8'\ntR.".utf8)
    expectError(.unsupported, containing: "the dtype 'f8'") { try RaggedIntegers(npy: npy("(1,)", other)) }
  }

  @Test func refusesEveryOtherOpcode() {
    for (hex, name) in [
      ("51", "BINPERSID"), ("92", "NEWOBJ_EX"), ("82", "EXT1"), ("6F", "OBJ"), ("97", "NEXT_BUFFER"), ("81", "NEWOBJ"),
      ("7D", "a dictionary"), ("8F", "a set"), ("30", "opcode pop"), ("47", "a float"), ("8B", "64 bits"),
      ("8006", "protocol 6"),
    ] {
      expectError(.unsupported, containing: name) { try RaggedIntegers(npy: npy("(1,)", Data(hex: "4E" + hex + "2E"))) }
    }
  }

  @Test func refusesStructuresThatContainThemselves() {
    let itself = "contains itself"
    expectError(.unsupported, containing: itself) { try read(1, "5D 94 6800 61") }
    // One in the other, and the other in the one.
    expectError(.unsupported, containing: itself) { try read(1, "5D 94 5D 94 6800 61 61") }
    // Three in a circle: caught when a list of lists is put into a list.
    expectError(.unsupported, containing: "lists inside lists") { try read(1, "5D 5D 5D 4B01 61 61 61") }
    expectError(.unsupported, containing: "at once") { try read(1, "5D 5D 61 4B01 61") }
    expectError(.unsupported, containing: "holds ints") { try read(1, "5D 4B01 61") }
  }

  @Test func refusesBombs() {
    // One list of 20,000 ints, 30,000 times.
    var bomb = Data(hex: "5D 5D 94 28")
    for _ in 0..<20_000 { bomb += [0x4B, 1] }
    bomb += Data(hex: "65 61 28")
    for _ in 0..<30_000 { bomb += [0x68, 0] }
    bomb += Data(hex: "65")
    expectError(.unsupported, containing: "so often") {
      try RaggedIntegers(npy: npy("(1,)", pickle(count: 1, list: bomb)))
    }
    expectError(.unsupported, containing: "64 tuples") { try read(1, String(repeating: "29", count: 65)) }
    expectError(.unsupported, containing: "64 strings") { try read(1, String(repeating: "5500", count: 65)) }
    expectError(.unsupported, containing: "64 marks") { try read(1, String(repeating: "28", count: 65)) }
    // Sizes that are not there.
    for hex in ["54FFFFFFFF", "42FFFFFF7F", "95FFFFFFFFFFFFFFFF", "8AFF", "4A00", "58FFFFFFFF"] {
      expectError(.badData) { try RaggedIntegers(npy: npy("(1,)", Data(hex: hex + "2E"))) }
    }
  }

  @Test func headerAndPickleMustAgree() {
    expectError(.badData, containing: "the header says 3 rows, but the pickle holds 2") {
      try read(2, "5D 5D 61 5D 61", shape: "(3,)")
    }
    expectError(.badData, containing: "its array has 1 rows, its shape says 2") { try read(2, "5D 5D 61") }
    expectError(.unsupported, containing: "[]") { try read(1, "5D 5D 61", shape: "()") }
  }

  @Test func refusesDamage() {
    for hex in [
      "", "2E", "4E", "FF", "52 2E", "4E 4E 52 2E", "62 2E", "5D 4E 62 2E", "61 2E", "5D 4B01 65 2E", "28 4B01 65 2E",
      "4E 28 4B01 65 2E", "6800 2E", "94 2E", "7100 2E", "28 2E", "85 2E", "4E 4E 93 2E", "49 61 0A 2E", "49 0A 2E",
      "49 2D 0A 2E", "67 2D 31 0A 2E", "4B", "63 6D", "5D 28 65 4E 28 61 2E",
    ] {
      expectError(.badData) { try RaggedIntegers(npy: npy("(1,)", Data(hex: hex))) }
    }
    let good = pickle(count: 1, list: Data(hex: "5D 5D 61"))
    #expect(throws: Never.self) { try RaggedIntegers(npy: npy("(1,)", good)) }
    expectError(.badData, containing: "something follows") { try RaggedIntegers(npy: npy("(1,)", good + [0])) }
    let head = Data("cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR.".utf8)
    expectError(.badData, containing: "no content") { try RaggedIntegers(npy: npy("(1,)", head)) }
  }

  @Test func survivesMutation() throws {
    for origin in ["shared", "py27-p0"] {
      var data = try fixture("lists-\(origin).npy")
      if origin != "shared" { data = npy("(2,)", pickle(count: 2, list: Data(hex: "5D 5D 4B01 61 61 5D 61"))) }
      for length in 0..<data.count {
        #expect(throws: RNNError.self) { try RaggedIntegers(npy: data.prefix(length)) }
      }
      for index in data.indices {
        for value in [UInt8(0x28), 0x52, 0x61, 0x65, 0x6C, 0xFF, data[index] ^ 1] {
          var copy = data
          copy[index] = value
          do { _ = try RaggedIntegers(npy: copy) } catch { #expect(error is RNNError) }
        }
      }
    }
  }
}
