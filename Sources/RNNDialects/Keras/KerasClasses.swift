import RNNCore

/// The classes of layers that this dialect carries, under the name that is written. A class it lacks is refused by one
/// shared error.
enum KerasClass: String, CaseIterable {
  case inputLayer = "InputLayer"
  case embedding = "Embedding"
  case categoryEncoding = "CategoryEncoding"
  case discretization = "Discretization"
  case integerLookup = "IntegerLookup"
  case normalization = "Normalization"
  case rescaling = "Rescaling"
  case masking = "Masking"
  case dropout = "Dropout"
  case spatialDropout1D = "SpatialDropout1D"
  case gaussianNoise = "GaussianNoise"
  case gaussianDropout = "GaussianDropout"
  case alphaDropout = "AlphaDropout"
  case activityRegularization = "ActivityRegularization"
  case conv1D = "Conv1D"
  case atrousConvolution1D = "AtrousConvolution1D"
  case conv1DTranspose = "Conv1DTranspose"
  case depthwiseConv1D = "DepthwiseConv1D"
  case separableConv1D = "SeparableConv1D"
  case locallyConnected1D = "LocallyConnected1D"
  case maxPooling1D = "MaxPooling1D"
  case averagePooling1D = "AveragePooling1D"
  case adaptiveMaxPooling1D = "AdaptiveMaxPooling1D"
  case adaptiveAveragePooling1D = "AdaptiveAveragePooling1D"
  case globalMaxPooling1D = "GlobalMaxPooling1D"
  case globalAveragePooling1D = "GlobalAveragePooling1D"
  case lstm = "LSTM"
  case gru = "GRU"
  case simpleRNN = "SimpleRNN"
  case convLSTM1D = "ConvLSTM1D"
  case lstmCell = "LSTMCell"
  case gruCell = "GRUCell"
  case simpleRNNCell = "SimpleRNNCell"
  case rnn = "RNN"
  case bidirectional = "Bidirectional"
  case timeDistributed = "TimeDistributed"
  case sequential = "Sequential"
  case functional = "Functional"
  case dense = "Dense"
  case einsumDense = "EinsumDense"
  case timeDistributedDense = "TimeDistributedDense"
  case highway = "Highway"
  case maxoutDense = "MaxoutDense"
  case activation = "Activation"
  case leakyReLU = "LeakyReLU"
  case elu = "ELU"
  case thresholdedReLU = "ThresholdedReLU"
  case reLU = "ReLU"
  case softmax = "Softmax"
  case pReLU = "PReLU"
  case parametricSoftplus = "ParametricSoftplus"
  case sReLU = "SReLU"
  case flatten = "Flatten"
  case reshape = "Reshape"
  case permute = "Permute"
  case repeatVector = "RepeatVector"
  case zeroPadding1D = "ZeroPadding1D"
  case cropping1D = "Cropping1D"
  case upSampling1D = "UpSampling1D"
  case identity = "Identity"
  case batchNormalization = "BatchNormalization"
  case layerNormalization = "LayerNormalization"
  case rmsNormalization = "RMSNormalization"
  case unitNormalization = "UnitNormalization"
  case groupNormalization = "GroupNormalization"
  case add = "Add"
  case subtract = "Subtract"
  case multiply = "Multiply"
  case average = "Average"
  case maximum = "Maximum"
  case minimum = "Minimum"
  case concatenate = "Concatenate"
  case dot = "Dot"
  case merge = "Merge"
  case attention = "Attention"
  case additiveAttention = "AdditiveAttention"
  case multiHeadAttention = "MultiHeadAttention"
  case groupQueryAttention = "GroupQueryAttention"

  /// Other names of the same classes.
  static let aliases: [(name: String, class: KerasClass)] = [
    ("Convolution1D", .conv1D), ("Convolution1DTranspose", .conv1DTranspose),
    ("SeparableConvolution1D", .separableConv1D),
    ("MaxPool1D", .maxPooling1D), ("AvgPool1D", .averagePooling1D), ("GlobalMaxPool1D", .globalMaxPooling1D),
    ("GlobalAvgPool1D", .globalAveragePooling1D), ("Model", .functional), ("BatchNormalizationV1", .batchNormalization),
    ("BatchNormalizationV2", .batchNormalization), ("GroupedQueryAttention", .groupQueryAttention),
    ("CuDNNLSTM", .lstm), ("CuDNNGRU", .gru),
  ]

  /// - Parameter name: as a file has it.
  init?(named name: String) {
    guard let found = KerasClass(rawValue: name) ?? KerasClass.aliases.first(where: { $0.name == name })?.class else {
      return nil
    }
    self = found
  }

  /// The group of the `.weights.h5` layout: that of the class's name in Python, which one class is not written by.
  static func groupName(_ className: String) -> String {
    if className == KerasClass.groupQueryAttention.rawValue { return "grouped_query_attention" }
    // A functional model by its older name.
    return className == "Model" ? "functional" : snakeCase(className)
  }

  /// The class name in snake case (keras/src/utils/naming.py).
  static func snakeCase(_ className: String) -> String {
    let characters = Array(className)
    var result = ""
    for (index, character) in characters.enumerated() {
      if index > 0, character.isUppercase {
        let previous = characters[index - 1]
        let startsWord = index + 1 < characters.count && characters[index + 1].isLowercase
        if previous.isLowercase || (startsWord && previous != "_") { result += "_" }
      }
      result += character.lowercased()
    }
    return result
  }
}
