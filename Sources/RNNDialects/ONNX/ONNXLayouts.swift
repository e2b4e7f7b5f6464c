extension WeightDialect {
  /// ONNX's nodes, by the names of their inputs. Rows of matrices are outputs, input and recurrent biases stand one behind
  /// the other in B, and every tensor of a recurrent node has the direction as its first axis.
  public static let onnx = WeightDialect(
    name: "onnx", framework: "ONNX", separator: "/", directions: .axis,
    layouts: [
      LayerLayout(.embedding, .any, "Gather", [.init("data", .whole("embeddings"))]),
      LayerLayout(
        .dense, .any, "Gemm with transB=0; MatMul and Add",
        [.init("B", .whole("kernel")), .init("C", .whole("bias"))]),
      LayerLayout(.lstm, .any, "LSTM", lstm),
      LayerLayout(
        .lstmVariant, .fourBlocks, "LSTM",
        lstm + [
          .init(
            "P",
            .joined(
              [.row("peephole_kernel", 0), .row("peephole_kernel", 2), .row("peephole_kernel", 1)], axis: 0))
        ]),
      LayerLayout(
        .lstmVariant, .coupledInput, "LSTM with input_forget=1",
        [
          .init("W", coupled("kernel", \.turned)), .init("R", coupled("recurrent_kernel", \.turned)),
          .init("B", .joined([coupled("bias"), .addend(coupled("bias"))], axis: 0)),
          .init(
            "P",
            .joined(
              [
                .row("peephole_kernel", 0), .row("peephole_kernel", 1), .unread(.row("peephole_kernel", 0)),
              ], axis: 0)),
        ]),
      LayerLayout(
        .gru, .resetAfter, "GRU with linear_before_reset=1",
        gruKernels + [
          .init(
            "B",
            .joined(
              [.gates("bias", "zrh", of: "zrh", row: 0), .gates("bias", "zrh", of: "zrh", row: 1)], axis: 0))
        ]),
      LayerLayout(
        .gru, .resetBefore, "GRU with linear_before_reset=0",
        gruKernels + [
          .init(
            "B",
            .joined(
              [.gates("bias", "zrh", of: "zrh"), .addend(.gates("bias", "zrh", of: "zrh"))], axis: 0))
        ]),
      LayerLayout(
        .simpleRNN, .any, "RNN",
        [
          .init("W", .whole("kernel").turned), .init("R", .whole("recurrent_kernel").turned),
          .init("B", .joined([.whole("bias"), .addend(.whole("bias"))], axis: 0)),
        ]),
      LayerLayout(
        .conv1D, .any, "Conv",
        [.init("W", .transposed(.whole("kernel"), [2, 1, 0])), .init("B", .whole("bias"))]),
      LayerLayout(
        .conv1DTranspose, .any, "ConvTranspose",
        [.init("W", .transposed(.whole("kernel"), [2, 1, 0])), .init("B", .whole("bias"))]),
      LayerLayout(
        .depthwiseConv1D, .any, "Conv with a group for each channel",
        [.init("W", depthwise("kernel")), .init("B", .whole("bias"))]),
      LayerLayout(
        .separableConv1D, .any, "two Conv, the first with a group for each channel",
        [
          .init("depthwise/W", depthwise("depthwise_kernel")),
          .init("pointwise/W", .transposed(.whole("pointwise_kernel"), [2, 1, 0])),
          .init("pointwise/B", .whole("bias")),
        ]),
      LayerLayout(
        .batchNormalization, .any, "BatchNormalization",
        [
          .init("scale", .whole("gamma")), .init("B", .whole("beta")), .init("input_mean", .whole("moving_mean")),
          .init("input_var", .whole("moving_variance")),
        ]),
      LayerLayout(
        .layerNormalization, .any, "LayerNormalization",
        [.init("Scale", .whole("gamma")), .init("B", .whole("beta"))]),
    ],
    source: "ONNX 1.17 and ONNX Runtime 1.32, measured")

  private static let lstm: [LayerLayout.Item] = [
    .init("W", .gates("kernel", "iofc", of: "ifco", \.turned)),
    .init("R", .gates("recurrent_kernel", "iofc", of: "ifco", \.turned)),
    .init(
      "B", .joined([.gates("bias", "iofc", of: "ifco"), .addend(.gates("bias", "iofc", of: "ifco"))], axis: 0)),
  ]

  private static let gruKernels: [LayerLayout.Item] = [
    .init("W", .gates("kernel", "zrh", of: "zrh", \.turned)),
    .init("R", .gates("recurrent_kernel", "zrh", of: "zrh", \.turned)),
  ]

  /// The forget gate's numbers are there, and nothing reads them: f = 1 - i.
  private static func coupled(
    _ parameter: String, _ turn: (Arrangement) -> Arrangement = { $0 }
  ) -> Arrangement {
    .joined(
      [
        turn(.gate(parameter, "i", of: "ico")), turn(.gate(parameter, "o", of: "ico")),
        turn(.unread(.gate(parameter, "i", of: "ico"))), turn(.gate(parameter, "c", of: "ico")),
      ], axis: 0)
  }
}
