import Foundation
import RNNRuntime

@main
struct Sentiment {
  static func main() throws {
    let model = try Model(contentsOf: URL(fileURLWithPath: CommandLine.arguments[1]))
    for text in CommandLine.arguments.dropFirst(2) { print(try model.predict(text)[0], text) }
  }
}
