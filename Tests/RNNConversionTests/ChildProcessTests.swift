import Foundation
import RNNConversion
import RNNCore
import RNNTestSupport
import Testing

struct ChildProcessTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// What a line of the shell writes, and how it ends.
  private func shell(
    _ line: String, environment: [String: String] = [:], input: String = ""
  ) throws -> (output: String, errors: String, ending: ChildProcess.Ending) {
    for (name, text) in ["in": input, "out": "", "err": ""] { try Data(text.utf8).write(to: folder.file(name)) }
    let process = try ChildProcess(
      URL(fileURLWithPath: "/bin/sh"), ["-c", line], environment: environment, in: folder.url,
      input: FileHandle(forReadingFrom: folder.file("in")), output: FileHandle(forWritingTo: folder.file("out")),
      errors: FileHandle(forWritingTo: folder.file("err")))
    let ending = process.wait()
    return (
      try String(contentsOf: folder.file("out"), encoding: .utf8),
      try String(contentsOf: folder.file("err"), encoding: .utf8), ending
    )
  }

  @Test func streamsFolderAndEnvironmentAreTheGivenOnes() throws {
    let result = try shell("cat; pwd -P; echo $WORD 1>&2; echo $HOME", environment: ["WORD": "a b"], input: "read\n")
    let real = try #require(realpath(folder.url.path, nil))
    defer { free(real) }
    #expect(result.output == "read\n\(String(cString: real))\n\n")
    #expect(result.errors == "a b\n")
    #expect(result.ending == .exit(0))
  }

  @Test func endingsAreTold() throws {
    #expect(try shell("exit 77").ending == .exit(77))
    #expect(try shell("kill -9 $$").ending == .signal(9))
  }

  @Test func noOtherDescriptorIsPassedOn() throws {
    let open = try (0..<40).map { _ in try FileHandle(forReadingFrom: URL(fileURLWithPath: "/dev/null")) }
    for handle in open { _ = fcntl(handle.fileDescriptor, F_SETFD, 0) }
    let line = "for fd in 3 4 5 6 7 8 9; do if (: <&$fd) 2>/dev/null; then echo $fd; fi; done"
    #expect(try shell(line).output == "")
    withExtendedLifetime(open) {}
  }

  @Test func aProgramThatRunsIsStopped() throws {
    let null = URL(fileURLWithPath: "/dev/null")
    let process = try ChildProcess(
      URL(fileURLWithPath: "/bin/sh"), ["-c", "while :; do :; done"], environment: [:],
      input: FileHandle(forReadingFrom: null), output: FileHandle(forWritingTo: null),
      errors: FileHandle(forWritingTo: null))
    #expect(process.poll() == nil)
    process.send(SIGTERM)
    #expect(process.wait() == .signal(SIGTERM))
    #expect(process.poll() == .signal(SIGTERM))
    process.send(SIGTERM)
  }

  @Test func aProgramThatIsNotThereIsNamed() throws {
    let null = URL(fileURLWithPath: "/dev/null")
    let error = #expect(throws: RNNError.self) {
      try ChildProcess(
        folder.file("nothing"), [], environment: [:], input: FileHandle(forReadingFrom: null),
        output: FileHandle(forWritingTo: null), errors: FileHandle(forWritingTo: null))
    }
    #expect(error?.reason == .unsupported)
    let text = error.map { "\($0)" } ?? ""
    #expect(text.contains(folder.file("nothing").path))
  }
}
