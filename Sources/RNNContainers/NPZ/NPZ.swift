import Foundation
import RNNCore

/// NumPy's archive of named arrays: a zip whose members are `.npy` files.
public enum NPZ {
  static let suffix = ".npy"

  /// The arrays in the archive's order, without their `.npy`. Stored ones are slices of `data`.
  /// - Throws: `badData` for a damaged archive or array, `unsupported` for an array that is no tensor or a member that
  ///   is no array; both name the member.
  public static func read(_ data: Data) throws -> [(name: String, tensor: Tensor)] {
    try read(try ZipArchive(parsing: data))
  }

  public static func read(_ archive: ZipArchive) throws -> [(name: String, tensor: Tensor)] {
    try archive.members.map { member in
      let array = try contents(of: member, in: archive) { try Tensor(npy: $0) }
      return (array.name, array.value)
    }
  }

  /// What an array of an archive is, for callers that take lists of different lengths as well.
  public enum Array: Sendable, Equatable {
    case tensor(Tensor)
    /// An object array of lists of ints.
    case lists(RaggedIntegers)
  }

  /// The same as `read`, but object arrays of lists of ints are read as well.
  /// - Throws: also `unsupported` for an object array of anything else.
  public static func readWithLists(_ data: Data) throws -> [(name: String, array: Array)] {
    let archive = try ZipArchive(parsing: data)
    return try archive.members.map { member in
      let array = try contents(of: member, in: archive) { content -> Array in
        guard try NPYHeaderFields.parse(content).fields.isObjectArray else { return .tensor(try Tensor(npy: content)) }
        return .lists(try RaggedIntegers(npy: content))
      }
      return (array.name, array.value)
    }
  }

  private static func contents<Value>(
    of member: ZipArchive.Member, in archive: ZipArchive, _ read: (Data) throws -> Value
  ) throws -> (name: String, value: Value) {
    guard member.name.hasSuffix(suffix) else {
      throw RNNError.unsupported(
        "it is no array; every member of an .npz file is an .npy file", at: "member '\(member.name)'",
        remedy: "Save the arrays with numpy.savez.")
    }
    let content = try archive.contents(of: member)
    let value = try locating("member '\(member.name)'") { try read(content) }
    return (String(member.name.dropLast(suffix.count)), value)
  }

  /// Writes an archive front to back.
  /// - Throws: `usage` where a name stands twice, and what `sink` throws.
  public static func write(
    _ arrays: [(String, Tensor)], compressed: Bool = false, to sink: (Data) throws -> Void
  ) throws {
    var writer = ZipWriter()
    for (name, tensor) in arrays {
      try writer.add(name + suffix, [tensor.npyHeader(), tensor.bytes], compressed: compressed, to: sink)
    }
    try writer.finish(to: sink)
  }
}
