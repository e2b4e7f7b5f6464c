extension WeightDialect {
  /// MLX's modules, in Python and Swift. Rows of matrices are outputs; convolutions have the kernel between outputs and
  /// inputs; a GRU has one recurrent bias, that of the candidate.
  public static let mlx = WeightDialect(
    name: "mlx", framework: "MLX", separator: ".", directions: .none,
    layouts: [
      LayerLayout(.embedding, .any, "nn.Embedding", [.init("weight", .whole("embeddings"))]),
      LayerLayout(
        .dense, .any, "nn.Linear", [.init("weight", .whole("kernel").turned), .init("bias", .whole("bias"))]),
      LayerLayout(
        .lstm, .any, "nn.LSTM",
        [
          .init("Wx", .gates("kernel", "ifco", of: "ifco", \.turned)),
          .init("Wh", .gates("recurrent_kernel", "ifco", of: "ifco", \.turned)),
          .init("bias", .gates("bias", "ifco", of: "ifco")),
        ]),
      LayerLayout(
        .gru, .resetAfter, "nn.GRU",
        [
          .init("Wx", .gates("kernel", "rzh", of: "zrh", \.turned)),
          .init("Wh", .gates("recurrent_kernel", "rzh", of: "zrh", \.turned)),
          .init(
            "b",
            .joined(
              [
                .summed(
                  .gate("bias", "r", of: "zrh", row: 0), .gate("bias", "r", of: "zrh", row: 1)),
                .summed(.gate("bias", "z", of: "zrh", row: 0), .gate("bias", "z", of: "zrh", row: 1)),
                .gate("bias", "h", of: "zrh", row: 0),
              ], axis: 0)),
          .init("bhn", .gate("bias", "h", of: "zrh", row: 1)),
        ]),
      LayerLayout(
        .simpleRNN, .any, "nn.RNN",
        [
          .init("Wxh", .whole("kernel").turned), .init("Whh", .whole("recurrent_kernel").turned),
          .init("bias", .whole("bias")),
        ]),
      LayerLayout(
        .conv1D, .any, "nn.Conv1d",
        [.init("weight", .transposed(.whole("kernel"), [2, 0, 1])), .init("bias", .whole("bias"))]),
      LayerLayout(
        .conv1DTranspose, .any, "nn.ConvTranspose1d",
        [.init("weight", .transposed(.whole("kernel"), [1, 0, 2])), .init("bias", .whole("bias"))]),
      LayerLayout(
        .depthwiseConv1D, .any, "nn.Conv1d with groups=in_channels",
        [.init("weight", depthwiseRows("kernel")), .init("bias", .whole("bias"))]),
      LayerLayout(
        .separableConv1D, .any, "two nn.Conv1d, the first with groups=in_channels",
        [
          .init("depthwise.weight", depthwiseRows("depthwise_kernel")),
          .init("pointwise.weight", .transposed(.whole("pointwise_kernel"), [2, 0, 1])),
          .init("pointwise.bias", .whole("bias")),
        ]),
      LayerLayout(
        .batchNormalization, .any, "nn.BatchNorm", implied: LayerLayout.Implied.affine,
        [
          .init("weight", .whole("gamma")), .init("bias", .whole("beta")),
          .init("running_mean", .whole("moving_mean")), .init("running_var", .whole("moving_variance")),
        ]),
      LayerLayout(
        .layerNormalization, .centered, "nn.LayerNorm", implied: [.init("gamma", with: "beta")],
        [.init("weight", .whole("gamma")), .init("bias", .whole("beta"))]),
      LayerLayout(.layerNormalization, .rootMeanSquare, "nn.RMSNorm", [.init("weight", .whole("gamma"))]),
      LayerLayout(
        .groupNormalization, .any, "nn.GroupNorm", implied: LayerLayout.Implied.affine,
        [.init("weight", .whole("gamma")), .init("bias", .whole("beta"))]),
    ],
    source: "MLX 0.32.4, measured")

  private static func depthwiseRows(_ kernel: String) -> Arrangement {
    .transposed(.widened(.merged(.whole(kernel), axis: 1), axis: 1), [2, 0, 1])
  }
}
