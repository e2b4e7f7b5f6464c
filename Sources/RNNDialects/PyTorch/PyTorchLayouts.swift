extension WeightDialect {
  /// PyTorch's modules. Rows of matrices are outputs; each recurrent layer has two biases, which are added. `nn.LSTM` and
  /// the like hold a stack of layers, numbered in the names (`weight_ih_l0`).
  public static let pytorch = WeightDialect(
    name: "pytorch", framework: "PyTorch", separator: ".", directions: .suffix(backward: "_reverse"),
    layouts: [
      LayerLayout(.embedding, .any, "nn.Embedding", [.init("weight", .whole("embeddings"))]),
      LayerLayout(
        .dense, .any, "nn.Linear", [.init("weight", .whole("kernel").turned), .init("bias", .whole("bias"))]),
      LayerLayout(.lstm, .any, "nn.LSTM", isNumbered: true, lstm),
      LayerLayout(
        .lstmVariant, .fourBlocks, "nn.LSTM with proj_size", isNumbered: true,
        lstm + [.init("weight_hr", .whole("projection_kernel").turned)]),
      LayerLayout(
        .gru, .resetAfter, "nn.GRU", isNumbered: true,
        [
          .init("weight_ih", .gates("kernel", "rzh", of: "zrh", \.turned)),
          .init("weight_hh", .gates("recurrent_kernel", "rzh", of: "zrh", \.turned)),
          .init("bias_ih", .gates("bias", "rzh", of: "zrh", row: 0)),
          .init("bias_hh", .gates("bias", "rzh", of: "zrh", row: 1)),
        ]),
      LayerLayout(
        .simpleRNN, .any, "nn.RNN", isNumbered: true,
        [
          .init("weight_ih", .whole("kernel").turned), .init("weight_hh", .whole("recurrent_kernel").turned),
          .init("bias_ih", .whole("bias")), .init("bias_hh", .addend(.whole("bias"))),
        ]),
      LayerLayout(
        .conv1D, .any, "nn.Conv1d",
        [.init("weight", .transposed(.whole("kernel"), [2, 1, 0])), .init("bias", .whole("bias"))]),
      LayerLayout(
        .conv1DTranspose, .any, "nn.ConvTranspose1d",
        [.init("weight", .transposed(.whole("kernel"), [2, 1, 0])), .init("bias", .whole("bias"))]),
      LayerLayout(
        .depthwiseConv1D, .any, "nn.Conv1d with groups=in_channels",
        [.init("weight", depthwise("kernel")), .init("bias", .whole("bias"))]),
      LayerLayout(
        .separableConv1D, .any, "two nn.Conv1d, the first with groups=in_channels",
        [
          .init("depthwise.weight", depthwise("depthwise_kernel")),
          .init("pointwise.weight", .transposed(.whole("pointwise_kernel"), [2, 1, 0])),
          .init("pointwise.bias", .whole("bias")),
        ]),
      LayerLayout(
        .batchNormalization, .any, "nn.BatchNorm1d", implied: LayerLayout.Implied.affine,
        [
          .init("weight", .whole("gamma")), .init("bias", .whole("beta")),
          .init("running_mean", .whole("moving_mean")), .init("running_var", .whole("moving_variance")),
          .init("num_batches_tracked", nil),
        ]),
      LayerLayout(
        .layerNormalization, .centered, "nn.LayerNorm", implied: [.init("gamma", with: "beta")],
        [.init("weight", .whole("gamma")), .init("bias", .whole("beta"))]),
      LayerLayout(.layerNormalization, .rootMeanSquare, "nn.RMSNorm", [.init("weight", .whole("gamma"))]),
      LayerLayout(
        .groupNormalization, .any, "nn.GroupNorm", implied: LayerLayout.Implied.affine,
        [.init("weight", .whole("gamma")), .init("bias", .whole("beta"))]),
    ],
    source: "PyTorch 2.15, measured")

  private static let lstm: [LayerLayout.Item] = [
    .init("weight_ih", .gates("kernel", "ifco", of: "ifco", \.turned)),
    .init("weight_hh", .gates("recurrent_kernel", "ifco", of: "ifco", \.turned)),
    .init("bias_ih", .gates("bias", "ifco", of: "ifco")),
    .init("bias_hh", .addend(.gates("bias", "ifco", of: "ifco"))),
  ]

  /// (kernel size, channels, multiplier) as the kernel of a convolution with a group for each channel.
  static func depthwise(_ kernel: String) -> Arrangement {
    .transposed(.widened(.merged(.whole(kernel), axis: 1), axis: 1), [2, 1, 0])
  }
}
