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
    for key in ["groups", "attributes"] {
      refuses(key, nil)
      for value in ["", "{", "{}", "1", "null"] { refuses(key, value) }
    }
    for attribute in [
      "[1]", "[[]]", #"[["", "x"]]"#, #"[["", "x", 1, 2]]"#, #"[[1, "x", "y"]]"#, #"[["", 2, "y"]]"#,
      #"[["", "x", null]]"#,
      #"[["", "x", {}]]"#, #"[["", "x", 1.5]]"#, #"[["", "x", 99]]"#, #"[["", "x", -1]]"#,
      #"[["", "x", "1"], ["", "x", "2"]]"#,
    ] { refuses("attributes", attribute) }
    for name in ["", "x", "tensors/a", "tensor"] {
      var image = good
      image.entries.append(.init(name: name, tensor: try Tensor([1] as [Float], shape: [])))
      expectError(.badData) { try CheckpointImage.checkpoint(from: image) }
    }
  }
}
