import Foundation
import RNNCore

extension Tensor {
  /// The tensor as an `.npy` file: its header, padded so that the numbers begin at a multiple of 64 bytes.
  ///
  /// Version 1.0, as NumPy writes it, or 2.0 where the header is too long for that. bfloat16, which NumPy lacks, is
  /// written as NumPy writes the ml_dtypes package's: `<V2`; `a.view(ml_dtypes.bfloat16)` gives it back in Python.
  public func npyHeader() -> Data {
    let dimensions = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    let text = "{'descr': '\(NPYType(dtype: dtype).descr)', 'fortran_order': False, 'shape': (\(dimensions)), }"
    // Magic, version, length, text and a newline; version 2.0 has a length of 4 bytes.
    let isLong = 10 + text.utf8.count + 64 > Int(UInt16.max)
    let prefix = isLong ? 12 : 10
    let length = (prefix + text.utf8.count + 1 + 63) / 64 * 64 - prefix
    var header = Data(NPYHeader.magic)
    header.append(contentsOf: [isLong ? 2 : 1, 0])
    if isLong {
      header.append(littleEndian: UInt32(clamping: length))
    } else {
      header.append(littleEndian: UInt16(clamping: length))
    }
    header.append(contentsOf: text.utf8)
    header.append(contentsOf: repeatElement(UInt8(ascii: " "), count: length - text.utf8.count - 1))
    header.append(UInt8(ascii: "\n"))
    return header
  }

  /// Hands an `.npy` file, piece by piece, to `sink`.
  public func writeNPY(to sink: (Data) throws -> Void) rethrows {
    try sink(npyHeader())
    if !bytes.isEmpty { try sink(bytes) }
  }

  /// The `.npy` file in memory.
  public func npy() -> Data {
    var result = Data()
    writeNPY { result.append($0) }
    return result
  }
}
