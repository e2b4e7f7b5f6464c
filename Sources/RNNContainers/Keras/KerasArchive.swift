import Foundation
import RNNCore

/// A `.keras` file as Keras writes it since TensorFlow 2.13: a zip of the configuration, the weights as an HDF5 file
/// and the layers' assets. (Older `.keras` files are HDF5 files themselves.)
public struct KerasArchive: Sendable {
  /// `metadata.json`: the version and the date.
  public var metadata: JSONValue
  /// `config.json`, the model's architecture, as text.
  public var configJSON: String
  /// `model.weights.h5`, an HDF5 file.
  public var weights: Data
  /// Everything else, by its path in the archive with `/` as separator: vocabularies of layers, for example.
  public var assets: [Checkpoint.Blob]
  /// `keras_version` of the metadata.
  public var kerasVersion: String?

  enum MemberName {
    static let metadata = "metadata.json"
    static let config = "config.json"
    static let weights = "model.weights.h5"
    static let shardedWeights = "model.weights.json"
    static let numpyWeights = "model.weights.npz"
  }

  /// - Throws: `badData` for a damaged archive or one that lacks a part, `unsupported` for weights that do not stand in
  ///   one HDF5 file; both name the member.
  public init(parsing archive: ZipArchive) throws {
    var members: [String: ZipArchive.Member] = [:]
    var others: [(name: String, member: ZipArchive.Member)] = []
    for member in archive.members where !member.isDirectory {
      // Archives from Windows may have its separators.
      let name = member.name.replacing("\\", with: "/")
      switch name {
      case MemberName.metadata, MemberName.config, MemberName.weights, MemberName.shardedWeights,
        MemberName.numpyWeights:
        members[name] = member
      default: others.append((name, member))
      }
    }
    if members[MemberName.weights] == nil { try KerasArchive.refuseOtherWeights(members) }
    func content(_ name: String) throws -> Data {
      guard let member = members[name] else {
        throw RNNError.badData(
          "the archive has no member '\(name)', which every .keras file has",
          remedy: "Save the model again with model.save(\"model.keras\").")
      }
      return try archive.contents(of: member)
    }
    let metadataText = try content(MemberName.metadata)
    metadata = try locating("member '\(MemberName.metadata)'") { try JSONValue(parsing: metadataText) }
    kerasVersion = metadata["keras_version"]?.string
    let config = try content(MemberName.config)
    configJSON = String(decoding: config, as: UTF8.self)
    guard configJSON.utf8.elementsEqual(config) else {
      throw RNNError.badData("the text is not UTF-8", at: "member '\(MemberName.config)'")
    }
    weights = try content(MemberName.weights)
    assets = try others.map { Checkpoint.Blob(name: $0.name, bytes: try archive.contents(of: $0.member)) }
  }

  private static func refuseOtherWeights(_ members: [String: ZipArchive.Member]) throws {
    if members[MemberName.shardedWeights] != nil {
      throw RNNError.unsupported(
        "weights split over several files (sharded) are not supported", at: "member '\(MemberName.shardedWeights)'",
        remedy: "Save the model without max_shard_size.")
    }
    if members[MemberName.numpyWeights] != nil {
      throw RNNError.unsupported(
        "weights saved with weights_format=\"npz\" are Python pickles, which are never run",
        at: "member '\(MemberName.numpyWeights)'", remedy: "Save the model without weights_format.")
    }
  }
}
