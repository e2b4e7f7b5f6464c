import Foundation
import RNNCore
import RNNHDF5
import RNNTestSupport
import Testing

extension HDF5Tests {
  /// Damage that libhdf5 itself survives; the rest is tested through the helper, in a process of its own.
  @Suite struct DamageTests {
    @Test func whatIsNoHDF5IsRefused() {
      let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
      for bytes in [[], [0], signature, [UInt8](repeating: 0, count: 4096), Array("PK\u{3}\u{4}".utf8)] {
        expectError(.badData, naming: "damaged or incomplete") { try readCheckpoint(Data(bytes)) }
      }
    }

    @Test func everyTruncationIsAnError() throws {
      var checkpoint = Checkpoint()
      try checkpoint.append(try Tensor([Float](repeating: 1, count: 100), shape: [100]), at: "g/d")
      try checkpoint.setAttribute("text", .string("x"), at: "g")
      let image = try HDF5Writer.image(of: checkpoint)
      for length in stride(from: 0, to: image.count, by: 97) {
        expectError(.badData) { try readCheckpoint(image.prefix(length)) }
      }
    }

    @Test func theReaderLeavesTheImageAlone() throws {
      var checkpoint = Checkpoint()
      try checkpoint.append(try Tensor([1, 2] as [Float], shape: [2]), at: "d")
      let image = try HDF5Writer.image(of: checkpoint)
      var copy = [UInt8](image)
      try copy.withUnsafeMutableBytes { _ = try HDF5Reader($0).checkpoint() }
      #expect(copy.elementsEqual(image))
    }
  }
}
