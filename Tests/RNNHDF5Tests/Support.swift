import Foundation
import RNNCore
import RNNHDF5
import Testing

/// Runs `body`, which must fail with this reason and name all of `texts`.
func expectError(
  _ reason: RNNError.Reason, naming texts: String..., location: SourceLocation = #_sourceLocation,
  _ body: () throws -> some Any
) {
  do {
    let value = try body()
    Issue.record("no error, but \(value)", sourceLocation: location)
  } catch let error as RNNError {
    #expect(error.reason == reason, "\(error)", sourceLocation: location)
    for text in texts where !text.isEmpty {
      #expect(error.description.contains(text), "\(error)", sourceLocation: location)
    }
  } catch {
    Issue.record("another error: \(error)", sourceLocation: location)
  }
}

/// Runs `body` with a reader over a private copy of `image`; the library wants memory it could write to.
func withReader<Result>(_ image: Data, _ body: (HDF5Reader) throws -> Result) throws -> Result {
  var copy = [UInt8](image)
  return try copy.withUnsafeMutableBytes { try body(try HDF5Reader($0)) }
}

/// The whole checkpoint of an image. What the reader says to lie in it must be what the library reads.
func readCheckpoint(_ image: Data) throws -> Checkpoint {
  try withReader(image) { reader in
    let checkpoint = try reader.checkpoint()
    for (dataset, entry) in zip(reader.datasets, checkpoint.entries) {
      guard let offset = dataset.offset else { continue }
      let start = image.startIndex + offset
      #expect(image[start..<start + entry.tensor.bytes.count] == entry.tensor.bytes, "\(dataset.path)")
    }
    return checkpoint
  }
}
