import RNNCore

/// Configurations of the normalizing layers.
extension KerasLayerReading {
  /// Keras 1's `mode` 1 normalizes each example over its last axis; its statistics stand in the file all the same.
  static func batchNormalization(_ reader: inout KerasConfigReader) throws -> LayerSpec {
    let axis = try reader.axes("axis", default: [-1])
    let epsilon = try reader.double("epsilon") ?? 1e-3
    let momentum = try reader.double("momentum") ?? 0.99
    let mode = try reader.int("mode") ?? 0
    guard axis.count == 1 else { throw RNNError.unsupported("BatchNormalization over the axes \(axis)") }
    let renorm = try renorm(&reader)
    switch mode {
    case 0, 2:
      var spec = BatchNormalizationSpec(axis: axis[0], epsilon: epsilon, momentum: momentum)
      spec.center = try reader.bool("center", default: true)
      spec.scale = try reader.bool("scale", default: true)
      spec.correction = reader.era.generation == .keras2 && !reader.era.isTensorFlowKeras ? .sample : .none
      spec.countsValidOnly = reader.era.generation == .keras3 || reader.era.isTensorFlowKeras
      spec.alwaysUsesBatch = mode == 2
      spec.renorm = renorm
      return .batchNormalization(spec)
    case 1:
      var spec = LayerNormalizationSpec(axes: [-1], epsilon: epsilon)
      spec.form = .doubleEpsilon
      return .layerNormalization(spec)
    case _:
      throw RNNError.unsupported("BatchNormalization with mode=\(mode)")
    }
  }

  /// Keras 3's; that of TensorFlow's first BatchNormalization has other statistics.
  private static func renorm(_ reader: inout KerasConfigReader) throws -> BatchNormalizationSpec.Renorm? {
    guard try reader.bool("renorm", default: false) else { return nil }
    guard reader.era.generation == .keras3 else {
      throw RNNError.unsupported("BatchNormalization with renorm=true before Keras 3")
    }
    var renorm = BatchNormalizationSpec.Renorm(momentum: try reader.double("renorm_momentum") ?? 0.99)
    let bounds = reader.value("renorm_clipping")
    let names = bounds?.object?.members.map(\.key) ?? []
    guard bounds?.isNull ?? true || bounds?.object != nil, Set(names).isSubset(of: ["rmin", "rmax", "dmax"]) else {
      throw RNNError.unsupported("BatchNormalization with renorm_clipping=\(bounds?.text() ?? "")")
    }
    (renorm.least, renorm.most) = (bounds?["rmin"]?.double, bounds?["rmax"]?.double)
    renorm.farthest = bounds?["dmax"]?.double
    return renorm
  }

  static func layerNormalization(_ reader: inout KerasConfigReader) throws -> LayerNormalizationSpec {
    var spec = LayerNormalizationSpec(
      axes: try reader.axes("axis", default: [-1]), epsilon: try reader.double("epsilon") ?? 1e-3)
    spec.center = try reader.bool("center", default: true)
    spec.scale = try reader.bool("scale", default: true)
    if try reader.bool("rms_scaling", default: false) {
      (spec.form, spec.center, spec.scale) = (.uncentered, false, true)
    }
    return spec
  }

  static func rmsNormalization(_ reader: inout KerasConfigReader) throws -> LayerNormalizationSpec {
    var spec = LayerNormalizationSpec(
      axes: try reader.axes("axis", default: [-1]), epsilon: try reader.double("epsilon") ?? 1e-6)
    (spec.form, spec.center) = (.rootMeanSquare, false)
    return spec
  }

  static func groupNormalization(_ reader: inout KerasConfigReader) throws -> GroupNormalizationSpec {
    var spec = GroupNormalizationSpec(
      groups: try reader.int("groups") ?? 32, axis: try reader.int("axis") ?? -1,
      epsilon: try reader.double("epsilon") ?? 1e-3)
    spec.center = try reader.bool("center", default: true)
    spec.scale = try reader.bool("scale", default: true)
    return spec
  }
}
