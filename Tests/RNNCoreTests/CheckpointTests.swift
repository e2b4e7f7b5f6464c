import Foundation
import RNNCore
import Testing

@Suite struct CheckpointTests {
  private func sample() throws -> Checkpoint {
    var checkpoint = Checkpoint()
    checkpoint.groups = ["b", "a", "a/empty", "\u{301}combining"]
    try checkpoint.append(try Tensor([1, 2] as [Float], shape: [2]), at: "b/kernel:0")
    try checkpoint.append(try Tensor([3] as [Int64], shape: []), at: "a/x")
    try checkpoint.append(try Tensor([] as [Float], shape: [0, 3]), at: "\u{301}x")
    try checkpoint.setAttribute("text", .string("grüß \"\\\n"), at: "")
    try checkpoint.setAttribute("names", .strings(["b", "", "a"]), at: "b")
    try checkpoint.setAttribute("none", .strings([]), at: "b")
    try checkpoint.setAttribute(
      "half", .tensor(try Tensor(dtype: .float16, shape: [1], bytes: Data([0, 0x3C]))), at: "b")
    try checkpoint.setAttribute("names", .tensor(try Tensor([5] as [Int64], shape: [1])), at: "a/x")
    return checkpoint
  }

  @Test func tensorsAndAttributesAreFoundAndKeepTheirOrder() throws {
    let checkpoint = try sample()
    #expect(checkpoint.entries.map(\.path) == ["b/kernel:0", "a/x", "\u{301}x"])
    #expect(checkpoint.tensor(at: "a/x")?.integers() == [3])
    #expect(checkpoint.tensor(at: "a") == nil)
    #expect(checkpoint.attribute("names", at: "b")?.strings == ["b", "", "a"])
    #expect(checkpoint.attribute("names", at: "") == nil)
    #expect(checkpoint.attribute("text", at: "")?.string == "grüß \"\\\n")
    #expect(checkpoint.attributes.map(\.name) == ["text", "names", "none", "half", "names"])
  }

  @Test func nothingStandsTwice() throws {
    var checkpoint = try sample()
    expectError(.badData, naming: "a/x") { try checkpoint.append(try Tensor([1] as [Float], shape: [1]), at: "a/x") }
    expectError(.badData, naming: "'names'", "b") { try checkpoint.setAttribute("names", .string(""), at: "b") }
  }

  /// An empty list is stored as an empty array; every other array is no list of names.
  @Test func anEmptyArrayIsAnEmptyList() throws {
    #expect(AttributeValue.tensor(try Tensor([] as [Float], shape: [0])).strings == [])
    #expect(AttributeValue.tensor(try Tensor([1] as [Float], shape: [1])).strings == nil)
    #expect(AttributeValue.string("a").strings == nil)
    #expect(AttributeValue.strings(["a"]).string == nil)
  }

  @Test func pathsJoinAndHaveParents() {
    #expect(CheckpointPath.join("a", "", "b/c") == "a/b/c")
    #expect(CheckpointPath.join("", "a") == "a")
    #expect(CheckpointPath.parent(of: "a/b/c") == "a/b")
    #expect(CheckpointPath.parent(of: "a").isEmpty)
  }

  // MARK: - As an image, between the HDF5 helper and its caller

