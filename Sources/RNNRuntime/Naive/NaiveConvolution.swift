import RNNCore
import RealModule

/// Convolutions as their sums stand.
enum NaiveConvolution {
  /// - Parameters:
  ///   - kernel: (taps, channels of a group, filters).
  static func forward<Scalar: Real & BinaryFloatingPoint>(
    _ x: NaiveTensor<Scalar>, _ spec: Conv1DSpec, kernel: NaiveMatrix<Scalar>, bias: [Scalar]
  ) throws -> NaiveTensor<Scalar> {
    let timesteps = x.shape[x.shape.count - 2]
    let leading = Array(x.shape.dropLast(2))
    let sequences = elementCount(leading)
    let window = try WindowGeometry(
      timesteps: timesteps, size: spec.kernelSize, stride: spec.strides, dilation: spec.dilationRate,
      padding: spec.padding)
    let channels = x.width / spec.groups
    let filters = spec.filters / spec.groups
    var values: [Scalar] = []
    for example in 0..<sequences {
      for position in 0..<window.outputLength {
        var sums = bias
        for tap in 0..<spec.kernelSize {
          let step = position * spec.strides + tap * spec.dilationRate - window.left
          guard (0..<timesteps).contains(step) else { continue }
          let row = x.row(example * timesteps + step)
          for group in 0..<spec.groups {
            let columns = group * filters..<(group + 1) * filters
            let part = kernel.product(
              Array(row[group * channels..<(group + 1) * channels]), addedTo: Array(sums[columns]),
              firstRow: tap * channels, columns: columns)
            sums.replaceSubrange(columns, with: part)
          }
        }
        values += NaiveActivation.row(spec.activation, sums)
      }
    }
    let width = values.count / max(sequences * window.outputLength, 1)
    return NaiveTensor(shape: leading + [window.outputLength, width], values: values)
  }

  static func depthwise<Scalar: Real & BinaryFloatingPoint>(
    _ x: NaiveTensor<Scalar>, _ spec: DepthwiseConv1DSpec, kernel: Tensor, bias: [Scalar]
  ) throws -> NaiveTensor<Scalar> {
    var matrix = NaiveMatrix<Scalar>(kernel)
    matrix.columns = x.width * spec.depthMultiplier
    return try forward(x, try spec.grouped(channels: x.width), kernel: matrix, bias: bias)
  }

  static func separable<Scalar: Real & BinaryFloatingPoint>(
    _ x: NaiveTensor<Scalar>, _ spec: SeparableConv1DSpec, _ weights: LayerWeights
  ) throws -> NaiveTensor<Scalar> {
    let between = try depthwise(
      x, spec.depthwise, kernel: try weights.tensor("depthwise_kernel"),
      bias: Array(repeating: 0, count: x.width * spec.depthMultiplier))
    return try forward(
      between, spec.pointwise, kernel: NaiveMatrix(try weights.tensor("pointwise_kernel")),
      bias: NaiveLayers.bias(weights, spec.filters))
  }

  /// Every step of the input is spread over the steps of the output that its kernel reaches.
  static func transposed<Scalar: Real & BinaryFloatingPoint>(
    _ x: NaiveTensor<Scalar>, _ spec: Conv1DTransposeSpec, _ weights: LayerWeights
  ) throws -> NaiveTensor<Scalar> {
    let kernel = NaiveMatrix<Scalar>(try weights.tensor("kernel"))
    let timesteps = x.shape[1]
    let geometry = try spec.geometry(timesteps: timesteps)
    let bias: [Scalar] = NaiveLayers.bias(weights, spec.filters)
    var values: [Scalar] = []
    for example in 0..<x.shape[0] {
      var rows = Array(repeating: bias, count: geometry.outputLength)
      for step in 0..<timesteps {
        let row = x.row(example * timesteps + step)
        for tap in 0..<spec.kernelSize {
          let target = step * spec.strides + tap * spec.dilationRate - geometry.left
          guard rows.indices.contains(target) else { continue }
          for filter in 0..<spec.filters {
            for channel in 0..<x.width {
              rows[target][filter] +=
                row[channel] * kernel.values[(tap * spec.filters + filter) * x.width + channel]
            }
          }
        }
      }
      values += rows.flatMap { NaiveActivation.row(spec.activation, $0) }
    }
    let width = values.count / max(x.shape[0] * geometry.outputLength, 1)
    return NaiveTensor(shape: [x.shape[0], geometry.outputLength, width], values: values)
  }
}
