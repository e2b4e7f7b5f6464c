import Foundation
import RNNCore
import RNNRuntime

/// `run --stream`: a step a line, numbers with commas, tabs or spaces between; an answer a line.
struct StreamRun {
  private let model: Model
  private let asJSON: Bool

  /// - Throws: `unsupported` naming a layer that looks at more than one step.
  init(_ model: Model, asJSON: Bool) throws {
    self.model = try model.freeOfLengths()
    self.asJSON = asJSON
    guard model.inputNames.count == 1 else {
      throw RNNError.usage("the model has \(model.inputNames.count) inputs, and a line is one step of one")
    }
  }

  func run() throws {
    let session = model.makeSession()
    var state = session.initialState()
    var number = 0
    for line in TextLines.lines(.standardInput, named: "standard input", isJSON: false) {
      number += 1
      let text = try line.get()
      let outputs = try locating("standard input, line \(number)") {
        try session.step([try step(text)], state: &state)
      }
      let named = Array(zip(model.outputNames, outputs))
      try Console.write(try RunOutput.text(of: named, asJSON: asJSON))
    }
  }

  /// One example of one step.
  private func step(_ line: String) throws -> Tensor {
    let fields = line.split { $0 == "," || $0 == "\t" || $0 == " " }
    let numbers = try fields.map { field -> Float in
      guard let number = Float(field) else { throw RNNError.badData("'\(field.prefix(40))' is no number") }
      return number
    }
    guard !numbers.isEmpty else { throw RNNError.badData("an empty line is no step") }
    return model.readsIDs && numbers.count == 1
      ? try Tensor(numbers, shape: [1]) : try Tensor(numbers, shape: [1, numbers.count])
  }
}
