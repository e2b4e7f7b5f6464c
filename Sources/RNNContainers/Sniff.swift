import Foundation
import RNNCore

/// What kind of file some bytes are. Names say nothing: a `.keras` file may be HDF5, and `.h5` anything.
public enum ContainerKind: String, Sendable, CaseIterable {
  case hdf5
  /// A zip with `config.json` and `metadata.json`.
  case kerasArchive
  /// A zip of `.npy` files.
  case npz
  case npy
  /// A zip with PyTorch's `data.pkl`.
  case torchZip
  /// PyTorch's format before its zip.
  case torchLegacy
  /// safetensors, `.rnn` files among them.
  case safetensors
  case onnx
  case tflite
  case json
  /// A Python pickle that is not PyTorch's.
  case pickle
  /// A readable zip of something else.
  case otherZip
  /// It begins like a zip; `ZipArchive(parsing:)` says what is wrong with it.
  case damagedZip
  case unknown

  /// Recognises a file by its content. Damaged files are recognised by what is left of them; nothing is validated.
  public static func recognise(_ data: Data) -> ContainerKind {
    if hasHDF5Signature(data) { return .hdf5 }
    if starts(data, with: NPYHeader.magic) { return .npy }
    if starts(data, with: [0x50, 0x4B, 0x03, 0x04]) || starts(data, with: [0x50, 0x4B, 0x05, 0x06]) {
      return zipKind(data)
    }
    if starts(data, with: torchMagic) { return .torchLegacy }
    if isSafetensors(data) { return .safetensors }
    if let identifier = data.slice(at: 4, count: 4), identifier.elementsEqual("TFL3".utf8) { return .tflite }
    if PickleSyntax.recognises(data) { return .pickle }
    if isONNX(data) { return .onnx }
    if isJSON(data) { return .json }
    return .unknown
  }

  /// What it is, for messages.
  public var name: String {
    switch self {
    case .hdf5: "an HDF5 file"
    case .kerasArchive: "a .keras archive"
    case .npz: "an .npz archive"
    case .npy: "an .npy array"
    case .torchZip: "a PyTorch file"
    case .torchLegacy: "a PyTorch file of the format before 1.6"
    case .safetensors: "a safetensors file"
    case .onnx: "an ONNX model"
    case .tflite: "a TensorFlow Lite model"
    case .json: "JSON"
    case .pickle: "a Python pickle"
    case .otherZip: "a zip archive"
    case .damagedZip: "a damaged zip archive"
    case .unknown: "of no known kind"
    }
  }

  /// The pickled number that starts PyTorch's files before 1.6.
  private static let torchMagic: [UInt8] = [
    0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
  ]

  private static func starts(_ data: Data, with bytes: [UInt8]) -> Bool { data.starts(with: bytes) }

  /// HDF5's signature stands at byte 0, or after a user block at 512, 1024, 2048 and so on.
  private static func hasHDF5Signature(_ data: Data) -> Bool {
    let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
    var offset = 0
    while let bytes = data.slice(at: offset, count: signature.count) {
      if bytes.elementsEqual(signature) { return true }
      let (next, overflow) = offset.multipliedReportingOverflow(by: 2)
      if overflow { return false }
      offset = offset == 0 ? 512 : next
    }
    return false
  }

  private static func zipKind(_ data: Data) -> ContainerKind {
    guard let archive = try? ZipArchive(parsing: data) else { return .damagedZip }
    let names = Set(archive.members.map { $0.name.replacing("\\", with: "/") })
    // Either of the two, so that an archive that lacks one is called a broken .keras file and not some zip.
    let isKeras =
      names.contains(KerasArchive.MemberName.config)
      && (names.contains(KerasArchive.MemberName.metadata) || names.contains(KerasArchive.MemberName.weights))
    if isKeras { return .kerasArchive }
    if names.contains(where: { $0 == "data.pkl" || $0.hasSuffix("/data.pkl") }) { return .torchZip }
    if names.isEmpty || names.contains(where: { $0.hasSuffix(NPZ.suffix) }) { return names.isEmpty ? .otherZip : .npz }
    return .otherZip
  }

  private static func isSafetensors(_ data: Data) -> Bool {
    guard let length = try? Safetensors.headerLength(data.prefix(8)), length >= 2, length <= data.count - 8 else {
      return false
    }
    return data[data.startIndex + 8] == UInt8(ascii: "{")
  }

  private static func isJSON(_ data: Data) -> Bool {
    var rest = data[...]
    if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
    guard let first = rest.first(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) else { return false }
    return first == UInt8(ascii: "{") || first == UInt8(ascii: "[") || first == UInt8(ascii: "\"")
  }
}
