import Foundation
import RNNCore
import RNNTestSupport
import Testing

/// Damage is an error, never a trap. Seeded, so that a failure can be repeated.
@Suite struct NativeFileMutationTests {
  private let file: Data

  init() throws {
    file = try SmallModels.complete().safetensors().serialized()
  }

  @Test func everyTruncationIsAnError() {
    for length in 0..<file.count {
      #expect(throws: RNNError.self, "\(length)") { try NativeModel(parsing: file.prefix(length)) }
    }
    #expect(throws: RNNError.self) { try NativeModel(parsing: file + Data([0])) }
  }

  @Test func changedBytesNeverTrap() {
    var generator = SeededGenerator(seed: 2024)
    var survivors = 0
    for round in 0..<4000 {
      var copy = file
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        copy[Int.random(in: 0..<copy.count, using: &generator)] = UInt8.random(in: .min ... .max, using: &generator)
      }
      expectNoTrap("round \(round)") {
        _ = try NativeModel(parsing: copy)
        survivors += 1
      }
    }
    // Many changes hit numbers of tensors, which are anything; the others must not all pass.
    #expect(survivors > 0 && survivors < 4000)
  }

  /// Digits are where sizes stand.
  @Test func changedNumbersNeverTrap() throws {
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    let length = try Safetensors.headerLength(file.prefix(8))
    let places = (8..<8 + length).filter { digits.contains(file[$0]) }
    var generator = SeededGenerator(seed: 5)
    let replacements = [
      "-1", "0", "9223372036854775807", "-9223372036854775808", "2147483648", "4611686018427387904", "1e308", "NaN",
    ]
    for round in 0..<2000 {
      let place = places[Int.random(in: 0..<places.count, using: &generator)]
      let text = Data(replacements[Int.random(in: 0..<replacements.count, using: &generator)].utf8)
      var header = file[8..<8 + length]
      header.replaceSubrange(place...place, with: text)
      let copy = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) } + header + file[(8 + length)...]
      expectNoTrap("round \(round)") { _ = try NativeModel(parsing: copy) }
    }
  }
}
