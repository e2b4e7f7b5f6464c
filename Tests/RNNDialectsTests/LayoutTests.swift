import RNNCore
import RNNDialects
import Testing

/// Arrays of old files in the native layout.
@Suite struct LayoutTests {
  private let inputs = 2
  private let units = 2

  /// W, U, b of one gate, every element `code`: 10 g + (1, 2, 3).
  private func gate(_ code: Float, _ name: String) throws -> [(String, Tensor)] {
    [
      ("W_\(name)", try filled([inputs, units], code + 1)), ("U_\(name)", try filled([units, units], code + 2)),
      ("b_\(name)", try filled([units], code + 3)),
    ]
  }

  private func columns(_ tensor: Tensor?) -> [Float] {
    guard let tensor, let width = tensor.shape.last else { return [] }
    let rows = tensor.floats()
    // Every row must say the same.
    return (0..<rows.count / width).allSatisfy { rows[$0 * width..<($0 + 1) * width] == rows[0..<width] }
      ? Array(rows[0..<width]) : []
  }

  /// Keras 1 stores i, c, f, o; native blocks are i, f, c, o.
  @Test func twelveArraysMakeAnLSTM() throws {
    let json = sequential([
      ("LSTM", #"{"name": "l", "output_dim": 2, "inner_activation": "sigmoid", "batch_input_shape": [null, null, 2]}"#)
    ])
    var file = try KerasFile(json, version: "1.2.2")
    try file.add("l", gate(10, "i") + gate(30, "c") + gate(20, "f") + gate(40, "o"))
    let model = try importing(try file.listed())
    #expect(columns(model.parameter("l", "kernel")) == [11, 11, 21, 21, 31, 31, 41, 41])
    #expect(columns(model.parameter("l", "recurrent_kernel")) == [12, 12, 22, 22, 32, 32, 42, 42])
    #expect(columns(model.parameter("l", "bias")) == [13, 13, 23, 23, 33, 33, 43, 43])
    #expect(model.provenance.decisions.contains { $0.contains("'l'") && $0.contains("i, c, f, o") })
    #expect(model.provenance.tensorNames == nil)
  }

  /// Keras 1 stores z, r, h, which is the native order, and resets before the product.
  @Test func nineArraysMakeAGRU() throws {
    let json = sequential([("GRU", #"{"name": "g", "output_dim": 2, "batch_input_shape": [null, null, 2]}"#)])
    var file = try KerasFile(json, version: "1.2.2")
    try file.add("g", gate(10, "z") + gate(20, "r") + gate(30, "h"))
    let model = try importing(try file.listed())
    #expect(columns(model.parameter("g", "kernel")) == [11, 11, 21, 21, 31, 31])
    #expect(columns(model.parameter("g", "recurrent_kernel")) == [12, 12, 22, 22, 32, 32])
    #expect(columns(model.parameter("g", "bias")) == [13, 13, 23, 23, 33, 33])
    guard case .gru(let spec)? = model.layer("g") else {
      Issue.record("no GRU")
      return
    }
    #expect(!spec.resetAfter && spec.recurrentActivation == .hardSigmoidFifth && spec.activation == .tanh)
  }

  /// Both directions of Keras 1's Bidirectional: twelve arrays each, the forward ones first.
  @Test func twoDirectionsOfKeras1FollowEachOther() throws {
    let json = sequential([
      (
        "Bidirectional",
        #"{"name": "b", "batch_input_shape": [null, null, 2], "layer": {"class_name": "LSTM", "config": "#
          + #"{"name": "l", "output_dim": 2, "inner_activation": "sigmoid"}}}"#
      )
    ])
    var file = try KerasFile(json, version: "1.2.2")
    let forward = try gate(10, "i") + gate(30, "c") + gate(20, "f") + gate(40, "o")
    let backward = try gate(50, "bi") + gate(70, "bc") + gate(60, "bf") + gate(80, "bo")
    try file.add("b", forward + backward)
    let model = try importing(try file.listed())
    #expect(columns(model.parameter("b/forward_layer", "kernel")) == [11, 11, 21, 21, 31, 31, 41, 41])
    #expect(columns(model.parameter("b/backward_layer", "kernel")) == [51, 51, 61, 61, 71, 71, 81, 81])
    #expect(columns(model.parameter("b/backward_layer", "bias")) == [53, 53, 63, 63, 73, 73, 83, 83])
  }

  /// Mode 1 of Keras 1's BatchNormalization stores moving statistics that it never uses.
  @Test func statisticsThatAreNotUsedAreLeftOut() throws {
    let json = sequential([("BatchNormalization", #"{"name": "n", "mode": 1, "batch_input_shape": [null, 2]}"#)])
    var file = try KerasFile(json, version: "1.2.2")
    try file.add(
      "n", [("g", counted([2])), ("b", counted([2], from: 10)), ("m", filled([2])), ("v", filled([2]))])
    let model = try importing(try file.listed())
    #expect(model.parameters.map(\.name) == ["gamma", "beta"])
    #expect(model.parameter("n", "gamma") == (try counted([2])))
    #expect(model.parameter("n", "beta") == (try counted([2], from: 10)))
    #expect(model.provenance.decisions.contains { $0.contains("'n'") && $0.contains("mode 1") })
  }

  /// Keras 1 does not say along which axes its parametric activations share their weights; the shapes do.
  @Test func sharedAxesFollowFromTheWeights() throws {
    func layer(_ className: String, _ names: [String], _ shape: [Int], version: String = "1.2.2") throws -> LayerSpec? {
      let json = sequential([(className, #"{"name": "p", "batch_input_shape": [null, 4, 3]}"#)])
      var file = try KerasFile(json, version: version)
      try file.add("p", try names.map { ($0, try filled(shape)) })
      return try importing(try file.listed()).layer("p")
    }
    #expect(try layer("PReLU", ["a"], [4, 3]) == .prelu(PReLUSpec(sharedAxes: [])))
    #expect(try layer("PReLU", ["a"], [1, 3]) == .prelu(PReLUSpec(sharedAxes: [1])))
    let softplus = LayerSpec.parametricSoftplus(ParametricSoftplusSpec(sharedAxes: [2]))
    #expect(try layer("ParametricSoftplus", ["a", "b"], [4, 1]) == softplus)
    #expect(try layer("SReLU", ["a", "b", "c", "d"], [1, 1]) == .sReLU(SReLUSpec(sharedAxes: [1, 2])))
    // Later versions say it.
    expectError(.badData, naming: "alpha of 'p'", "[1, 3]", "[4, 3]") {
      try layer("PReLU", ["a"], [1, 3], version: "2.2.4")
    }
  }

  @Test func threeArraysAreTakenAsTheyAre() throws {
    let json = sequential([("LSTM", #"{"name": "l", "output_dim": 1, "batch_input_shape": [null, null, 2]}"#)])
    var file = try KerasFile(json, version: "1.2.2")
    let kernel = try counted([2, 4])
    try file.add("l", [("k", kernel), ("r", filled([1, 4])), ("b", filled([4]))])
    let model = try importing(try file.listed())
    #expect(model.parameter("l", "kernel") == kernel)
    #expect(model.provenance.tensorNames == ["k", "r", "b"])
  }

  private func convolution(_ kernel: Tensor, version: String = "1.2.2", backend: String? = nil) throws -> NativeModel {
    let json = sequential([
      ("Convolution1D", #"{"name": "c", "nb_filter": 4, "filter_length": 3, "batch_input_shape": [null, 9, 2]}"#)
    ])
    var file = try KerasFile(json, version: version)
    try file.add("c", [("W", kernel), ("b", try filled([4]))])
    return try importing(try file.listed()) { $0.backend = backend }
  }

  /// Tap k, channel c, filter f holds 100 k + 10 c + f, wherever its layout puts it.
  private func kernel(_ shape: [Int], _ place: ([Int]) -> (tap: Int, channel: Int, filter: Int)) throws -> Tensor {
    let indices = shape.reduce([[]]) { found, size in found.flatMap { prefix in (0..<size).map { prefix + [$0] } } }
    let values = indices.map { index -> Float in
      let place = place(index)
      return Float(100 * place.tap + 10 * place.channel + place.filter)
    }
    return try Tensor(values, shape: shape)
  }

  @Test func kernelsOfFourAxesLoseOne() throws {
    let native = try kernel([3, 2, 4]) { ($0[0], $0[1], $0[2]) }
    // Keras 1.1 and 1.2: (kernel size, 1, channels, filters).
    let later = try kernel([3, 1, 2, 4]) { ($0[0], $0[2], $0[3]) }
    // Keras up to 1.0.8: (filters, channels, kernel size, 1).
    let earlier = try kernel([4, 2, 3, 1]) { ($0[2], $0[1], $0[0]) }
    for stored in [native, later, earlier] {
      #expect(try convolution(stored).parameter("c", "kernel") == native, "\(stored)")
    }
    #expect(
      try convolution(later).provenance.decisions.contains { $0.contains("[3, 1, 2, 4]") && $0.contains("[3, 2, 4]") })
    expectError(.badData, naming: "kernel of 'c'", "[3, 2, 1, 4]", "[3, 2, 4]") {
      try convolution(try filled([3, 2, 1, 4]))
    }
  }

  /// Theano convolves where others correlate: tap k of its file is tap 2 - k of ours.
  @Test func theanoKernelsAreFlipped() throws {
    let native = try kernel([3, 2, 4]) { ($0[0], $0[1], $0[2]) }
    let flipped = try kernel([3, 2, 4]) { (2 - $0[0], $0[1], $0[2]) }
    let earlier = try kernel([4, 2, 3, 1]) { (2 - $0[2], $0[1], $0[0]) }
    #expect(try convolution(flipped, backend: "theano").parameter("c", "kernel") == native)
    #expect(try convolution(earlier, backend: "theano").parameter("c", "kernel") == native)
    #expect(try convolution(native, backend: "tensorflow").parameter("c", "kernel") == native)
    let model = try convolution(flipped, backend: "theano")
    #expect(model.provenance.backend == "theano")
    #expect(model.provenance.decisions.contains { $0.contains("flipped") })
  }

  @Test func theFilesBackendCountsAndTheUsersWins() throws {
    let json = sequential([
      (
        "Conv1D",
        #"{"name": "c", "filters": 1, "kernel_size": [2], "padding": "same", "batch_input_shape": [null, 9, 1]}"#
      )
    ])
    var file = try KerasFile(json, version: "2.2.4", backend: "theano")
    try file.add("c", [("k", try Tensor([1, 2] as [Float], shape: [2, 1, 1])), ("b", try filled([1]))])
    let checkpoint = try file.listed()
    let model = try importing(checkpoint)
    #expect(model.parameter("c", "kernel")?.floats() == [2, 1])
    // Theano's own `same` differs for even kernels, and that is said.
    #expect(model.ledger.contains { $0.kind == .assumed && $0.subject == "c" })
    let other = try importing(checkpoint) { $0.backend = "tensorflow" }
    #expect(other.parameter("c", "kernel")?.floats() == [1, 2])
    #expect(other.ledger.isEmpty)
  }

  /// Sizes that no memory holds, in a tensor without elements.
  @Test func absurdEmptyArraysAreErrors() throws {
    let vast = 1 << 40
    let json = sequential([
      (
        "Conv1D",
        #"{"name": "c", "filters": 0, "kernel_size": [\#(vast)], "batch_input_shape": [null, 9, 1], "use_bias": false}"#
      )
    ])
    var file = try KerasFile(json, version: "1.0.8")
    try file.add("c", [("W", try Tensor(dtype: .uint8, shape: [0, vast, vast, 1], bytes: .init()))])
    expectError(.badData) { try importing(try file.listed()) }
    let lstm = sequential([("LSTM", #"{"name": "l", "output_dim": 1, "batch_input_shape": [null, null, 2]}"#)])
    var other = try KerasFile(lstm, version: "1.2.2")
    let piece = try Tensor(dtype: .uint8, shape: [0, 1 << 62], bytes: .init())
    try other.add("l", (0..<12).map { ("w\($0)", piece) })
    expectError(.badData, naming: "'l'") { try importing(try other.listed()) }
    // Without a stated input shape, the kernel and `groups` tell the channels.
    let groups = sequential([
      ("Conv1D", #"{"name": "c", "filters": 1, "kernel_size": 1, "groups": 4611686018427387904}"#)
    ])
    var third = try KerasFile(groups, version: "2.4.0")
    try third.add("c", [("k", try filled([1, 4, 1])), ("b", try filled([1]))])
    expectError(.badData) { try importing(try third.listed()) }
  }
}
