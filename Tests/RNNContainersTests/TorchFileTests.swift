import Foundation
import RNNCore
import RNNTestSupport
import Testing

@testable import RNNContainers

/// Files of `torch.save`, and what is no such file.
struct TorchFileTests {
  // MARK: - Pickles by hand

  /// `collections.OrderedDict` with one tensor under "w", protocol 2.
  private func stateDict(
    storage: String = "FloatStorage", count: Int = 6, offset: Int = 0, sizes: [Int] = [2, 3], strides: [Int] = [3, 1],
    extra: [UInt8] = []
  ) -> Data {
    var p = PickleText()
    p.global("collections", "OrderedDict")
    p.raw([0x29, 0x52])  // ()R
    p.raw([0x28])
    p.string("w")
    p.tensor(storage: storage, key: "0", count: count, offset: offset, sizes: sizes, strides: strides)
    p.raw([0x75])
    p.raw(extra)
    return p.finished
  }

  private func archive(
    _ pickle: Data, storages: [String: Data] = ["0": TorchFileTests.sixFloats], more: [String: Data] = [:]
  )
    throws -> Data
  {
    var zip = ZipWriter()
    var data = Data()
    try zip.add("m/data.pkl", [pickle]) { data.append($0) }
    for (key, bytes) in storages.sorted(by: { $0.key < $1.key }) {
      try zip.add("m/data/\(key)", [bytes]) { data.append($0) }
    }
    for (name, bytes) in more { try zip.add(name, [bytes]) { data.append($0) } }
    try zip.finish { data.append($0) }
    return data
  }

  private static let sixFloats = ([0, 1, 2, 3, 4, 5] as [Float]).withUnsafeBytes { Data($0) }

  private func read(_ data: Data) throws -> Checkpoint { try TorchFile.checkpoint(zip: data) }

