import RNNCore

/// How the arrays of one layer in a file of Keras make up its native parameters: data, read in both directions.
struct KerasLayout: Sendable {
  /// What to tell people, where something had to be rearranged.
  var note: String?
  /// The arrays in the file's order, each with its steps from native blocks; `nil` for one that nothing needs.
  var arrays: [Arrangement?]

  var arrayCount: Int { arrays.count }

  /// Array n is parameter n.
  static func identity(_ parameters: [String]) -> KerasLayout {
    KerasLayout(arrays: parameters.map { .whole($0) })
  }

  /// Keras 1: W, U, b of each gate in the order i, c, f, o.
  static let keras1LSTM = KerasLayout(
    note: "twelve arrays in the gate order i, c, f, o are joined as i, f, c, o",
    arrays: "icfo".flatMap { gate in
      ["kernel", "recurrent_kernel", "bias"].map { .gate($0, gate, of: "ifco") }
    })

  /// Keras 1: W, U, b of each gate in the native order z, r, h.
  static let keras1GRU = KerasLayout(
    note: "nine arrays in the gate order z, r, h are joined",
    arrays: "zrh".flatMap { gate in
      ["kernel", "recurrent_kernel", "bias"].map { .gate($0, gate, of: "zrh") }
    })

  /// CuDNNLSTM: the kernel's blocks turned and laid out again in their old shape, the recurrent ones turned; two biases,
  /// half of the bias each.
  static let cuDNNLSTM = KerasLayout(
    note: "the weights of CuDNNLSTM are turned gate by gate, and its two biases added",
    arrays: [
      cuDNNKernel("ifco"), cuDNNRecurrentKernel("ifco"),
      .joined(
        [.half(.gates("bias", "ifco", of: "ifco")), .otherHalf(.gates("bias", "ifco", of: "ifco"))], axis: 0),
    ])

  /// CuDNNGRU: likewise, with the two biases of a GRU that resets after the product one behind the other.
  static let cuDNNGRU = KerasLayout(
    note: "the weights of CuDNNGRU are turned gate by gate",
    arrays: [
      cuDNNKernel("zrh"), cuDNNRecurrentKernel("zrh"),
      .joined(
        [.gates("bias", "zrh", of: "zrh", row: 0), .gates("bias", "zrh", of: "zrh", row: 1)], axis: 0),
    ])

  private static func cuDNNKernel(_ gates: String) -> Arrangement {
    .joined(
      gates.map { gate in
        let block = Arrangement.Block(
          parameter: "kernel", gate: Arrangement.Block.Gate(letter: gate, order: gates))
        return .recast(.transposed(.block(block), [1, 0]), like: block)
      }, axis: 1)
  }

  private static func cuDNNRecurrentKernel(_ gates: String) -> Arrangement {
    .gates("recurrent_kernel", gates, of: gates, along: 1, \.turned)
  }

  /// Keras 1's BatchNormalization with mode 1 stores moving statistics that it does not use.
  static let keras1SampleNormalization = KerasLayout(
    note: "two moving statistics, which mode 1 does not use, are left out",
    arrays: [.whole("gamma"), .whole("beta"), nil, nil])

  /// Normalization stores how many examples `adapt` saw, too; nothing but `adapt` reads that.
  static let normalization = KerasLayout(arrays: [.whole("mean"), .whole("variance"), nil])

  /// The layouts that a plain layer may be stored in: that of today first. Those of CuDNN's layers have as many arrays,
  /// and are known by their bias.
  static func candidates(for spec: LayerSpec) -> [KerasLayout] {
    let today = identity(spec.parameterNames)
    if case .lstm = spec { return [today, keras1LSTM] }
    if case .gru = spec { return [today, keras1GRU] }
    if case .layerNormalization(let normalization) = spec, normalization.form == .doubleEpsilon {
      return [keras1SampleNormalization]
    }
    if case .normalization = spec, !spec.parameterNames.isEmpty { return [normalization] }
    return [today]
  }

  /// The layout that a plain layer is written in.
  static func written(for spec: LayerSpec) -> KerasLayout {
    if case .normalization = spec, !spec.parameterNames.isEmpty { return normalization }
    return identity(spec.parameterNames)
  }

  /// What is written for an array that nothing needs: that of `Normalization` alone, a whole number.
  static func unneeded() throws -> Tensor { try Tensor([Int64(0)], shape: []) }

