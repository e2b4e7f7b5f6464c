import RNNCore
import RNNDialects
import Testing

/// Configurations that nobody wrote by training a model: an error each, and soon.
struct HostileGraphTests {
  /// Names that are no text are damage, and told as such.
  @Test func layersNeedNames() throws {
    let dense = #"{"class_name": "Dense", "config": {"name": {"a": 1}, "units": 4, "batch_input_shape": [null, 2]}}"#
    let text =
      #"{"keras_version": "2.2.4", "class_name": "Sequential", "config": {"name": "m", "layers": [\#(dense), \#(dense)]}}"#
    expectError(.badData, naming: "name") { try KerasDescription(json: text).spec.shapes() }
  }

  private func layer(_ className: String, _ name: String, _ nodes: String, _ arguments: String) -> String {
    #"{"class_name": "\#(className)", "name": "\#(name)", "config": {"name": "\#(name)", "trainable": true\#(arguments)}, "#
      + #""inbound_nodes": \#(nodes)}"#
  }

  private func functional(_ name: String, _ layers: [String], _ inputs: String, _ outputs: String) -> String {
    #""class_name": "Model", "config": {"name": "\#(name)", "layers": [\#(layers.joined(separator: ", "))], "#
      + #""input_layers": \#(inputs), "output_layers": \#(outputs)}"#
  }

