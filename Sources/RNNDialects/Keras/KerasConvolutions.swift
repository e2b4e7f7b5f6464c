import RNNCore

/// Configurations of convolutions and pooling.
enum KerasConvolutions {
  static func padding(_ reader: inout KerasConfigReader) throws -> Padding {
    let name = try reader.string("padding", "border_mode") ?? "valid"
    guard let padding = Padding(rawValue: name) else { throw RNNError.unsupported("the padding '\(name)' is unknown") }
    return padding
  }

  /// The classes that have `data_format`.
  static let withDataFormat: Set<KerasClass> = [
    .conv1D, .atrousConvolution1D, .conv1DTranspose, .depthwiseConv1D, .separableConv1D, .locallyConnected1D,
    .maxPooling1D, .averagePooling1D, .adaptiveMaxPooling1D, .adaptiveAveragePooling1D,
    .globalMaxPooling1D, .globalAveragePooling1D, .convLSTM1D, .zeroPadding1D,
  ]
}

extension KerasLayerReading {
  static func convolution(_ reader: inout KerasConfigReader) throws -> Conv1DSpec {
    var spec = Conv1DSpec(
      filters: try reader.requiredInt("filters", "nb_filter"),
      kernelSize: try reader.requiredInt("kernel_size", "filter_length"))
    spec.strides = try reader.int("strides", "subsample_length") ?? 1
    spec.padding = try KerasConvolutions.padding(&reader)
    spec.dilationRate = try reader.int("dilation_rate", "atrous_rate") ?? 1
    spec.groups = try reader.int("groups") ?? 1
    spec.activation = try reader.activation("activation", default: "linear")
    spec.useBias = try reader.bool("use_bias", "bias", default: true)
    return spec
  }

  static func transposed(_ reader: inout KerasConfigReader) throws -> Conv1DTransposeSpec {
    var spec = Conv1DTransposeSpec(
      filters: try reader.requiredInt("filters"), kernelSize: try reader.requiredInt("kernel_size"))
    spec.strides = try reader.int("strides") ?? 1
    spec.padding = try KerasConvolutions.padding(&reader)
    spec.dilationRate = try reader.int("dilation_rate") ?? 1
    spec.outputPadding = try reader.int("output_padding")
    spec.activation = try reader.activation("activation", default: "linear")
    spec.useBias = try reader.bool("use_bias", default: true)
    return spec
  }

  static func depthwise(_ reader: inout KerasConfigReader) throws -> DepthwiseConv1DSpec {
    var spec = DepthwiseConv1DSpec(kernelSize: try reader.requiredInt("kernel_size"))
    spec.depthMultiplier = try reader.int("depth_multiplier") ?? 1
    spec.strides = try reader.int("strides") ?? 1
    spec.padding = try KerasConvolutions.padding(&reader)
    spec.dilationRate = try reader.int("dilation_rate") ?? 1
    spec.activation = try reader.activation("activation", default: "linear")
    spec.useBias = try reader.bool("use_bias", default: true)
    return spec
  }

  static func separable(_ reader: inout KerasConfigReader) throws -> SeparableConv1DSpec {
    var spec = SeparableConv1DSpec(
      filters: try reader.requiredInt("filters"), kernelSize: try reader.requiredInt("kernel_size"))
    spec.depthMultiplier = try reader.int("depth_multiplier") ?? 1
    spec.strides = try reader.int("strides") ?? 1
    spec.padding = try KerasConvolutions.padding(&reader)
    spec.dilationRate = try reader.int("dilation_rate") ?? 1
    spec.activation = try reader.activation("activation", default: "linear")
    spec.useBias = try reader.bool("use_bias", default: true)
    return spec
  }

  static func locallyConnected(_ reader: inout KerasConfigReader) throws -> LocallyConnected1DSpec {
    var spec = LocallyConnected1DSpec(
      filters: try reader.requiredInt("filters", "nb_filter"),
      kernelSize: try reader.requiredInt("kernel_size", "filter_length"))
    spec.strides = try reader.int("strides", "subsample_length") ?? 1
    guard try KerasConvolutions.padding(&reader) == .valid else {
      throw RNNError.unsupported("LocallyConnected1D with other padding than 'valid'")
    }
    spec.activation = try reader.activation("activation", default: "linear")
    spec.useBias = try reader.bool("use_bias", "bias", default: true)
    return spec
  }

  static func pooling(_ reader: inout KerasConfigReader) throws -> Pooling1DSpec {
    let size = try reader.int("pool_size", "pool_length") ?? 2
    return Pooling1DSpec(
      poolSize: size, strides: try reader.int("strides", "stride") ?? size,
      padding: try KerasConvolutions.padding(&reader))
  }

  static func globalPooling(_ reader: inout KerasConfigReader) throws -> GlobalPooling1DSpec {
    GlobalPooling1DSpec(keepDims: try reader.bool("keepdims", default: false))
  }
}