  @Test func anImageComesBack() throws {
    let checkpoint = try sample()
    let image = CheckpointImage.safetensors(of: checkpoint)
    let read = try CheckpointImage.checkpoint(from: Safetensors(parsing: try image.serialized()))
    #expect(read.groups == checkpoint.groups)
    #expect(read.attributes == checkpoint.attributes)
    for entry in checkpoint.entries { #expect(read.tensor(at: entry.path) == entry.tensor, "\(entry.path)") }
    #expect(read.entries.count == 3)
  }

  /// Places stand between the tensors that were sent, at any distance in the input.
  @Test func placesAreReadFromTheInput() throws {
    let input = Data((0..<32).map { UInt8($0) })
    let sent = try sample()
    func image(_ places: [CheckpointImage.Place]) -> Safetensors {
      var image = CheckpointImage.safetensors(of: sent)
      image.setMetadata("places", nil)
      let metadata = CheckpointImage.metadata(of: sent, places: places).metadata
      image.setMetadata("places", metadata.first { $0.key == "places" }?.value)
      return image
    }
    func place(_ number: Int, _ path: String, _ shape: [Int], _ offset: Int) -> CheckpointImage.Place {
      CheckpointImage.Place(number: number, path: path, dtype: .uint16, shape: shape, offset: offset)
    }
    let places = [place(0, "first", [2], 3), place(2, "third", [16], 0), place(5, "last", [], 30)]
    let read = try CheckpointImage.checkpoint(from: image(places), input: input)
    let paths = sent.entries.map(\.path)
    #expect(read.entries.map(\.path) == ["first", paths[0], "third", paths[1], paths[2], "last"])
    #expect(read.tensor(at: "first")?.bytes == Data([3, 4, 5, 6]))
    #expect(read.tensor(at: "third")?.bytes == input)
    #expect(read.tensor(at: "last")?.bytes == Data([30, 31]))
    // As a part of something larger.
    let part = (Data([255, 255]) + input)[2...]
    #expect(try CheckpointImage.checkpoint(from: image(places), input: part).entries == read.entries)
    for wrong in [
      [place(0, "x", [2], 29)], [place(0, "x", [17], 0)], [place(0, "x", [1], -1)], [place(0, "x", [1], .max)],
      [place(1, "x", [1], 0), place(1, "y", [1], 0)], [place(1, "x", [1], 0), place(0, "y", [1], 0)],
      [place(0, "x", [1], 0), place(1, "x", [1], 0)],
    ] {
      expectError(.badData) { try CheckpointImage.checkpoint(from: image(wrong), input: input) }
    }
  }

  @Test func emptyImagesComeBack() throws {
    let image = CheckpointImage.safetensors(of: Checkpoint())
    let read = try CheckpointImage.checkpoint(from: Safetensors(parsing: try image.serialized()))
    #expect(read.entries.isEmpty && read.groups.isEmpty && read.attributes.isEmpty)
  }

  /// What the helper sends is checked as if it came from a stranger.
  @Test func malformedImagesAreRefused() throws {
    let good = CheckpointImage.safetensors(of: try sample())
    func refuses(_ key: String, _ value: String?) {
      var image = good
      image.setMetadata(key, value)
      expectError(.badData) { try CheckpointImage.checkpoint(from: image) }
    }
    for key in ["groups", "attributes", "places"] {
      refuses(key, nil)
      for value in ["", "{", "{}", "1", "null"] { refuses(key, value) }
    }
    for attribute in [
      "[1]", "[[]]", #"[["", "x"]]"#, #"[["", "x", 1, 2]]"#, #"[[1, "x", "y"]]"#, #"[["", 2, "y"]]"#,
      #"[["", "x", null]]"#,
      #"[["", "x", {}]]"#, #"[["", "x", 1.5]]"#, #"[["", "x", 99]]"#, #"[["", "x", -1]]"#,
      #"[["", "x", "1"], ["", "x", "2"]]"#,
    ] { refuses("attributes", attribute) }
    for place in [
      "[1]", "[[]]", #"[[0, "x", "F32", [1]]]"#, #"[[0, "x", "F32", [1], 0, 0]]"#, #"[["0", "x", "F32", [1], 0]]"#,
      #"[[0, 1, "F32", [1], 0]]"#, #"[[0, "x", "float32", [1], 0]]"#, #"[[0, "x", "F32", 1, 0]]"#,
      #"[[0, "x", "F32", [1.5], 0]]"#, #"[[0, "x", "F32", [1], "0"]]"#,
      // Not in the input, which is empty here.
      #"[[0, "x", "F32", [1], 0]]"#, #"[[0, "x", "F32", [-1], 0]]"#, #"[[0, "x", "F32", [0], 1]]"#,
      #"[[0, "x", "F32", [4611686018427387904, 4], 0]]"#,
      // Behind more datasets than there are.
      #"[[9, "x", "F32", [0], 0]]"#, #"[[-1, "x", "F32", [0], 0]]"#,
    ] { refuses("places", place) }
    for name in ["", "x", "tensors/a", "tensor"] {
      var image = good
      image.entries.append(.init(name: name, tensor: try Tensor([1] as [Float], shape: [])))
      expectError(.badData) { try CheckpointImage.checkpoint(from: image) }
    }
  }
}
