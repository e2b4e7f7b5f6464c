import Foundation
import RNNCore

/// What a file of a given size may cost.
enum ResourceLimits {
  /// CPU time: 2 s, and 1 s more for each whole 100 MB. Address space: 1 GB and 24 times the file. No core dumps.
  static func apply(inputSize: Int) throws {
    let seconds = 2 + inputSize / 100_000_000
    let (scaled, overflow) = inputSize.multipliedReportingOverflow(by: 24)
    guard !overflow else { throw RNNError.badData("the file is too large") }
    try set(resourceCPU, to: seconds)
    try set(resourceAddressSpace, to: scaled + (1 << 30))
    try set(resourceCore, to: 0)
  }

  #if canImport(Glibc)
    private static let resourceCPU = RLIMIT_CPU
    private static let resourceAddressSpace = RLIMIT_AS
    private static let resourceCore = RLIMIT_CORE
    private typealias Resource = __rlimit_resource
  #else
    private static let resourceCPU = RLIMIT_CPU
    private static let resourceAddressSpace = RLIMIT_AS
    private static let resourceCore = RLIMIT_CORE
    private typealias Resource = Int32
  #endif

  private static func set(_ resource: Resource, to value: Int) throws {
    #if canImport(Glibc)
      let name = __rlimit_resource_t(resource.rawValue)
    #else
      let name = resource
    #endif
    var limit = rlimit(rlim_cur: rlim_t(value), rlim_max: rlim_t(value))
    guard setrlimit(name, &limit) == 0 else { throw RNNError(.internalError, "the limits cannot be set") }
  }
}
