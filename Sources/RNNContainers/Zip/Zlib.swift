import CZlib
import Foundation
import RNNCore

/// zlib's raw deflate streams and checksum over `Data`.
enum Zlib {
  /// The most bytes that one byte of a deflate stream can stand for: a match of 258 bytes takes at least 2 bits.
  static let maximumRatio = 1032

  /// zlib counts its input and output in 32 bits; this much is handed to it at a time.
  private static let stride = 1 << 30

  static func crc32(of pieces: [Data]) -> UInt32 {
    var checksum = CZlib.crc32(0, nil, 0)
    for piece in pieces {
      piece.withUnsafeBytes { raw in
        var offset = 0
        while offset < raw.count {
          let length = min(stride, raw.count - offset)
          let start = raw.baseAddress?.advanced(by: offset).assumingMemoryBound(to: UInt8.self)
          checksum = CZlib.crc32(checksum, start, UInt32(length))
          offset += length
        }
      }
    }
    return UInt32(truncatingIfNeeded: checksum)
  }

  /// Inflates a raw stream that must give exactly `size` bytes.
  /// - Throws: `badData` where the stream is damaged, gives another size, or `size` is more than it can give. The
  ///   memory for the output is taken only after that last check.
  static func inflate(_ input: Data, size: Int) throws -> Data {
    let (bound, overflow) = input.count.multipliedReportingOverflow(by: maximumRatio)
    guard size >= 0, !overflow, size <= bound else {
      throw RNNError.badData("\(input.count) compressed bytes cannot hold the \(size) bytes that are declared")
    }
    var stream = z_stream()
    // Negative window bits: no zlib header around the stream.
    guard inflateInit2_(&stream, -MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw RNNError(.internalError, "zlib cannot start to inflate")
    }
    defer { inflateEnd(&stream) }
    // One byte more than declared, so that a stream that gives too much is seen.
    var output = Data(count: size + 1)
    let status = try output.withUnsafeMutableBytes { target in
      try input.withUnsafeBytes { source in
        try pump(&stream, source, target)
      }
    }
    let written = Int(clamping: stream.total_out)
    guard status == Z_STREAM_END, written <= size else {
      throw RNNError.badData(
        written > size
          ? "the compressed bytes hold more than the \(size) bytes that are declared"
          : "the compressed bytes are damaged or end early (zlib: \(status))")
    }
    guard written == size else {
      throw RNNError.badData("the compressed bytes hold \(written) bytes, \(size) are declared")
    }
    return output.prefix(size)
  }

  /// Inflates from `source` into `target` until the stream or one of them ends; returns zlib's status.
  private static func pump(
    _ stream: inout z_stream, _ source: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer
  ) throws -> Int32 {
    var (read, written) = (0, 0)
    while true {
      let (input, output) = (min(stride, source.count - read), min(stride, target.count - written))
      stream.next_in = pointer(source, at: read)
      stream.avail_in = UInt32(input)
      stream.next_out = target.baseAddress?.advanced(by: written).assumingMemoryBound(to: UInt8.self)
      stream.avail_out = UInt32(output)
      let status = CZlib.inflate(&stream, Z_NO_FLUSH)
      let (taken, given) = (input - Int(stream.avail_in), output - Int(stream.avail_out))
      read += taken
      written += given
      // A call that moves nothing will never move anything again.
      if status != Z_OK || taken + given == 0 { return status }
    }
  }

  /// Deflates pieces, as if they stood end to end, into one raw stream.
  static func deflate(_ pieces: [Data]) throws -> Data {
    var stream = z_stream()
    let size = Int32(MemoryLayout<z_stream>.size)
    guard
      deflateInit2_(
        &stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size) == Z_OK
    else { throw RNNError(.internalError, "zlib cannot start to deflate") }
    defer { deflateEnd(&stream) }
    var result = Data()
    for piece in pieces {
      try piece.withUnsafeBytes { source in
        var read = 0
        while read < source.count {
          let input = min(stride, source.count - read)
          stream.next_in = pointer(source, at: read)
          stream.avail_in = UInt32(input)
          try drain(&stream, flush: Z_NO_FLUSH, into: &result)
          read += input
        }
      }
    }
    stream.next_in = nil
    stream.avail_in = 0
    try drain(&stream, flush: Z_FINISH, into: &result)
    return result
  }

  /// Takes everything that zlib has to give for the input it was handed.
  private static func drain(_ stream: inout z_stream, flush: Int32, into result: inout Data) throws {
    let capacity = 1 << 16
    repeat {
      let chunk = try [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
        stream.next_out = buffer.baseAddress
        stream.avail_out = UInt32(capacity)
        let status = CZlib.deflate(&stream, flush)
        guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
          throw RNNError(.internalError, "zlib cannot deflate (\(status))")
        }
        count = capacity - Int(stream.avail_out)
      }
      result.append(contentsOf: chunk)
    } while stream.avail_out == 0
  }

  /// zlib never writes through `next_in`; its type only fails to say so.
  private static func pointer(_ source: UnsafeRawBufferPointer, at offset: Int) -> UnsafeMutablePointer<UInt8>? {
    source.baseAddress.map {
      UnsafeMutablePointer(mutating: $0.advanced(by: offset).assumingMemoryBound(to: UInt8.self))
    }
  }
}
