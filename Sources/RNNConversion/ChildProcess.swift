import CSystem
import Foundation
import RNNCore

/// A program that runs beside this one.
///
/// Foundation's `Process` is not used: on Linux, that of Swift 6.3 copies 256 bytes of every entry of `/proc/self/fd`
/// when it starts a program, entries that are shorter, and where the last of them stands at the end of a page, the whole
/// process dies.
package final class ChildProcess: Sendable {
  package enum Ending: Equatable, Sendable {
    case exit(Int32)
    case signal(Int32)
    /// Somebody else learned it: whoever ignores SIGCHLD is never told.
    case unknown
  }

  private let identifier: pid_t
  /// Held while the child is waited for or sent a signal: once it is waited for, its number can be another's.
  private let lock = NSLock()
  private nonisolated(unsafe) var ending: Ending?

  /// Starts a program.
  /// - Parameters:
  ///   - environment: all that the program sees.
  ///   - folder: its working folder, or `nil` for ours.
  ///   - input: what it reads, with `output` and `errors` for what it writes; it gets no other descriptor of ours.
  /// - Throws: `unsupported` where it cannot be started.
  package init(
    _ program: URL, _ arguments: [String], environment: [String: String], in folder: URL? = nil, input: FileHandle,
    output: FileHandle, errors: FileHandle
  ) throws {
    func check(_ result: Int32) throws {
      guard result == 0 else {
        throw RNNError.unsupported("\(program.path) cannot be started: \(String(cString: strerror(result)))")
      }
    }
    // Above the three numbers that they shall have, so that none is replaced before it was copied.
    let streams = [input, output, errors].map { fcntl($0.fileDescriptor, F_DUPFD_CLOEXEC, 3) }
    defer { streams.filter { $0 >= 0 }.forEach { close($0) } }
    guard streams.allSatisfy({ $0 >= 0 }) else {
      throw RNNError.unsupported("\(program.path) cannot be started: no more files can be opened")
    }

    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
    #else
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #endif
    try check(posix_spawn_file_actions_init(&actions))
    defer { posix_spawn_file_actions_destroy(&actions) }
    try check(posix_spawnattr_init(&attributes))
    defer { posix_spawnattr_destroy(&attributes) }
    for (number, stream) in streams.enumerated() {
      try check(posix_spawn_file_actions_adddup2(&actions, stream, Int32(number)))
    }
    if let folder { try check(rnn_spawn_in_folder(&actions, folder.path)) }
    // A group of its own: the interruption of this program is not the child's. Threads that block signals do not pass
    // that on.
    var flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK
    #if canImport(Darwin)
      flags |= POSIX_SPAWN_CLOEXEC_DEFAULT
    #else
      // A C library that cannot does without: our own descriptors close themselves.
      let result = rnn_spawn_close_from(&actions, 3)
      if result != ENOSYS { try check(result) }
    #endif
    var none = sigset_t()
    sigemptyset(&none)
    try check(posix_spawnattr_setsigmask(&attributes, &none))
    try check(posix_spawnattr_setflags(&attributes, Int16(flags)))

    let words = ([program.path] + arguments).map { strdup($0) }
    let variables = environment.map { strdup("\($0.key)=\($0.value)") }
    defer { (words + variables).forEach { free($0) } }
    var identifier: pid_t = 0
    try check(posix_spawn(&identifier, program.path, &actions, &attributes, words + [nil], variables + [nil]))
    self.identifier = identifier
  }

  /// A pipe that no program inherits. Foundation's `Pipe` ends this program where no more files can be opened.
  /// - Throws: `unsupported` in that case.
  package static func pipe() throws -> (reading: FileHandle, writing: FileHandle) {
    var ends: [Int32] = [-1, -1]
    guard rnn_pipe(&ends) == 0 else { throw RNNError.unsupported("no more files can be opened") }
    return (
      FileHandle(fileDescriptor: ends[0], closeOnDealloc: true),
      FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
    )
  }

  /// Waits until the program has ended.
  package func wait() -> Ending {
    // Without reaping, and without the lock, for which whoever wants to end it would have to wait.
    var information = siginfo_t()
    while waitid(P_PID, id_t(identifier), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
    return lock.withLock {
      let found = reap(0) ?? .unknown
      // No signal goes to its number any more.
      ending = found
      return found
    }
  }

  /// How the program has ended, or `nil` while it runs.
  package func poll() -> Ending? { lock.withLock { reap(WNOHANG) } }

  /// Sends a signal to the program, unless it has ended.
  package func send(_ signal: Int32) {
    lock.withLock { if ending == nil { kill(identifier, signal) } }
  }

  private func reap(_ options: Int32) -> Ending? {
    if let ending { return ending }
    var status: Int32 = 0
    var result: pid_t
    repeat { result = waitpid(identifier, &status, options) } while result == -1 && errno == EINTR
    guard result == identifier else { return nil }
    // The macros WIFSIGNALED, WTERMSIG and WEXITSTATUS, which Swift does not import.
    let signal = status & 0x7f
    ending = signal == 0 ? .exit((status >> 8) & 0xff) : .signal(signal)
    return ending
  }
}
