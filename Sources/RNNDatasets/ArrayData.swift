import Foundation
import RNNContainers
import RNNCore

/// A data set of plain arrays: an `.npz` file with `x` and `y`, or `x0`, `x1`, ... and `y0`, `y1`, ... for a model of
/// several inputs or outputs, in the order of their numbers; and `sample_weight` where examples do not count the same.
public enum ArrayData {
  private static let remedy =
    "Save it with numpy.savez(file, x=..., y=...), or x0=..., x1=..., y0=... for several inputs or outputs."

  /// - Throws: `badData` where arrays are missing, or differ in their rows; `unsupported` for arrays of other names or
  ///   types; both name the file.
  public static func dataset(contentsOf url: URL) throws -> Dataset {
    let data = try InputFile.contents(of: url)
    return try locating(url.path) { try dataset(npz: data) }
  }

  /// The same from the bytes of an `.npz` file.
  public static func dataset(npz data: Data) throws -> Dataset {
    var arrays = try NPZ.read(data)
    let weights = arrays.firstIndex { $0.name == "sample_weight" }.map { arrays.remove(at: $0).tensor }
    let (inputs, targets) = (try ordered(arrays, "x"), try ordered(arrays, "y"))
    if let other = arrays.first(where: { $0.name.first != "x" && $0.name.first != "y" }) {
      throw RNNError.unsupported(
        "the array '\(other.name)' is neither an input, a target nor 'sample_weight'", remedy: remedy)
    }
    return Dataset(training: try Examples(inputs: inputs, targets: targets, weights: weights))
  }

  /// The arrays `letter`, or `letter` with 0, 1, and so on.
  private static func ordered(_ arrays: [(name: String, tensor: Tensor)], _ letter: Character) throws -> [Tensor] {
    let all = arrays.filter { $0.name.first == letter }
    let kind = letter == "x" ? "inputs" : "targets"
    if all.isEmpty {
      let found = arrays.map { "'\($0.name)'" }.joined(separator: ", ")
      throw RNNError.badData(
        "no array '\(letter)' or '\(letter)0' holds the \(kind); there are: \(found)", remedy: remedy)
    }
    if all.count == 1, all[0].name == String(letter) { return [all[0].tensor] }
    return try all.indices.map { index in
      guard let array = all.first(where: { $0.name == "\(letter)\(index)" }) else {
        let found = all.map { "'\($0.name)'" }.joined(separator: ", ")
        throw RNNError.badData(
          "the \(kind) are \(found), but '\(letter)\(index)' is missing among them", remedy: remedy)
      }
      return array.tensor
    }
  }
}