  /// The layout of the arrays that were found where today's was expected: a bias of twice the blocks is cuDNN's.
  func settled(for spec: LayerSpec, _ arrays: [Tensor]) -> KerasLayout {
    guard arrays.count == 3, let units = arrays[1].shape.first, arrays[2].shape.count == 1 else { return self }
    let (width, overflow) = units.multipliedReportingOverflow(by: 8)
    if case .lstm = spec, !overflow, arrays[2].shape[0] == width { return .cuDNNLSTM }
    if case .gru = spec, !overflow, arrays[2].shape[0] == width - 2 * units { return .cuDNNGRU }
    return self
  }

  /// For each array, whether a gradient moves it.
  func areTrained(_ spec: LayerSpec) -> [Bool] {
    let statistics = Set(spec.configuration.statisticNames)
    return arrays.map { array in
      array.map { !statistics.contains($0.blocks[0].parameter) } ?? false
    }
  }

  /// The native parameters from a layer's arrays, each with the number of the array that it is, where it is one, and
  /// whether a sum in it was rounded.
  /// - Throws: `badData` where the arrays do not go together.
  func parameters(from given: [Tensor]) throws -> [(name: String, tensor: Tensor, array: Int?, isRounded: Bool)] {
    let names = arrays.compactMap { $0?.blocks[0].parameter }
    var order: [String] = []
    for name in names where !order.contains(name) { order.append(name) }
    var assembly = ParameterAssembly(shapes: try shapes(given))
    for (array, tensor) in zip(arrays, given) {
      guard let array else { continue }
      if case .block = array {
      } else {
        let expected = try array.shape(assembly.shapes)
        guard tensor.shape == expected else {
          throw RNNError.badData("an array is \(tensor.shape), expected \(expected)")
        }
      }
      try array.place(tensor, in: &assembly)
    }
    return try order.map { name in
      (
        name, try assembly.parameter(name), arrays.firstIndex { $0 == .whole(name) }, assembly.rounded.contains(name)
      )
    }
  }

  /// Where the arrays of a layer went.
  func placements(
    of given: [(path: String, tensor: Tensor)], layer: String, spec: LayerSpec
  ) -> [TensorPlacement] {
    let stated = (try? shapes(given.map(\.tensor))) ?? [:]
    let gates: String? =
      switch spec.kind {
      case .lstm: "ifco"
      case .gru: "zrh"
      case _: nil
      }
    return zip(arrays, given).compactMap { array, item in
      guard var arrangement = array else { return nil }
      var shapes = stated
      // What is the native layout already has gates all the same.
      if case .block(let block) = arrangement, block.gate == nil, let gates, !item.tensor.shape.isEmpty {
        shapes[block.parameter] = item.tensor.shape
        arrangement = .gates(block.parameter, gates, of: gates, along: item.tensor.shape.count - 1)
      }
      return TensorPlacement(
        arrangement, tensor: item.path, shape: item.tensor.shape, layer: layer, shapes: shapes)
    }
  }

  /// What the native shapes must be for layouts that lay blocks out anew; others need none.
  private func shapes(_ given: [Tensor]) throws -> [String: [Int]] {
    guard self == .cuDNNLSTM || self == .cuDNNGRU else { return [:] }
    guard given.count == 3, given[0].shape.count == 2, given[1].shape.count == 2, let units = given[1].shape.first
    else {
      throw RNNError.badData("the arrays of a CuDNN layer are \(given.map(\.shape))")
    }
    return [
      "kernel": given[0].shape, "recurrent_kernel": given[1].shape,
      "bias": self == .cuDNNLSTM ? [4 * units] : [2, 3 * units],
    ]
  }
}

extension KerasLayout: Equatable {}

/// How convolution kernels of old files differ from the native (kernel size, channels, filters).
enum KerasKernelLayout {
  /// Keras 1.1 and 1.2 store (kernel size, 1, channels, filters), Keras up to 1.0.8 (filters, channels, kernel size, 1);
  /// Keras's own rule tells them apart (2.2.4 `engine/saving.py`, `preprocess_weights_for_loading`).
  static func threeAxes(_ kernel: Tensor, kernelSize: Int, filters: Int) throws -> Tensor {
    guard kernel.shape.count == 4 else { return kernel }
    let shape = kernel.shape
    if shape[0] == kernelSize, shape[1] == 1, shape[3] == filters {
      return try kernel.reshaped(to: [shape[0], shape[2], shape[3]])
    }
    guard shape[0] == filters, shape[2] == kernelSize, shape[3] == 1 else { return kernel }
    return try kernel.transposed([2, 3, 1, 0]).reshaped(to: [shape[2], shape[1], shape[0]])
  }
}
