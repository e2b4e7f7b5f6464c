/// The constants of the zip format (PKWARE APPNOTE 6.3) that are read and written here.
enum ZipFormat {
  static let localSignature: UInt32 = 0x0403_4B50
  static let centralSignature: UInt32 = 0x0201_4B50
  static let endSignature: UInt32 = 0x0605_4B50
  static let zip64EndSignature: UInt32 = 0x0606_4B50
  static let zip64LocatorSignature: UInt32 = 0x0706_4B50

  static let localHeaderSize = 30
  static let centralHeaderSize = 46
  static let endSize = 22
  static let zip64EndSize = 56
  static let zip64LocatorSize = 20
  static let maximumCommentSize = 0xFFFF

  /// The extra field that holds what does not fit 32 bits.
  static let zip64Extra: UInt16 = 1

  /// A field of all ones says that the value stands in a zip64 record.
  static let saturated16: UInt16 = .max
  static let saturated32: UInt32 = .max

  static let encryptedFlag: UInt16 = 1
  static let utf8Flag: UInt16 = 0x800

  static let stored: UInt16 = 0
  static let deflated: UInt16 = 8
}
