extension WeightDialect {
  /// Chainer's links, as `chainer.serializers.save_npz` names their parameters. Rows of matrices are outputs. An LSTM's
  /// gates lie row by row in turn; a GRU's update gate takes what others keep, so that its numbers have the other sign.
  public static let chainer = WeightDialect(
    name: "chainer", framework: "Chainer", separator: "/", directions: .numbers,
    layouts: [
      LayerLayout(.embedding, .any, "L.EmbedID", [.init("W", .whole("embeddings"))]),
      LayerLayout(.dense, .any, "L.Linear", [.init("W", .whole("kernel").turned), .init("b", .whole("bias"))]),
      LayerLayout(
        .lstm, .any, "L.LSTM", implied: LayerLayout.Implied.bias,
        [
          .init("upward/W", inTurn("kernel", \.turned)), .init("upward/b", inTurn("bias")),
          .init("lateral/W", inTurn("recurrent_kernel", \.turned)),
        ]),
      LayerLayout(
        .lstm, .any, "L.NStepLSTM", implied: LayerLayout.Implied.bias, isNumbered: true,
        numbered("ifco", of: "ifco", rows: false)),
      LayerLayout(
        .gru, .resetBefore, "L.GRU", implied: LayerLayout.Implied.bias,
        [
          .init("W_r/W", .gate("kernel", "r", of: "zrh").turned),
          .init("W_r/b", .gate("bias", "r", of: "zrh")),
          .init("U_r/W", .gate("recurrent_kernel", "r", of: "zrh").turned),
          .init("U_r/b", .addend(.gate("bias", "r", of: "zrh"))),
          .init("W_z/W", .negated(.gate("kernel", "z", of: "zrh").turned)),
          .init("W_z/b", .negated(.gate("bias", "z", of: "zrh"))),
          .init("U_z/W", .negated(.gate("recurrent_kernel", "z", of: "zrh").turned)),
          .init("U_z/b", .negated(.addend(.gate("bias", "z", of: "zrh")))),
          .init("W/W", .gate("kernel", "h", of: "zrh").turned),
          .init("W/b", .gate("bias", "h", of: "zrh")),
          .init("U/W", .gate("recurrent_kernel", "h", of: "zrh").turned),
          .init("U/b", .addend(.gate("bias", "h", of: "zrh"))),
        ]),
      LayerLayout(
        .gru, .resetAfter, "L.NStepGRU", implied: LayerLayout.Implied.bias, isNumbered: true,
        numbered("rzh", of: "zrh", rows: true)),
      LayerLayout(
        .simpleRNN, .any, "L.NStepRNNTanh, L.NStepRNNReLU", implied: LayerLayout.Implied.bias, isNumbered: true,
        [
          .init("w0", .whole("kernel").turned), .init("w1", .whole("recurrent_kernel").turned),
          .init("b0", .whole("bias")), .init("b1", .addend(.whole("bias"))),
        ]),
      LayerLayout(
        .conv1D, .any, "L.Convolution1D",
        [.init("W", .transposed(.whole("kernel"), [2, 1, 0])), .init("b", .whole("bias"))]),
      LayerLayout(
        .conv1DTranspose, .any, "L.Deconvolution1D",
        [.init("W", .transposed(.whole("kernel"), [2, 1, 0])), .init("b", .whole("bias"))]),
      LayerLayout(
        .depthwiseConv1D, .any, "L.Convolution1D with groups=in_channels",
        [.init("W", depthwise("kernel")), .init("b", .whole("bias"))]),
      LayerLayout(
        .separableConv1D, .any, "two L.Convolution1D, the first with groups=in_channels",
        [
          .init("depthwise/W", depthwise("depthwise_kernel")),
          .init("pointwise/W", .transposed(.whole("pointwise_kernel"), [2, 1, 0])),
          .init("pointwise/b", .whole("bias")),
        ]),
      LayerLayout(
        .batchNormalization, .any, "L.BatchNormalization",
        [
          .init("gamma", .whole("gamma")), .init("beta", .whole("beta")), .init("avg_mean", .whole("moving_mean")),
          .init("avg_var", .whole("moving_variance")), .init("N", nil),
        ]),
      LayerLayout(
        .layerNormalization, .centered, "L.LayerNormalization", implied: [.init("gamma"), .init("beta")],
        [.init("gamma", .whole("gamma")), .init("beta", .whole("beta"))]),
      LayerLayout(
        .groupNormalization, .any, "L.GroupNormalization", implied: [.init("gamma"), .init("beta")],
        [.init("gamma", .whole("gamma")), .init("beta", .whole("beta"))]),
    ],
    source: "Chainer 7.8.1, measured")

  /// Row `unit x 4 + gate`, the gates in the order candidate, input, forget, output.
  private static func inTurn(
    _ parameter: String, _ turn: (Arrangement) -> Arrangement = { $0 }
  ) -> Arrangement {
    .interleaved("cifo".map { turn(.gate(parameter, $0, of: "ifco")) })
  }

  /// `w0`, `w1`, ... of the input, then of the state; the biases likewise.
  private static func numbered(_ order: String, of native: String, rows: Bool) -> [LayerLayout.Item] {
    let letters = Array(order)
    let count = letters.count
    return letters.enumerated().flatMap { index, letter -> [LayerLayout.Item] in
      let state: Arrangement =
        rows ? .gate("bias", letter, of: native, row: 1) : .addend(.gate("bias", letter, of: native))
      return [
        .init("w\(index)", .gate("kernel", letter, of: native).turned),
        .init("w\(index + count)", .gate("recurrent_kernel", letter, of: native).turned),
        .init("b\(index)", .gate("bias", letter, of: native, row: rows ? 0 : nil)),
        .init("b\(index + count)", state),
      ]
    }
  }
}
