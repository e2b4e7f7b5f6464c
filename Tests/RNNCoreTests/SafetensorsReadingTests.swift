import Foundation
import RNNCore
import Testing

/// containers.md, section D: what the Rust library does with each input, and where we are stricter.
@Suite struct SafetensorsReadingTests {
  private func file(_ header: String, _ data: [UInt8] = []) -> Data { file(Data(header.utf8), data) }

  private func file(_ header: Data, _ data: [UInt8] = []) -> Data {
    withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) } + header + Data(data)
  }

  private func read(_ header: String, _ data: [UInt8] = []) throws -> Safetensors {
    try Safetensors(parsing: file(header, data))
  }

  private func refuses(
    _ header: String, _ data: [UInt8] = [], _ message: String = "", reason: RNNError.Reason = .badData,
    location: SourceLocation = #_sourceLocation
  ) {
    expectError(reason, naming: message, location: location) { try read(header, data) }
  }

  private let one = #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#

  @Test func readsATensorAndItsMetadata() throws {
    let read = try read(
      #"{"__metadata__":{"z":"1","a":"x"},"a":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}}"#, [0, 0, 0x80, 0x3F])
    #expect(read.metadata.map(\.key) == ["z", "a"])
    #expect(read[metadata: "a"] == "x")
    #expect(read.entries.map(\.name) == ["a"])
    #expect(read.entries[0].tensor.shape == [1, 1])
    #expect(read.entries[0].tensor.floats() == [1])
  }

  @Test func entriesStandInTheOrderOfTheirBytes() throws {
    let read = try read(
      #"{"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#,
      [1, 2, 3])
    #expect(read.entries.map(\.name) == ["a", "b"])
    #expect(read.entries.map { $0.tensor.integers() } == [[1, 2], [3]])
  }

  @Test func acceptsWhatTheFormatAllows() throws {
    #expect(try read("{}").entries.isEmpty)
    #expect(try read(one + " \n\t ", [1, 2]).entries.count == 1)
    #expect(try read(#"{"":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}"#, [7]).entries[0].tensor.shape == [])
    let empty =
      #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"b":{"dtype":"F64","shape":[3,0],"data_offsets":[0,0]}}"#
    #expect(try read(empty).entries.count == 2)
    // Alignment is the writer's care alone.
    let odd =
      #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}"#
    #expect(try read(odd, [9, 0, 0, 0x80, 0x3F]).entries[1].tensor.floats() == [1])
    let more = #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"note":"x"}}"#
    #expect(try read(more, [1]).entries.count == 1)
    let vast = #"{"a":{"dtype":"U8","shape":[0,9223372036854775807],"data_offsets":[0,0]}}"#
    #expect(try read(vast).entries[0].tensor.count == 0)
  }

  @Test func slicesWithAnyStartIndexRead() throws {
    let shifted = (Data([1, 2, 3]) + file(one, [1, 2])).dropFirst(3)
    #expect(try Safetensors(parsing: shifted).entries[0].tensor.integers() == [1, 2])
  }

  @Test func theHeaderIsOneJSONObjectAndNothingElse() {
    for prefix in [" ", "\n", "\u{FEFF}"] { refuses(prefix + one, [1, 2], "begin") }
    refuses("[]", [], "begin")
    refuses("", [], "begin")
    refuses(one + "\0\0", [1, 2], "after the end")
    refuses(String(one.dropLast()) + ",}", [1, 2])
    refuses(#"{"a\ud800":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#, [], "surrogate")
    refuses("{\"a\":" + String(repeating: "[", count: 1000), [], "deeper")
    expectError(.badData, naming: "UTF-8") {
      try Safetensors(parsing: file(Data("{\"".utf8) + Data([0xFF]) + Data("\":{}}".utf8)))
    }
  }

  @Test func theLengthFieldIsBounded() {
    for count in 0..<8 { expectError(.badData, naming: "8 bytes") { try Safetensors(parsing: Data(count: count)) } }
    func length(_ value: UInt64) -> Data { withUnsafeBytes(of: value.littleEndian) { Data($0) } + Data("{}".utf8) }
    expectError(.badData, naming: "past the end") { try Safetensors(parsing: length(3)) }
    expectError(.badData, naming: "past the end") { try Safetensors(parsing: length(100_000_000)) }
    for value in [100_000_001, UInt64(Int64.max), .max] {
      expectError(.badData, naming: "longer than the allowed") { try Safetensors(parsing: length(value)) }
    }
  }

  @Test func bytesBelongToExactlyOneTensor() {
    refuses(one, [1, 2, 3], "belong to nothing")
    refuses(one, [1], "'a'")
    refuses(#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#, [1, 2], "gap")
    let hole =
      #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}"#
    refuses(hole, [1, 2, 3], "'b'")
    let overlap =
      #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"#
    refuses(overlap, [1, 2, 3], "'b'")
    let same =
      #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#
    refuses(same, [1, 2])
    let inside =
      #"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}}"#
    refuses(inside, [1, 2], "'b'")
  }

  @Test func offsetsAreTwoWholeNumbersInOrder() {
    func offsets(_ text: String) -> String { #"{"a":{"dtype":"U8","shape":[2],"data_offsets":\#(text)}}"# }
    for text in [
      "[2,0]", "[0]", "[0,1,2]", "[]", "[0.0,2.0]", "[-2,0]", "[0,\"2\"]", "[null,2]", "2", "{}", "null",
      "[0,18446744073709551616]", "[0,1e1]",
    ] { refuses(offsets(text), [1, 2], "'a'") }
    refuses(offsets("[0,9223372036854775807]"), [1, 2], "'a'")
    refuses(offsets("[9223372036854775807,9223372036854775807]"), [1, 2], "'a'")
  }

  @Test func theShapeIsThatOfTheBytes() {
    func shape(_ text: String) -> String { #"{"a":{"dtype":"F32","shape":\#(text),"data_offsets":[0,8]}}"# }
    for text in [
      "[1]", "[3]", "[]", "[2.0]", "[-2]", "[-1,-2]", "[\"2\"]", "[null]", "2", "[18446744073709551614]",
      "[4294967296,4294967296]", "[9223372036854775807,4]", "[4611686018427387904,8,0]", "[[2]]", "[true,2]",
    ] { refuses(shape(text), [UInt8](repeating: 0, count: 8), "'a'") }
  }

  @Test func typesAreNamedExactly() {
    func dtype(_ name: String) -> String { #"{"a":{"dtype":"\#(name)","shape":[2],"data_offsets":[0,2]}}"# }
    for name in ["u8", "float32", "F4", "F6_E2M3", "F8_E5M2", "F8_E4M3", "C64", "", "U8 "] {
      refuses(dtype(name), [1, 2], "dtype \(name)", reason: .unsupported)
    }
    refuses(#"{"a":{"dtype":8,"shape":[2],"data_offsets":[0,2]}}"#, [1, 2], "'a'")
  }

  @Test func fieldsAreComplete() {
    refuses(#"{"a":{"shape":[2],"data_offsets":[0,2]}}"#, [1, 2], "dtype")
    refuses(#"{"a":{"dtype":"U8","data_offsets":[0,2]}}"#, [1, 2], "shape")
    refuses(#"{"a":{"dtype":"U8","shape":[2]}}"#, [1, 2], "data_offsets")
    // The Rust library takes a list for a record; the specification does not.
    refuses(#"{"a":["U8",[2],[0,2]]}"#, [1, 2], "'a'")
    refuses(#"{"a":null}"#, [], "'a'")
  }

  /// Stricter than the Rust library, which lets the last one win.
  @Test func namesAreUnique() {
    let twice =
      #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"NAME":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#
    refuses(twice.replacingOccurrences(of: "NAME", with: "a"), [1, 2], "twice")
    refuses(twice.replacingOccurrences(of: "NAME", with: #"\u0061"#), [1, 2], "twice")
    refuses(#"{"__metadata__":{},"__metadata__":{}}"#, [], "twice")
    refuses(#"{"__metadata__":{"k":"1","k":"1"}}"#, [], "twice")
    refuses(#"{"a":{"dtype":"U8","dtype":"U8","shape":[2],"data_offsets":[0,2]}}"#, [1, 2], "twice")
  }

  @Test func metadataIsStringsByString() {
    for text in ["[]", "\"x\"", "1"] { refuses(#"{"__metadata__":\#(text)}"#, [], "__metadata__") }
    for text in ["1", "null", "{}", "[]", "true"] { refuses(#"{"__metadata__":{"key":\#(text)}}"#, [], "'key'") }
  }

  @Test func theSizeIsKnownFromTheHeaderAlone() throws {
    let text =
      #"{"__metadata__":{},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"#
      + #""b":{"dtype":"U8","shape":[9],"data_offsets":[2,11]}}"#
    #expect(try Safetensors.dataSize(header: Data(text.utf8)) == 11)
    #expect(try Safetensors.dataSize(header: Data("{}".utf8)) == 0)
  }
}
