import Foundation
import RNNCore
import Testing

@testable import RNNContainers

@Suite struct NPYTests {
  private func file(_ header: String, _ data: [UInt8], version: UInt8 = 1) -> Data {
    var result = Data(NPYHeader.magic + [version, 0])
    if version == 1 {
      result.append(littleEndian: UInt16(header.utf8.count))
    } else {
      result.append(littleEndian: UInt32(header.utf8.count))
    }
    return result + Data(header.utf8) + Data(data)
  }

  private func header(_ descr: String, _ shape: String, fortran: Bool = false) -> String {
    "{'descr': \(descr), 'fortran_order': \(fortran ? "True" : "False"), 'shape': \(shape), }\n"
  }

  @Test func readsEveryType() throws {
    let types: [(String, DType)] = [
      ("|b1", .bool), ("|i1", .int8), ("|u1", .uint8), ("<i2", .int16), ("<u2", .uint16), ("<i4", .int32),
      ("<u4", .uint32), ("<i8", .int64), ("<u8", .uint64), ("<f2", .float16), ("<f4", .float32), ("<f8", .float64),
      ("=f4", .float32), ("f4", .float32), ("<V2", .bfloat16),
    ]
    for (descr, dtype) in types {
      let bytes = (0..<UInt8(2 * dtype.byteCount)).map { $0 }
      let tensor = try Tensor(npy: file(header("'\(descr)'", "(2,)"), bytes).shifted)
      #expect(tensor == (try Tensor(dtype: dtype, shape: [2], bytes: Data(bytes))), "\(descr)")
    }
    let big = try Tensor(npy: file(header("'>i4'", "(2,)"), [0, 0, 1, 2, 255, 255, 255, 254]))
    #expect(big.integers() == [258, -2])
  }

  @Test(arguments: [1, 2, 3] as [UInt8]) func readsEveryVersion(version: UInt8) throws {
    #expect(try Tensor(npy: file(header("'<i2'", "()"), [5, 0], version: version)).integers() == [5])
  }

  @Test func readsLooseHeaders() throws {
    for text in [
      "{'shape': (2L,), 'descr': \"|u1\", 'fortran_order': False}",
      "{\"fortran_order\":False,'descr':'|u1','shape':(2,),}",
      "  {'descr': '|u1', 'fortran_order': False, 'shape': (2 , ) , }   \n",
    ] {
      #expect(try Tensor(npy: file(text, [7, 8])).integers() == [7, 8])
    }
  }

  @Test func turnsFortranOrderIntoRowMajor() throws {
    // a[i, j, k] = 100 i + 10 j + k over (2, 3, 4), the first index fastest.
    var bytes: [UInt8] = []
    for k in 0..<4 { for j in 0..<3 { for i in 0..<2 { bytes.append(UInt8(100 * i + 10 * j + k)) } } }
    let expected = (0..<2).flatMap { i in (0..<3).flatMap { j in (0..<4).map { k in 100 * i + 10 * j + k } } }
    #expect(try Tensor(npy: file(header("'|u1'", "(2, 3, 4)", fortran: true), bytes)).integers() == expected)
    let wide = bytes.flatMap { [UInt8(0), $0] }
    #expect(try Tensor(npy: file(header("'>i2'", "(2, 3, 4)", fortran: true), wide)).integers() == expected)
    for shape in ["()", "(1, 1)"] {
      #expect(try Tensor(npy: file(header("'|u1'", shape, fortran: true), [9])).integers() == [9])
    }
    #expect(try Tensor(npy: file(header("'|u1'", "(1, 2)", fortran: true), [8, 9])).integers() == [8, 9])
    #expect(try Tensor(npy: file(header("'<f4'", "(3, 0, 5)", fortran: true), [])).shape == [3, 0, 5])
  }