  private func refuses(
    _ reason: RNNError.Reason, naming text: String, location: SourceLocation = #_sourceLocation, _ data: Data
  ) {
    #expect(sourceLocation: location) { try read(data) } throws: { error in
      (error as? RNNError)?.reason == reason && "\(error)".contains(text)
    }
  }

  @Test func viewsAreReadByTheirStrides() throws {
    let whole = try read(try archive(stateDict()))
    #expect(whole.tensor(at: "w")?.floats() == [0, 1, 2, 3, 4, 5])
    #expect(whole.tensor(at: "w")?.shape == [2, 3])
    let turned = try read(try archive(stateDict(sizes: [3, 2], strides: [1, 3])))
    #expect(turned.tensor(at: "w")?.floats() == [0, 3, 1, 4, 2, 5])
    let column = try read(try archive(stateDict(offset: 1, sizes: [2], strides: [3])))
    #expect(column.tensor(at: "w")?.floats() == [1, 4])
    let said = try read(try archive(stateDict(sizes: [2, 3], strides: [0, 1])))
    #expect(said.tensor(at: "w")?.floats() == [0, 1, 2, 0, 1, 2])
    let scalar = try read(try archive(stateDict(offset: 5, sizes: [], strides: [])))
    #expect(scalar.tensor(at: "w")?.floats() == [5] && scalar.tensor(at: "w")?.shape == [])
    let empty = try read(try archive(stateDict(sizes: [0, 3], strides: [3, 1])))
    #expect(empty.tensor(at: "w")?.shape == [0, 3])
  }

  @Test func whatReachesPastItsStorageIsRefused() throws {
    refuses(.badData, naming: "past its storage", try archive(stateDict(offset: 1)))
    refuses(.badData, naming: "past its storage", try archive(stateDict(sizes: [2, 3], strides: [4, 1])))
    refuses(.badData, naming: "claims 7 numbers", try archive(stateDict(count: 7)))
    refuses(.badData, naming: "'0' is missing", try archive(stateDict(), storages: [:]))
    refuses(.badData, naming: "negative or absurd", try archive(stateDict(sizes: [-1, 3])))
    refuses(.badData, naming: "negative or absurd", try archive(stateDict(strides: [-3, 1])))
    refuses(
      .badData, naming: "negative or absurd", try archive(stateDict(sizes: [1 << 40, 1 << 40], strides: [0, 0])))
    refuses(.badData, naming: "strides", try archive(stateDict(sizes: [3, 1 << 20], strides: [1 << 62, 0])))
  }

  /// One number may claim any shape by strides of 0.
  @Test func aBombOfStridesIsRefused() throws {
    refuses(
      .unsupported, naming: "far more bytes", try archive(stateDict(sizes: [1 << 15, 1 << 15], strides: [0, 0])))
  }

  /// A hundred bytes that name 2^40 values: pairs of pairs, each half the same.
  @Test func aBombOfSharedPairsIsRefused() throws {
    var p = PickleText()
    p.raw([0x29])
    for _ in 0..<40 { p.raw([0x32, 0x86]) }  // DUP, TUPLE2
    refuses(.unsupported, naming: "values", try archive(p.finished))
  }

  /// The one place of an axis of one is found without its stride.
  @Test func theStrideOfOneElementMayBeAnything() throws {
    let checkpoint = try read(try archive(stateDict(offset: 1, sizes: [1, 2], strides: [Int.max, 2])))
    #expect(checkpoint.tensor(at: "w")?.floats() == [1, 3])
  }

  @Test func typesThatAreNotCarriedAreNamed() throws {
    refuses(
      .unsupported, naming: "ComplexFloatStorage", try archive(stateDict(storage: "ComplexFloatStorage", count: 1)))
    refuses(.unsupported, naming: "big-endian", try archive(stateDict(), more: ["m/byteorder": Data("big".utf8)]))
    refuses(
      .unsupported, naming: "TorchScript", try archive(stateDict(), more: ["m/code/__torch__.py": Data("x".utf8)]))
  }

  // MARK: - Code

  @Test(arguments: [
    ("posix", "system"), ("os", "system"), ("builtins", "eval"), ("__builtin__", "getattr"), ("subprocess", "Popen"),
    ("functools", "partial"), ("torch.nn.functional", "relu"), ("torch._utils", "_rebuild_qtensor"),
  ])
  func whatIsCalledIsRefusedByName(_ module: String, _ name: String) throws {
    var p = PickleText()
    p.global(module, name)
    p.string("echo")
    p.raw([0x85, 0x52])  // a tuple of one, REDUCE
    refuses(.unsupported, naming: "\(module).\(name)", try archive(p.finished))
  }

  /// A function or class that is only mentioned could be called by whoever opens the file in Python: a hook.
  @Test func whatMayBeCodeIsRefusedByName() throws {
    var p = PickleText()
    p.raw([0x7D, 0x28])
    p.string("hook")
    p.global("__main__", "print_gradient")
    p.raw([0x75])
    refuses(.unsupported, naming: "__main__.print_gradient", try archive(p.finished))
  }

  // MARK: - Modules

  /// An instance of a class that nothing is known of is a record of its fields.
  @Test func aModuleOfAnUnknownClassIsItsTensorsAndFields() throws {
    func module(_ p: inout PickleText, _ className: String, _ body: (inout PickleText) -> Void) {
      p.global("__main__", className)
      p.raw([0x29, 0x81, 0x7D, 0x28])  // () NEWOBJ, a dictionary
      body(&p)
      p.raw([0x75, 0x62])  // its items, BUILD
    }
    var p = PickleText()
    module(&p, "Net") { p in
      p.string("hidden")
      p.raw([0x4B, 20])
      p.string("_parameters")
      p.raw([0x7D, 0x28])
      p.string("scale")
      p.tensor(storage: "FloatStorage", key: "0", count: 6, offset: 0, sizes: [6], strides: [1])
      p.string("absent")
      p.raw([0x4E, 0x75])
      p.string("_buffers")
      p.raw([0x7D])
      p.string("_modules")
      p.raw([0x7D, 0x28])
      p.string("fc")
      module(&p, "Inner") { p in
        for (name, has) in [("_parameters", true), ("_buffers", false), ("_modules", false)] {
          p.string(name)
          p.raw([0x7D])
          guard has else { continue }
          p.raw([0x28])
          p.string("weight")
          p.tensor(storage: "FloatStorage", key: "0", count: 6, offset: 0, sizes: [3, 2], strides: [2, 1])
          p.raw([0x75])
        }
      }
      p.raw([0x75])
    }
    let checkpoint = try read(try archive(p.finished))
    #expect(checkpoint.entries.map(\.path) == ["scale", "fc.weight"])
    guard case .torch(let net, let path) = checkpoint.architecture else {
      Issue.record("no module")
      return
    }
    #expect(path.isEmpty && net.className == "__main__.Net" && net.fields["hidden"]?.integer == 20)
    #expect(net.children.map(\.name) == ["fc"] && net.children[0].module.className == "__main__.Inner")
  }

  // MARK: - Files beside the project

  @Test func samplesOfPyTorchAreRead() throws {
    guard let folder = Fixtures.shared("container-samples/pt") else { return }
    func file(_ name: String) throws -> Data { try Data(contentsOf: folder.appendingPathComponent(name)) }
    #expect { try read(try file("crc.pt")) } throws: { "\($0)".contains("checksum") }
    let zip = try read(try file("sd.pt"))
    let old = try TorchFile.checkpoint(legacy: try file("legacy.pt"))
    #expect(zip.entries == old.entries && zip.entries.count == 28)
    #expect(try read(try file("tied.pt")).entries.count == 4)
  }

  @Test func wildFilesAreRead() throws {
    guard let wild = Fixtures.shared("wild") else { return }
    var count = 0
    for folder in Fixtures.cases(in: wild, where: { $0.lastPathComponent.hasPrefix("torch-") }) {
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      let data = try Data(
        contentsOf: folder.appendingPathComponent(try #require(names.first { $0.hasPrefix("model.") })))
      let checkpoint =
        ContainerKind.recognise(data) == .torchLegacy
        ? try TorchFile.checkpoint(legacy: data) : try TorchFile.checkpoint(zip: data)
      #expect(checkpoint.entries.count >= 6, "\(folder.lastPathComponent)")
      count += 1
    }
    #expect(count == 16)
  }

  /// No damage makes a trap, a hang or a bomb: the same files with bytes changed and cut.
  @Test func damageIsAnError() throws {
    let whole = try archive(stateDict())
    var random = SeededGenerator(seed: 61)
    for _ in 0..<600 {
      var data = whole
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        data[Int.random(in: 0..<data.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      if Bool.random(using: &random) { data = data.prefix(Int.random(in: 0..<data.count, using: &random)) }
      do { _ = try read(data) } catch { #expect(error is RNNError) }
    }
    // Inside the pickle, where the checksum would hide it.
    let pickle = stateDict()
    for _ in 0..<600 {
      var changed = pickle
      changed[Int.random(in: 0..<changed.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      do { _ = try read(try archive(changed)) } catch { #expect(error is RNNError) }
    }
  }
}

/// Pickles of protocol 2, opcode by opcode.
private struct PickleText {
  private var data = Data([0x80, 2])

  mutating func raw(_ bytes: [UInt8]) { data.append(contentsOf: bytes) }

  mutating func global(_ module: String, _ name: String) { data.append(Data("c\(module)\n\(name)\n".utf8)) }

  mutating func string(_ text: String) {
    raw([0x58] + withUnsafeBytes(of: UInt32(text.utf8.count).littleEndian) { Array($0) })
    data.append(Data(text.utf8))
  }

  mutating func integer(_ value: Int) {
    raw([0x8A, 8] + withUnsafeBytes(of: Int64(value).littleEndian) { Array($0) })
  }

  mutating func tensor(storage: String, key: String, count: Int, offset: Int, sizes: [Int], strides: [Int]) {
    global("torch._utils", "_rebuild_tensor_v2")
    raw([0x28, 0x28])
    string("storage")
    global("torch", storage)
    string(key)
    string("cpu")
    integer(count)
    raw([0x74, 0x51])  // a tuple, BINPERSID
    integer(offset)
    for numbers in [sizes, strides] {
      raw([0x28])
      for number in numbers { integer(number) }
      raw([0x74])
    }
    raw([0x89])
    global("collections", "OrderedDict")
    raw([0x29, 0x52, 0x74, 0x52])
  }

  var finished: Data { data + [0x2E] }
}
