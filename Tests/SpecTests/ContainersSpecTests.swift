import RNNTestSupport
import Testing

@testable import RNNContainers
@testable import RNNCore

/// `spec/containers.md` against the code.
struct ContainersSpecTests {
  let document: SpecDocument

  init() throws {
    document = try SpecDocument("containers.md")
  }

  @Test func kindsAreThoseOfTheCode() throws {
    let rows = try document.table("Recognition")
    #expect(rows.count == ContainerKind.allCases.count)
    #expect(Set(rows.map { $0[0].code }) == Set(ContainerKind.allCases.map(\.rawValue)))
    #expect(rows.last?[0].code == ContainerKind.unknown.rawValue)
  }

  @Test func signaturesAreRecognised() throws {
    for (kind, bytes) in [("hdf5", 8), ("npy", 6), ("torchLegacy", 15)] {
      let row = try #require(try document.table("Recognition").first { $0[0].code == kind })
      let signature = row[1].codes[0].split(separator: " ").compactMap { UInt8($0, radix: 16) }
      #expect(signature.count == bytes)
      #expect(ContainerKind.recognise(.init(signature)).rawValue == kind)
    }
  }

  @Test func imageNamesAreThoseOfTheCode() throws {
    let rows = try document.table("The checkpoint image").map { $0[0].code }
    #expect(
      rows == [
        CheckpointImage.tensorPrefix, CheckpointImage.attributePrefix, CheckpointImage.groupsKey,
        CheckpointImage.attributesKey, CheckpointImage.placesKey,
      ])
  }

  @Test func helperEndsWithReasons() throws {
    for row in try document.table("The helper `rnnconv-hdf5`", 0) where row[0] != "0" {
      #expect(Int32(row[0]).flatMap(RNNError.Reason.init(rawValue:)) != nil)
    }
  }

  @Test func hdf5LimitsAreThoseOfTheCode() throws {
    let text = try document.prose("HDF5")
    func limit(_ name: String) throws -> Int { try SourceFile.constant(name, in: "RNNHDF5/HDF5Reader.swift") }
    #expect(text.contains("nested deeper than \(try limit("depth")), more than \(try limit("objects")) objects"))
    #expect(text.contains("\(try limit("freeExpansion") >> 20) MiB and \(try limit("expansion")) times the file"))
    #expect(text.contains("above \(try limit("attributeBytes") >> 20) MiB"))
    #expect(text.contains("more than \(try limit("attributeBytes") / 8) strings"))
  }

  @Test func pickleNamesAreThoseOfTheCode() throws {
    let documented = try document.table("Pickles").map { "\($0[0].code).\($0[1].code) \($0[2])" }
    let coded = KerasTokenizer.rules.globals.map { global, role in
      let meaning =
        switch role {
        case .mention: "mentioned, never called"
        case .record: "a record"
        case .orderedDictionary, .defaultDictionary: "a dictionary"
        case .reconstructor: "makes a record"
        case .set: "a set"
        case .unknownClass: "a record, where it is made without a call"
        }
      return "\(global.module).\(global.name) \(meaning)"
    }
    #expect(documented.sorted() == coded.sorted())
  }

  @Test func pickleLimitsAreThoseOfTheCode() throws {
    let section = try document.section("Pickles")
    let rules = KerasTokenizer.rules
    #expect(
      try document.prose("Pickles").contains(
        "\(rules.maximumValues) values, \(rules.maximumObjects) objects or \(rules.maximumDepth) levels"))
    let paragraphs = section.joined(separator: "\n").components(separatedBy: "\n\n")
    let refused = try #require(paragraphs.last { !$0.isEmpty && $0 != "\n" })
    #expect(Set(refused.codes) == Set(PickleOpcode.refused.values))
  }

  @Test func otherLimitsAreThoseOfTheCode() throws {
    #expect(try document.prose().contains("larger than \(Zlib.maximumRatio) times"))
    #expect(try document.prose().contains("above \(NPYHeader.maximumRank); a file shorter"))
  }
}
