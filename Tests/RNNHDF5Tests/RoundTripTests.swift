import Foundation
import RNNCore
import RNNHDF5
import RNNTestSupport
import Testing

extension HDF5Tests {
  @Suite struct RoundTripTests {
    private func tensor(_ dtype: DType, _ shape: [Int]) throws -> Tensor {
      let size = try #require(Tensor.byteCount(dtype: dtype, shape: shape))
      // Booleans are 0 and 1; everything else shows each byte's place.
      let bytes = (0..<size).map { dtype == .bool ? UInt8($0 % 2) : UInt8(truncatingIfNeeded: $0 * 41 + 3) }
      return try Tensor(dtype: dtype, shape: shape, bytes: Data(bytes))
    }

    private func comesBack(_ checkpoint: Checkpoint) throws -> Checkpoint {
      try readCheckpoint(try HDF5Writer.image(of: checkpoint))
    }

    @Test(arguments: DType.allCases) func everyTypeAndShape(dtype: DType) throws {
      var checkpoint = Checkpoint()
      for (index, shape) in [[], [1], [0], [5], [2, 3], [0, 3], [3, 0], [2, 1, 3, 1, 2]].enumerated() {
        try checkpoint.append(try tensor(dtype, shape), at: "t\(index)")
      }
      let read = try comesBack(checkpoint)
      #expect(read.entries == checkpoint.entries)
    }

    @Test func specialNumbersKeepTheirBits() throws {
      var checkpoint = Checkpoint()
      let singles: [UInt32] = [0x8000_0000, 1, 0x7F80_0000, 0xFF80_0000, 0x7FC0_0001, 0x7F7F_FFFF]
      let halves: [UInt16] = [0x8000, 1, 0x7C00, 0xFC00, 0x7E01, 0x7BFF]
      try checkpoint.append(try Tensor(singles.map(Float.init(bitPattern:)), shape: [6]), at: "f32")
      try checkpoint.append(
        try Tensor(dtype: .float16, shape: [6], bytes: Data(halves.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] })),
        at: "f16")
      let read = try comesBack(checkpoint)
      #expect(read.tensor(at: "f32")?.bytes == checkpoint.tensor(at: "f32")?.bytes)
      #expect(read.tensor(at: "f16")?.bytes == checkpoint.tensor(at: "f16")?.bytes)
    }

    @Test func groupsNestAndMayBeEmpty() throws {
      var checkpoint = Checkpoint()
      checkpoint.groups = ["a", "a/b", "a/b/c", "empty"]
      try checkpoint.append(try tensor(.float32, [2]), at: "a/b/c/kernel:0")
      try checkpoint.append(try tensor(.float32, [3]), at: "x/y/made on the way")
      try checkpoint.append(try tensor(.int64, []), at: "top")
      let read = try comesBack(checkpoint)
      #expect(Set(read.groups) == ["a", "a/b", "a/b/c", "empty", "x", "x/y"])
      #expect(Set(read.entries.map(\.path)) == ["a/b/c/kernel:0", "x/y/made on the way", "top"])
      for entry in checkpoint.entries { #expect(read.tensor(at: entry.path) == entry.tensor) }
    }

    @Test func attributesOfEveryKind() throws {
      var checkpoint = Checkpoint()
      checkpoint.groups = ["g"]
      try checkpoint.append(try tensor(.float32, [2]), at: "d")
      let long = String(repeating: "0123456789", count: 20_000)
      let values: [(String, AttributeValue)] = [
        ("text", .string("model")), ("empty text", .string("")), ("long", .string(long)),
        ("foreign", .string("grüß 重み 😀")),
        ("names", .strings(["kernel:0", "", "a b", "größer"])), ("one", .strings(["x"])),
        ("blank", .strings(["", ""])),
        ("floats", .tensor(try tensor(.float32, [2, 2]))), ("number", .tensor(try tensor(.int64, []))),
        ("flag", .tensor(try tensor(.bool, []))), ("half", .tensor(try tensor(.bfloat16, [3]))),
      ]
      for path in ["", "g", "d"] {
        for (name, value) in values { try checkpoint.setAttribute(name, value, at: path) }
      }
      let read = try comesBack(checkpoint)
      for path in ["", "g", "d"] {
        for (name, value) in values { #expect(read.attribute(name, at: path) == value, "\(path)@\(name)") }
      }
      #expect(read.attributes.count == 3 * values.count)
    }

    /// h5py stores an empty list as float64 of shape (0,), and Keras reads it back as no names.
    @Test func anEmptyListIsAnEmptyArray() throws {
      var checkpoint = Checkpoint()
      checkpoint.groups = ["g"]
      try checkpoint.setAttribute("weight_names", .strings([]), at: "g")
      let value = try #require(try comesBack(checkpoint).attribute("weight_names", at: "g"))
      #expect(value == .tensor(try Tensor(dtype: .float64, shape: [0], bytes: Data())))
      #expect(value.strings == [])
    }

    @Test func nothingAtAllIsAFileToo() throws {
      let read = try comesBack(Checkpoint())
      #expect(read.entries.isEmpty && read.groups.isEmpty && read.attributes.isEmpty)
    }

    @Test func manyLayersFillSeveralNodes() throws {
      var checkpoint = Checkpoint()
      for index in 0..<300 { try checkpoint.append(try Tensor([Int64(index)], shape: []), at: "g/layer_\(index)") }
      let read = try comesBack(checkpoint)
      #expect(read.entries.count == 300)
      for index in 0..<300 { #expect(read.tensor(at: "g/layer_\(index)")?.integers() == [index]) }
    }

    @Test func theSameCheckpointGivesTheSameBytes() throws {
      var checkpoint = Checkpoint()
      try checkpoint.append(try tensor(.float32, [2]), at: "g/d")
      try checkpoint.setAttribute("text", .string("x"), at: "g")
      #expect(try HDF5Writer.image(of: checkpoint) == HDF5Writer.image(of: checkpoint))
    }

    /// Superblock 0 (after the signature), which h5py of every age reads.
    @Test func theFileIsOfTheOldestFormat() throws {
      let image = try HDF5Writer.image(of: Checkpoint())
      #expect(image.prefix(9) == Data([0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A, 0]))
    }

    @Test func datasetsAreDescribedBeforeTheyAreRead() throws {
      var checkpoint = Checkpoint()
      let weights = try tensor(.float16, [3, 2])
      try checkpoint.append(weights, at: "g/d")
      try withReader(try HDF5Writer.image(of: checkpoint)) { reader in
        #expect(reader.datasets.map(\.path) == ["g/d"])
        #expect(reader.datasets[0].dtype == .float16)
        #expect(reader.datasets[0].shape == [3, 2])
        #expect(reader.structure.entries.isEmpty)
        let bytes = try reader.read(reader.datasets[0])
        #expect(bytes == weights.bytes)
      }
    }
  }
}
