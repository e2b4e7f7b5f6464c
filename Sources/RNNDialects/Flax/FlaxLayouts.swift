extension WeightDialect {
  /// Flax linen. Columns of matrices are outputs; each gate of a cell is a Dense of its own; the bias stands with the state.
  public static let flaxLinen = WeightDialect(
    name: "flax-linen", framework: "Flax linen", separator: "/", collections: ["params", "batch_stats"],
    directions: .places(forward: "forward_rnn/cell", backward: "backward_rnn/cell", alone: "cell"),
    layouts: flaxSimple(depthwise: "nn.Conv with feature_group_count=in_features", collected: true) + [
      LayerLayout(.lstm, .any, "nn.LSTMCell", implied: LayerLayout.Implied.bias, lstmByName(forget: "if")),
      LayerLayout(
        .gru, .resetAfter, "nn.GRUCell", implied: LayerLayout.Implied.bias,
        [
          .init("ir/kernel", .gate("kernel", "r", of: "zrh")), .init("iz/kernel", .gate("kernel", "z", of: "zrh")),
          .init("in/kernel", .gate("kernel", "h", of: "zrh")),
          .init("hr/kernel", .gate("recurrent_kernel", "r", of: "zrh")),
          .init("hz/kernel", .gate("recurrent_kernel", "z", of: "zrh")),
          .init("hn/kernel", .gate("recurrent_kernel", "h", of: "zrh")),
          .init(
            "ir/bias", .summed(.gate("bias", "r", of: "zrh", row: 0), .gate("bias", "r", of: "zrh", row: 1))),
          .init(
            "iz/bias", .summed(.gate("bias", "z", of: "zrh", row: 0), .gate("bias", "z", of: "zrh", row: 1))),
          .init("in/bias", .gate("bias", "h", of: "zrh", row: 0)),
          .init("hn/bias", .gate("bias", "h", of: "zrh", row: 1)),
        ]),
      LayerLayout(
        .simpleRNN, .any, "nn.SimpleCell", implied: LayerLayout.Implied.bias,
        [
          .init("i/kernel", .whole("kernel")), .init("i/bias", .whole("bias")),
          .init("h/kernel", .whole("recurrent_kernel")),
        ]),
    ],
    source: "Flax 0.12.8, measured")

  /// Flax nnx, whose cells have one Dense for all gates, and whose GRU has no recurrent bias at all.
  public static let flaxNNX = WeightDialect(
    name: "flax-nnx", framework: "Flax nnx", separator: "/",
    directions: .places(forward: "forward_rnn/cell", backward: "backward_rnn/cell", alone: "cell"),
    layouts: flaxSimple(depthwise: "nnx.Conv with feature_group_count=in_features", collected: false) + [
      LayerLayout(
        .lstm, .any, "nnx.OptimizedLSTMCell", implied: LayerLayout.Implied.bias,
        [
          .init("dense_i/kernel", .gates("kernel", "ifco", of: "ifco", along: 1)),
          .init("dense_h/kernel", .gates("recurrent_kernel", "ifco", of: "ifco", along: 1)),
          .init("dense_h/bias", .gates("bias", "ifco", of: "ifco")),
        ]),
      LayerLayout(.lstm, .any, "nnx.LSTMCell", implied: LayerLayout.Implied.bias, lstmByName(forget: "if_")),
      LayerLayout(
        .gru, .resetAfter, "nnx.GRUCell",
        absent: [.init(parameter: "bias", gate: .init(letter: "h", order: "zrh"), row: 1)],
        implied: LayerLayout.Implied.bias,
        [
          .init("dense_i/kernel", .gates("kernel", "rzh", of: "zrh", along: 1)),
          .init("dense_h/kernel", .gates("recurrent_kernel", "rzh", of: "zrh", along: 1)),
          .init(
            "dense_i/bias",
            .joined(
              [
                .summed(.gate("bias", "r", of: "zrh", row: 0), .gate("bias", "r", of: "zrh", row: 1)),
                .summed(.gate("bias", "z", of: "zrh", row: 0), .gate("bias", "z", of: "zrh", row: 1)),
                .gate("bias", "h", of: "zrh", row: 0),
              ], axis: 0)),
        ]),
      LayerLayout(
        .simpleRNN, .any, "nnx.SimpleCell", implied: LayerLayout.Implied.bias,
        [
          .init("dense_i/kernel", .whole("kernel")), .init("dense_i/bias", .whole("bias")),
          .init("dense_h/kernel", .whole("recurrent_kernel")),
        ]),
    ],
    source: "Flax 0.12.8, measured")

  private static func lstmByName(forget: String) -> [LayerLayout.Item] {
    let gates: [(native: Character, input: String, hidden: String)] = [
      ("i", "ii", "hi"), ("f", forget, "hf"), ("c", "ig", "hg"), ("o", "io", "ho"),
    ]
    return gates.map { .init($0.input + "/kernel", .gate("kernel", $0.native, of: "ifco")) }
      + gates.map { .init($0.hidden + "/kernel", .gate("recurrent_kernel", $0.native, of: "ifco")) }
      + gates.map { .init($0.hidden + "/bias", .gate("bias", $0.native, of: "ifco")) }
  }

  /// What linen and nnx have alike. A transposed convolution's kernel is reversed along its steps.
  private static func flaxSimple(depthwise: String, collected: Bool) -> [LayerLayout] {
    let statistics = collected ? "batch_stats" : nil
    return [
      LayerLayout(.embedding, .any, "Embed", [.init("embedding", .whole("embeddings"))]),
      LayerLayout(
        .dense, .any, collected ? "nn.Dense" : "nnx.Linear",
        [.init("kernel", .whole("kernel")), .init("bias", .whole("bias"))]),
      LayerLayout(.conv1D, .any, "Conv", [.init("kernel", .whole("kernel")), .init("bias", .whole("bias"))]),
      LayerLayout(
        .conv1DTranspose, .any, "ConvTranspose",
        [
          .init("kernel", .flipped(.transposed(.whole("kernel"), [0, 2, 1]), axis: 0)),
          .init("bias", .whole("bias")),
        ]),
      LayerLayout(
        .depthwiseConv1D, .any, depthwise,
        [.init("kernel", .widened(.merged(.whole("kernel"), axis: 1), axis: 1)), .init("bias", .whole("bias"))]),
      LayerLayout(
        .separableConv1D, .any, "two Conv, the first with feature_group_count=in_features",
        [
          .init("depthwise/kernel", .widened(.merged(.whole("depthwise_kernel"), axis: 1), axis: 1)),
          .init("pointwise/kernel", .whole("pointwise_kernel")), .init("pointwise/bias", .whole("bias")),
        ]),
      LayerLayout(
        .batchNormalization, .any, "BatchNorm",
        [
          .init("scale", .whole("gamma")), .init("bias", .whole("beta")),
          .init("mean", .whole("moving_mean"), collection: statistics),
          .init("var", .whole("moving_variance"), collection: statistics),
        ]),
      LayerLayout(
        .layerNormalization, .centered, "LayerNorm",
        [.init("scale", .whole("gamma")), .init("bias", .whole("beta"))]),
      LayerLayout(.layerNormalization, .rootMeanSquare, "RMSNorm", [.init("scale", .whole("gamma"))]),
      LayerLayout(
        .groupNormalization, .any, "GroupNorm", [.init("scale", .whole("gamma")), .init("bias", .whole("beta"))]),
    ]
  }
}
