import RNNCore
import RNNText

/// Lets a model of characters or words go on with a text, one token at a time.
///
/// Models of any length run step by step with their states; models of a fixed length see their last window each time.
public struct TextGenerator {
  private let model: Model
  private let vocabulary: Vocabulary
  private let rules: TextRules
  /// The model's own length, if it has one.
  private let length: Int?
  /// The size of the vectors that stand for ids, where the model has no embedding.
  private let depth: Int?
  private let isPerStep: Bool

  /// - Throws: `usage` where the model has no vocabulary or no distribution over it.
  public init(_ model: Model) throws {
    guard let encoder = model.textEncoder else {
      throw RNNError.usage(
        "the model has no vocabulary, so it cannot write", remedy: "Train it on a .txt file, or import --vocabulary.")
    }
    let spec = model.native.spec
    guard spec.inputs.count == 1, spec.outputs.count == 1,
      case .input(let input) = spec.layers[spec.calls[spec.inputs[0]].layer].spec, let first = input.shape.first
    else { throw RNNError.usage("only models with one input and one output write text") }
    self.model = model
    vocabulary = encoder.vocabulary
    rules = encoder.rules
    length = first
    depth = input.shape.count == 2 ? input.shape[1] : nil
    let output = try spec.shapes().outputs[spec.outputs[0].call][spec.outputs[0].output]
    guard output.last != 1 else {
      throw RNNError.usage("the model answers with one number, not with how likely each character or word is")
    }
    isPerStep = output.count == 2
  }

  /// - Parameters:
  ///   - prompt: at least one token that the model knows.
  ///   - write: takes each token as it comes; its result `false` stops.
  public func generate(
    after prompt: String, count: Int, _ sampler: inout Sampler, write: (String) throws -> Bool
  ) throws {
    var free = rules
    free.length = nil
    let encoder = try TextEncoder(
      TextBundle(
        rules: free, words: model.native.text?.words ?? Tensor([Float](), shape: [0]),
        offsets: model.native.text?.offsets ?? Tensor([Int64(0)], shape: [1])))
    var ids = encoder.ids(for: prompt)
    guard !ids.isEmpty else {
      throw RNNError.badData("the prompt holds nothing that the model knows", remedy: "Begin with other words.")
    }
    let session = model.makeSession()
    var state = session.initialState()
    var pending = ids
    for _ in 0..<count {
      let probabilities =
        length == nil && isPerStep
        ? try last(session.predict([try input(pending)], state: &state)[0], at: pending.count - 1)
        : try window(session, ids)
      let id = sampler.draw(probabilities)
      ids.append(id)
      pending = [id]
      guard let word = vocabulary.word(at: id - rules.firstID) else { continue }
      let text = rules.isCharacterLevel ? word : word + rules.separator
      guard try write(text) else { return }
    }
  }

  /// The distribution behind the last ids that fit; the rest of a longer window stands empty behind them, or, where the
  /// model answers once a window, before them.
  private func window(_ session: Session, _ ids: [Int]) throws -> [Float] {
    let size = length ?? ids.count
    var shown = Array(ids.suffix(size))
    let known = shown.count
    let padding = [Int](repeating: rules.paddingID, count: size - known)
    shown = isPerStep ? shown + padding : padding + shown
    let output = try session.predict([try input(shown)])[0]
    return try last(output, at: isPerStep ? known - 1 : 0)
  }

  private func last(_ output: Tensor, at step: Int) throws -> [Float] {
    let values = output.floats()
    let width = output.shape[output.shape.count - 1]
    return Array(values[step * width..<(step + 1) * width])
  }

  private func input(_ ids: [Int]) throws -> Tensor {
    guard let depth else { return try Tensor(ids.map(Int64.init), shape: [1, ids.count]) }
    var values = [Float](repeating: 0, count: ids.count * depth)
    for (step, id) in ids.enumerated() where (0..<depth).contains(id) { values[step * depth + id] = 1 }
    return try Tensor(values, shape: [1, ids.count, depth])
  }
}