  private func described(_ model: String) throws -> ModelSpec {
    try KerasDescription(json: #"{"keras_version": "2.2.4", \#(model)}"#).spec
  }

  /// Each model calls the one inside it twice: a file of a few kilobytes stands for 2^40 calls.
  @Test func modelsInModelsDoNotGrowWithoutEnd() {
    let input = { (name: String) in self.layer("InputLayer", name, "[]", #", "batch_input_shape": [null, 3]"#) }
    var model = functional(
      "m0", [input("i0"), layer("Dense", "d", #"[[["i0", 0, 0, {}]]]"#, #", "units": 3"#)],
      #"[["i0", 0, 0]]"#, #"[["d", 0, 0]]"#)
    for depth in 1...40 {
      let inner = "m\(depth - 1)"
      let called =
        #"{"name": "\#(inner)", \#(model), "inbound_nodes": [[["i\#(depth)", 0, 0, {}]], [["\#(inner)", 1, 0, {}]]]}"#
      model = functional(
        "m\(depth)", [input("i\(depth)"), called], #"[["i\#(depth)", 0, 0]]"#, #"[["\#(inner)", 2, 0]]"#)
    }
    expectError(.badData, naming: "calls of layers") { try described(model) }
  }

  @Test func anOutputThatNoLayerHasIsNamed() throws {
    let layers = [
      layer("InputLayer", "i", "[]", #", "batch_input_shape": [null, 3]"#),
      layer("Dense", "d", #"[[["i", 0, 0, {}]]]"#, #", "units": 3"#),
    ]
    expectError(.badData, naming: "output") {
      try described(functional("m", layers, #"[["i", 0, 0]]"#, #"[["d", 0, 5]]"#))
    }
    for output in [Int.max, .min] {
      expectError(.badData, naming: "output") {
        try described(functional("m", layers, #"[["i", 0, 0]]"#, #"[["d", 0, \#(output)]]"#))
      }
      _ = try? described(functional("m", layers, #"[["i", 0, \#(output)]]"#, #"[["d", 0, 0]]"#))
    }
    // A number from elsewhere is the only call, whatever its size.
    for node in [Int.min, .max] {
      let spec = try described(functional("m", layers, #"[["i", 0, 0]]"#, #"[["d", \#(node), 0]]"#))
      #expect(spec.outputs == [ModelSpec.Reference(call: 1)])
    }
  }

  /// Numbers that no arithmetic of shapes survives.
  @Test(arguments: [
    ("Conv1DTranspose", #""filters": 2, "kernel_size": [2], "strides": [-1]"#),
    ("Conv1DTranspose", #""filters": 2, "kernel_size": [9223372036854775807], "strides": [9223372036854775807]"#),
    ("ZeroPadding1D", #""padding": [9223372036854775807, 9223372036854775807]"#),
    ("UpSampling1D", #""size": 9223372036854775807"#),
    ("RepeatVector", #""n": -9223372036854775808"#),
    ("Reshape", #""target_shape": [9223372036854775807, 2]"#),
    ("TextVectorization", #""vocabulary": ["a"], "ngrams": 4611686018427387904"#),
    ("StringLookup", #""vocabulary": ["a"], "num_oov_indices": 9223372036854775807"#),
  ])
  func numbersOfAnySizeAreErrors(_ className: String, _ arguments: String) {
    let isText = arguments.contains("vocabulary")
    let shape = isText ? "[null, 1]" : className == "RepeatVector" ? "[null, 3]" : "[null, 5, 3]"
    let json = sequential([
      (className, #"{"name": "l", "batch_input_shape": \#(shape), \#(arguments)}"#)
    ])
    #expect(throws: RNNError.self) { try KerasDescription(json: json).spec.shapes() }
  }

  /// What is left of a list without its strangers would be another list: ids and edges would move.
  @Test(arguments: [
    ("TextVectorization", "vocabulary", #""vocabulary": ["a", 3, "b"]"#),
    ("StringLookup", "vocabulary", #""vocabulary": ["a", null]"#),
    ("StringLookup", "idf_weights", #""vocabulary": ["a"], "output_mode": "tf_idf", "idf_weights": [1, "2"]"#),
    ("TextVectorization", "ngrams", #""vocabulary": ["a"], "ngrams": [1, "2"]"#),
    ("IntegerLookup", "vocabulary", #""vocabulary": [1, 2.5]"#),
    ("Discretization", "bin_boundaries", #""bin_boundaries": [0, "1", 2]"#),
    ("LayerNormalization", "axis", #""axis": {"class_name": "__tuple__", "items": [-1, "x"]}"#),
  ])
  func listsWithStrangersAreErrors(_ className: String, _ argument: String, _ arguments: String) {
    let json = sequential([
      (className, #"{"name": "l", "batch_input_shape": [null, 1], \#(arguments)}"#)
    ])
    expectError(.badData, naming: "'l'", argument) { try KerasDescription(json: json) }
  }

  /// What get_vocabulary() of Keras gives begins with the tokens for masks and for what is unknown; given to a layer again,
  /// they are left out (keras/src/layers/preprocessing/index_lookup.py, set_vocabulary).
  @Test(arguments: [
    (#""vocabulary": [-1, 7, 3]"#, [7, 3]), (#""vocabulary": [0, -1, 7, 3], "mask_token": 0"#, [7, 3]),
    (#""vocabulary": [-9, 7, 3], "oov_token": -9"#, [7, 3]),
    (#""vocabulary": [-1, 7], "num_oov_indices": 0"#, [-1, 7]),
  ])
  func specialTokensAreNoWords(_ arguments: String, _ words: [Int]) throws {
    let json = sequential([("IntegerLookup", #"{"name": "l", "batch_input_shape": [null, 2], \#(arguments)}"#)])
    let layers = try KerasDescription(json: json).spec.layers
    guard case .integerLookup(let lookup)? = layers.last?.spec else {
      Issue.record("no lookup")
      return
    }
    #expect(lookup.vocabulary == words)
    expectError(.badData, naming: "'l'", "vocabulary") {
      try KerasDescription(
        json: sequential([("IntegerLookup", #"{"name": "l", "batch_input_shape": [null, 2], "vocabulary": [7, -1]}"#)]))
    }
  }

  /// Whether a mask reaches the end has 2^64 ways to be asked.
  @Test func waysThroughAGraphAreNotCounted() throws {
    func tensor(_ layer: String) -> String {
      #"{"class_name": "__keras_tensor__", "config": {"shape": [null, 4, 3], "keras_history": ["\#(layer)", 0, 0]}}"#
    }
    func called(_ className: String, _ name: String, _ arguments: String, _ options: String = "") -> String {
      layer(className, name, #"[{"args": \#(arguments), "kwargs": {}}]"#, options)
    }
    var layers = [layer("InputLayer", "a0", "[]", #", "batch_shape": [null, 4, 3]"#)]
    for place in 1...64 {
      let before = tensor("a\(place - 1)")
      layers.append(called("Add", "a\(place)", "[[\(before), \(before)]]"))
    }
    let last = tensor("a64")
    layers.append(
      called("MultiHeadAttention", "h", "[\(last), \(last)]", #", "num_heads": 1, "key_dim": 2"#))
    layers.append(called("Multiply", "m", "[[\(tensor("h")), \(last)]]"))
    let model = functional("f", layers, #"[["a0", 0, 0]]"#, #"[["m", 0, 0]]"#)
    let spec = try KerasDescription(json: #"{"keras_version": "3.15.0", \#(model)}"#).spec
    #expect(spec.calls.count == 67)
  }

  @Test func textInsideAModelThatIsALayerIsRefused() {
    let inner = sequential([
      ("TextVectorization", #"{"name": "tv", "batch_input_shape": [null, 1], "vocabulary": ["a", "b"]}"#)
    ])
    let json =
      #"{"class_name": "Sequential", "config": {"name": "s", "layers": [\#(inner), "#
      + #"{"class_name": "Embedding", "config": {"name": "e", "input_dim": 4, "output_dim": 2}}]}}"#
    expectError(.unsupported, naming: "'tv'", "inside a model") { try KerasDescription(json: json) }
  }
}
