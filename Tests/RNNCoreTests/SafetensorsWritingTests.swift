import Foundation
import RNNCore
import RNNTestSupport
import Testing

@Suite struct SafetensorsWritingTests {
  private func tensor(_ dtype: DType, _ shape: [Int], _ generator: inout SeededGenerator) throws -> Tensor {
    let size = try #require(Tensor.byteCount(dtype: dtype, shape: shape))
    return try Tensor(
      dtype: dtype, shape: shape,
      bytes: Data((0..<size).map { _ in UInt8.random(in: .min ... .max, using: &generator) }))
  }

  private func everything() throws -> Safetensors {
    var generator = SeededGenerator(seed: 3)
    var file = Safetensors(metadata: [("z", "last \"first\""), ("a", "grüß\n\u{0}😀")])
    for dtype in DType.allCases {
      for (index, shape) in [[], [0], [3], [2, 3], [1, 0, 4]].enumerated() {
        file.entries.append(.init(name: "\(dtype.name)/\(index)", tensor: try tensor(dtype, shape, &generator)))
      }
    }
    file.entries.append(.init(name: "重み \"\\\n", tensor: try tensor(.float32, [2], &generator)))
    return file
  }

  @Test func anotherReaderUnderstandsIt() throws {
    let file = try everything()
    let read = try SecondSafetensorsReader(try file.serialized())
    #expect(read.metadata == ["z": "last \"first\"", "a": "grüß\n\u{0}😀"])
    #expect(read.entries.count == file.entries.count)
    for entry in file.entries {
      let tensor = entry.tensor
      #expect(
        read.entries[entry.name]
          == .init(dtype: tensor.dtype.rawValue, shape: tensor.shape, bytes: [UInt8](tensor.bytes)), "\(entry.name)")
    }
  }

  @Test func itComesBackAsItWas() throws {
    let file = try everything()
    let read = try Safetensors(parsing: try file.serialized())
    #expect(read.metadata.map(\.key) == ["z", "a"])
    // Tensors without bytes share their place with their neighbour; among the others the order stays.
    #expect(read.entries.filter { $0.tensor.count > 0 } == file.entries.filter { $0.tensor.count > 0 })
    #expect(Set(read.entries.map(\.name)) == Set(file.entries.map(\.name)))
  }

  @Test func theHeaderEndsOnAMultipleOfEight() throws {
    for length in 0..<20 {
      let name = String(repeating: "n", count: length)
      let file = Safetensors(entries: [.init(name: name, tensor: try Tensor([1] as [Float], shape: []))])
      let read = try SecondSafetensorsReader(try file.serialized())
      #expect(read.headerLength % 8 == 0)
      #expect(read.entries[name]?.bytes == [0, 0, 0x80, 0x3F])
    }
    #expect(try Safetensors().serialized() == Data([8, 0, 0, 0, 0, 0, 0, 0]) + Data("{}      ".utf8))
  }

  @Test func twoTensorsOfOneNameAreNotWritten() throws {
    let entry = Safetensors.Entry(name: "a", tensor: try Tensor([1] as [Float], shape: []))
    expectError(.internalError) { try Safetensors(entries: [entry, entry]).serialized() }
  }

  @Test func sizesThatOverflowAreNotWritten() {
    for shapes in [[[Int.max, 2]], [[.max], [.max]], [[-1]]] {
      let descriptions = shapes.enumerated().map {
        Safetensors.Description(name: "\($0.offset)", dtype: .uint8, shape: $0.element)
      }
      expectError(.badData) { try Safetensors.header(metadata: [], descriptions: descriptions) }
    }
  }

  @Test func writingStopsWithTheSink() throws {
    struct Full: Error {}
    let file = try everything()
    var pieces = 0
    #expect(throws: Full.self) {
      try file.write { _ in
        pieces += 1
        if pieces == 3 { throw Full() }
      }
    }
    #expect(pieces == 3)
  }
}
