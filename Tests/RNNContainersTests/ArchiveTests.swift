import Foundation
import RNNCore
import Testing

@testable import RNNContainers

@Suite struct ArchiveTests {
  private func archive(_ members: [(String, String)]) throws -> Data {
    var result = Data()
    var writer = ZipWriter()
    for (name, content) in members { try writer.add(name, [Data(content.utf8)]) { result.append($0) } }
    try writer.finish { result.append($0) }
    return result
  }

  private func keras(_ members: [(String, String)]) throws -> KerasArchive {
    try KerasArchive(parsing: ZipArchive(parsing: try archive(members)))
  }

  @Test(arguments: [false, true]) func writesAndReadsNPZ(compressed: Bool) throws {
    let arrays: [(String, Tensor)] = [
      ("arr_0", try Tensor([1, 2, 3] as [Float], shape: [3])), ("lstm/größe", try Tensor([7] as [Int64], shape: [])),
      ("empty", try Tensor([] as [Float], shape: [0, 4])),
      ("half", try Tensor(dtype: .bfloat16, shape: [1], bytes: Data([1, 2]))),
    ]
    var data = Data()
    try NPZ.write(arrays, compressed: compressed) { data.append($0) }
    let read = try NPZ.read(data)
    #expect(read.map(\.name) == arrays.map(\.0))
    #expect(read.map(\.tensor) == arrays.map(\.1))
    #expect(ContainerKind.recognise(data) == .npz)
  }

  @Test func namesTheMemberOfAnNPZThatIsWrong() throws {
    let odd = try archive([("readme.txt", "x")])
    expectError(.unsupported, containing: "member 'readme.txt'") { try NPZ.read(odd) }
    let broken = try archive([("a.npy", "x")])
    expectError(.badData, containing: "member 'a.npy': no .npy file") { try NPZ.read(broken) }
  }

  @Test func readsAKerasArchive() throws {
    let read = try keras([
      ("metadata.json", #"{"keras_version": "3.15.1"}"#), ("config.json", #"{"a": NaN}"#), ("model.weights.h5", "w"),
      ("assets/", ""), ("assets\\text\\words.txt", "one"),
    ])
    #expect(read.kerasVersion == "3.15.1")
    #expect(read.configJSON == #"{"a": NaN}"#)
    #expect(read.weights == Data("w".utf8))
    #expect(read.assets == [Checkpoint.Blob(name: "assets/text/words.txt", bytes: Data("one".utf8))])
  }

  @Test func refusesAKerasArchiveThatLacksAPart() throws {
    let whole = [("metadata.json", "{}"), ("config.json", "{}"), ("model.weights.h5", "w")]
    for index in whole.indices {
      var members = whole
      let name = members.remove(at: index).0
      expectError(.badData, containing: "no member '\(name)'") { try keras(members) }
    }
    for name in ["model.weights.npz", "model.weights.json"] {
      expectError(.unsupported, containing: name) { try keras(Array(whole.prefix(2)) + [(name, "w")]) }
    }
    expectError(.badData, containing: "metadata.json") { try keras([("metadata.json", "{")] + whole.dropFirst()) }
  }

  @Test func recognisesByContent() throws {
    func kind(_ data: Data) -> ContainerKind { .recognise(data.shifted) }
    let hdf5 = Data([0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A])
    #expect(kind(hdf5) == .hdf5)
    for offset in [512, 1024, 2048, 4096] { #expect(kind(Data(count: offset) + hdf5) == .hdf5) }
    #expect(kind(Data(count: 513) + hdf5) != .hdf5)
    #expect(kind(try Tensor([1] as [Float], shape: [1]).npy()) == .npy)
    #expect(kind(try archive([("config.json", ""), ("metadata.json", "")])) == .kerasArchive)
    #expect(kind(try archive([("x/data.pkl", "")])) == .torchZip)
    #expect(kind(try archive([("x.csv", "")])) == .otherZip)
    #expect(kind(try archive([])) == .otherZip)
    #expect(kind(try archive([("a.npy", "")]).dropLast(3)) == .damagedZip)
    #expect(kind(Data(hex: "80028A0A6CFC9C46F920 6AA850192E 80")) == .torchLegacy)
    #expect(kind(try Safetensors().serialized()) == .safetensors)
    #expect(kind(Data(" \n{}".utf8)) == .json)
    #expect(kind(Data(hex: "EFBBBF 5B5D")) == .json)
    #expect(kind(Data(hex: "8004 4E 2E")) == .pickle)
    #expect(kind(Data("ccopy_reg\n_reconstructor\np0\n.".utf8)) == .pickle)
    #expect(kind(Data("(dp0\n.".utf8)) == .pickle)
    #expect(kind(Data("a text.".utf8)) == .unknown)
    #expect(kind(Data()) == .unknown)
    #expect(kind(Data(hex: "0808 1203 616263 3A00 4200")) == .onnx)
    #expect(kind(Data(hex: "0808 12FFFFFFFFFFFFFFFFFF01 00")) == .unknown)
  }

  // MARK: - Real files

  @Test func readsRealNPZFiles() throws {
    for url in TestFiles.files(under: TestFiles.shared("wild"), withExtension: "npz") {
      let data = try Data(contentsOf: url, options: .mappedIfSafe)
      #expect(ContainerKind.recognise(data) == .npz)
      let arrays = try NPZ.read(data)
      #expect(!arrays.isEmpty, "\(url.path)")
    }
  }

  @Test func readsRealKerasArchives() throws {
    for folder in ["container-samples", "wild"] {
      for url in TestFiles.files(under: TestFiles.shared(folder), withExtension: "keras") {
        let data = try Data(contentsOf: url, options: .mappedIfSafe)
        let kind = ContainerKind.recognise(data)
        #expect(kind == .kerasArchive || kind == .hdf5, "\(url.path)")
        guard kind == .kerasArchive else { continue }
        let archive = try KerasArchive(parsing: ZipArchive(parsing: data))
        #expect(ContainerKind.recognise(archive.weights) == .hdf5, "\(url.path)")
        #expect(archive.kerasVersion != nil)
        #expect(try JSONValue(parsing: archive.configJSON)["class_name"]?.string != nil)
      }
    }
  }

  @Test func recognisesRealFiles() {
    for (ext, kinds) in [
      ("onnx", [ContainerKind.onnx]), ("pt", [.torchZip, .torchLegacy]), ("pth", [.torchZip, .torchLegacy]),
      ("h5", [.hdf5]), ("pickle", [.pickle]), ("tflite", [.tflite]),
    ] {
      for folder in ["container-samples", "wild"] {
        for url in TestFiles.files(under: TestFiles.shared(folder), withExtension: ext) {
          guard let data = try? Data(contentsOf: url, options: .mappedIfSafe) else { continue }
          let kind = ContainerKind.recognise(data)
          #expect(kinds.contains(kind), "\(url.path) is \(kind)")
        }
      }
    }
  }

  @Test func namesTheObjectArraysOfIMDB() throws {
    guard let data = TestFiles.contents(TestFiles.shared("imdb.npz")) else { return }
    expectError(.unsupported, containing: "object array") { try NPZ.read(data) }
  }
}