  @Test func refusesByName() {
    func refuses(_ descr: String, _ text: String) {
      expectError(.unsupported, containing: text) { try Tensor(npy: file(header(descr, "(1,)"), [0])) }
    }
    refuses("'|O'", "an object array (dtype '|O') is a Python pickle")
    refuses("'<U5'", "strings (dtype '<U5')")
    refuses("'|S3'", "strings (dtype '|S3')")
    refuses("'<c8'", "complex numbers (dtype '<c8')")
    refuses("'<f16'", "dtype '<f16'")
    refuses("'<M8[ns]'", "dates and times (dtype '<M8[ns]')")
    refuses("'|V2'", "dtype '|V2'")
    refuses("'<V1'", "dtype '<V1'")
    refuses("'<x9'", "dtype '<x9'")
    refuses("[('a', '<f4'), ('b', '<i2', (3,))]", "[('a', '<f4'), ('b', '<i2', (3,))]")
    expectError(.unsupported, containing: "version 9.0") {
      try Tensor(npy: Data(NPYHeader.magic + [9, 0, 0, 0, 0, 0]))
    }
  }

  @Test func refusesDamage() {
    func refuses(_ text: String, _ header: String, _ bytes: [UInt8] = [1, 2, 3, 4]) {
      expectError(.badData, containing: text) { try Tensor(npy: file(header, bytes)) }
    }
    refuses("cut off", header("'<f4'", "(2,)"))
    refuses("something follows", header("'|u1'", "(3,)"))
    refuses("too large", header("'<f8'", "(9223372036854775807, 4)"))
    refuses("cut off", header("'|u1'", "(9223372036854775807,)"))
    refuses("no number", header("'<f4'", "(9223372036854775808,)"))
    refuses("no size", header("'<f4'", "(-1,)"))
    refuses("expected a tuple", header("'<f4'", "1"))
    refuses("expected a tuple", header("'<f4'", "(1)"))
    refuses("no size", header("'<f4'", "('a',)"))
    refuses("rank 65", header("'|u1'", "(" + String(repeating: "1, ", count: 65) + ")"))
    refuses("keys", "{'descr': '<f4', 'shape': (1,)}")
    refuses("stands twice", "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}")
    refuses("True or False", "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}")
    refuses("text after", "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} 1")
    refuses("deeper", header(String(repeating: "[", count: 5000), "(1,)"))
    refuses("expected a value", "__import__('os')")
    refuses("no dictionary", "()")
    refuses("end", "{'descr")
    expectError(.badData, containing: "end early") {
      try Tensor(npy: Data(NPYHeader.magic + [2, 0, 255, 255, 255, 255]))
    }
    expectError(.badData) { try Tensor(npy: Data()) }
  }

  @Test func writesWhatItReads() throws {
    for dtype in DType.allCases {
      for shape in [[], [0], [3], [2, 3], [1, 0, 4]] {
        let size = try #require(Tensor.byteCount(dtype: dtype, shape: shape))
        let tensor = try Tensor(dtype: dtype, shape: shape, bytes: Data((0..<size).map { UInt8($0) }))
        let file = tensor.npy()
        #expect(try Tensor(npy: file) == tensor)
        #expect((file.count - size) % 64 == 0)
      }
    }
    // What numpy.save writes for numpy.zeros((3,), "<f4"), but for the room that newer versions leave.
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }"
    let header = try Tensor([1, 2, 3] as [Float], shape: [3]).npyHeader()
    #expect(header.prefix(10) == Data([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0, 0x76, 0]))
    #expect(header.dropFirst(10).prefix(text.utf8.count).elementsEqual(text.utf8))
    #expect(header.last == 0x0A)
  }

  @Test func survivesMutation() throws {
    let data = file(header("'<f4'", "(2, 3)", fortran: true), [UInt8](repeating: 1, count: 24))
    for length in 0..<data.count { #expect(throws: RNNError.self) { try Tensor(npy: data.prefix(length)) } }
    for index in data.indices {
      for value in UInt8.min...UInt8.max where value % 5 == 0 || value == 0xFF || (0x27...0x39).contains(value) {
        var copy = data
        copy[index] = value
        do { _ = try Tensor(npy: copy) } catch { #expect(error is RNNError) }
      }
    }
  }
}
