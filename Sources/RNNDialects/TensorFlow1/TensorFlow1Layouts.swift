extension WeightDialect {
  /// The cells of TensorFlow 1 (`tf.nn.rnn_cell`, `tf.contrib.rnn`). One kernel for input and state, the input's rows
  /// first. The forget gate's bias lacks what `forget_bias` adds when the cell runs: that is configuration.
  public static let tensorFlow1 = WeightDialect(
    name: "tensorflow1", framework: "TensorFlow 1", separator: "/",
    directions: .places(forward: "fw", backward: "bw", alone: ""),
    layouts: [
      LayerLayout(.embedding, .any, "an embedding matrix", [.init("embedding", .whole("embeddings"))]),
      LayerLayout(
        .dense, .any, "tf.layers.Dense", [.init("kernel", .whole("kernel")), .init("bias", .whole("bias"))]),
      LayerLayout(
        .lstmVariant, .fourBlocks, "BasicLSTMCell, LSTMCell, LSTMBlockCell, LSTMBlockFusedCell",
        implied: LayerLayout.Implied.bias,
        lstm + [
          .init("w_f_diag", .row("peephole_kernel", 1)), .init("w_i_diag", .row("peephole_kernel", 0)),
          .init("w_o_diag", .row("peephole_kernel", 2)),
          .init("projection/kernel", .whole("projection_kernel")),
        ]),
      LayerLayout(.lstm, .any, "BasicLSTMCell with forget_bias=0", implied: LayerLayout.Implied.bias, lstm),
      LayerLayout(
        .gru, .resetBefore, "GRUCell", implied: LayerLayout.Implied.bias,
        [
          .init("gates/kernel", gruGates(along: 1)), .init("gates/bias", .gates("bias", "rz", of: "zrh")),
          .init("candidate/kernel", gruCandidate), .init("candidate/bias", .gate("bias", "h", of: "zrh")),
        ]),
      LayerLayout(
        .gru, .resetBefore, "GRUBlockCell", implied: LayerLayout.Implied.bias,
        [
          .init("w_ru", gruGates(along: 1)), .init("b_ru", .gates("bias", "rz", of: "zrh")),
          .init("w_c", gruCandidate), .init("b_c", .gate("bias", "h", of: "zrh")),
        ]),
      LayerLayout(
        .simpleRNN, .any, "BasicRNNCell", implied: LayerLayout.Implied.bias,
        [
          .init("kernel", .joined([.whole("kernel"), .whole("recurrent_kernel")], axis: 0)),
          .init("bias", .whole("bias")),
        ]),
      LayerLayout(
        .conv1D, .any, "tf.layers.Conv1D", [.init("kernel", .whole("kernel")), .init("bias", .whole("bias"))]),
      LayerLayout(
        .batchNormalization, .any, "tf.layers.BatchNormalization",
        [
          .init("gamma", .whole("gamma")), .init("beta", .whole("beta")),
          .init("moving_mean", .whole("moving_mean")), .init("moving_variance", .whole("moving_variance")),
        ]),
      LayerLayout(
        .layerNormalization, .centered, "layer normalization",
        [.init("gamma", .whole("gamma")), .init("beta", .whole("beta"))]),
    ],
    source: "tf_keras 2.19's legacy cells on TensorFlow 2.19, measured")

  private static let lstm: [LayerLayout.Item] = [
    .init(
      "kernel",
      .joined(
        [.gates("kernel", "icfo", of: "ifco", along: 1), .gates("recurrent_kernel", "icfo", of: "ifco", along: 1)],
        axis: 0)),
    .init("bias", .gates("bias", "icfo", of: "ifco")),
  ]

  private static func gruGates(along axis: Int) -> Arrangement {
    .joined(
      [.gates("kernel", "rz", of: "zrh", along: axis), .gates("recurrent_kernel", "rz", of: "zrh", along: axis)],
      axis: 0)
  }

  private static let gruCandidate = Arrangement.joined(
    [.gate("kernel", "h", of: "zrh"), .gate("recurrent_kernel", "h", of: "zrh")], axis: 0)
}
