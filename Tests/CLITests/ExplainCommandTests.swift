import Foundation
import RNNContainers
import RNNCore
import RNNTestSupport
import Testing

/// `rnnconv explain FILE` against what the frameworks say about their own tensors.
struct ExplainCommandTests {
  private func explain(_ path: String, _ options: [String] = []) throws -> CLI.Result {
    try CLI.run(["explain", CLI.fixture(path)] + options, in: Fixtures.folder)
  }

  private func placements(_ path: String, _ options: [String] = []) throws -> [JSONValue] {
    let result = try explain(path, options + ["--json"])
    #expect(result.status == 0, "\(result.errors)")
    return try #require(try JSONValue(parsing: result.output).array)
  }

  /// `PARAMETER[GATE]` at each start, in the order of the documentation of each framework: PyTorch's i, f, g, o; ONNX's
  /// i, o, f, c; CuDNN's GRU in Keras z, r, h; Keras's own i, f, c, o.
  @Test(arguments: [
    (
      "layouts/torch-chains/lstm-both/model.pt", ["--activations", "fc=linear"], "lstm.weight_ih_l0_reverse", 0,
      ["kernel[i]", "kernel[f]", "kernel[c]", "kernel[o]"]
    ),
    (
      "layouts/onnx-package/lstm_with_initial_bias/model.onnx", [], "Y_h_1: R", 0,
      ["recurrent_kernel[i]", "recurrent_kernel[o]", "recurrent_kernel[f]", "recurrent_kernel[c]"]
    ),
    (
      "keras-2.2.4/cudnn-gru/model.h5", [], "model_weights/gru_1/gru_1/bias:0", 0,
      ["bias[0][z]", "bias[0][r]", "bias[0][h]", "bias[1][z]", "bias[1][r]", "bias[1][h]"]
    ),
    (
      "keras-2.2.4/cudnn-lstm/model.h5", [], "model_weights/lstm_1/lstm_1/kernel:0", 1,
      ["kernel[i]", "kernel[f]", "kernel[c]", "kernel[o]"]
    ),
  ])
  func everyGateHasItsPlace(_ path: String, options: [String], tensor: String, axis: Int, blocks: [String]) throws {
    let all = try placements(path, options)
    let placement = try #require(all.first { $0["tensor"]?.string == tensor }, "\(all.map { $0["tensor"]?.string })")
    #expect(placement["axis"]?.integer == axis)
    let segments = try #require(placement["segments"]?.array)
    #expect(segments.map { $0["block"]?.string } == blocks)
    let shape = try #require(placement["shape"]?.array?.map { $0.integer ?? 0 })
    let width = shape[axis] / blocks.count
    #expect(segments.map { $0["start"]?.integer } == blocks.indices.map { $0 * width })
    #expect(segments.map { $0["end"]?.integer } == blocks.indices.map { ($0 + 1) * width })
  }

  /// Each tensor of the state dict once, as `inspect` lists them.
  @Test func everyTensorOfAFileIsDrawn() throws {
    let path = "layouts/torch-chains/lstm-both/model.pt"
    let inspection = try CLI.run(["inspect", "--json", CLI.fixture(path)], in: Fixtures.folder).output
    let listed = try #require(try JSONValue(parsing: inspection)["tensors"]?.array).compactMap { $0["name"]?.string }
    let drawn = try placements(path, ["--activations", "fc=linear"]).compactMap { $0["tensor"]?.string }
    #expect(drawn.count == 10)
    #expect(Set(drawn) == Set(listed))
  }

  @Test func theDrawingIsToScale() throws {
    let result = try explain("layouts/torch-chains/lstm-both/model.pt", ["--activations", "fc=linear"])
    #expect(result.status == 0, "\(result.errors)")
    let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let name = try #require(lines.firstIndex { $0.hasPrefix("  lstm.weight_hh_l0  (16, 4)") })
    // A place stands under the left end of each block.
    let bar = Array(lines[name + 1]), ruler = Array(lines[name + 2])
    let ends = bar.indices.filter { bar[$0] == "|" }
    #expect(ends.count == 5)
    #expect(ends.map { end in String(ruler[end...].prefix { $0 != " " }) } == ["0", "4", "8", "12", "16"])
    #expect(lines[name + 3].hasSuffix("transposed to [1, 0]"))
  }

  @Test func whatCannotBeDrawnIsSaid() throws {
    let folder = try TemporaryFolder()
    try CLI.importSentiment(into: folder)
    for (arguments, status) in [
      (["explain", "model.rnn"], 64), (["explain"], 64), (["explain", "--json", "--history"], 64),
      (["explain", "model.rnn", "--layouts"], 64), (["explain", "no-such.h5"], 66),
    ] {
      let result = try CLI.run(arguments, in: folder.url)
      #expect(result.status == status, "\(arguments): \(result.errors)")
      #expect(result.output.isEmpty && !result.errors.isEmpty)
    }
  }
}
