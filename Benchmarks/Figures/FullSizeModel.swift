import Foundation
import RNNConversion
import RNNCore

/// The published IMDB network at full size, with Adam's state, written as Keras writes it: 2.6 M parameters, 31.7 MB.
enum FullSizeModel {
  struct Paths {
    var keras: URL
    var vocabulary: URL

    init(folder: URL) {
      keras = folder.appendingPathComponent("full.h5")
      vocabulary = folder.appendingPathComponent("words.json")
    }
  }

  static func write(into folder: URL, helper: URL) throws {
    let paths = Paths(folder: folder)
    try ModelExport.write(try model(), as: .kerasH5, to: paths.keras, replacing: true, helper: helper)
    // As many words as Keras's IMDB vocabulary has.
    let words = (1...88_584).map { ("word\($0)", JSONValue.integer($0)) }
    let known: [(String, JSONValue)] = ["this", "film", "was", "just", "brilliant", "i", "loved", "every", "minute"]
      .enumerated().map { ($0.element, .integer(88_585 + $0.offset)) }
    try Data(JSONValue.object(JSONObject(words + known)).text().utf8).write(to: paths.vocabulary)
  }

  static var spec: ModelSpec {
    var convolution = Conv1DSpec(filters: 64, kernelSize: 5)
    convolution.activation = .relu
    let layers: [(String, LayerSpec)] = [
      ("input", .input(InputSpec(shape: [100], dtype: "int32"))),
      ("embedding", .embedding(EmbeddingSpec(inputDim: 20000, outputDim: 128, maskZero: false))),
      ("dropout", .dropout(NoiseSpec(rate: 0.25))), ("conv1d", .conv1D(convolution)),
      ("max_pooling1d", .maxPooling1D(Pooling1DSpec(poolSize: 4, strides: 4, padding: .valid))),
      ("lstm", .lstm(LSTMSpec(units: 70))), ("dense", .dense(DenseSpec(units: 1))),
      ("activation", .activation(ActivationSpec(activation: .sigmoid))),
    ]
    return ModelSpec.sequential(
      name: "sequential", layers: layers.map { ModelSpec.Layer(name: $0.0, spec: $0.1) })
  }

  private static func model() throws -> NativeModel {
    let spec = spec
    var seed: UInt32 = 1
    var parameters: [NativeModel.Parameter] = []
    var slots: [NativeModel.OptimizerSlot] = [
      .init(path: "adam/iteration", tensor: try Tensor([Int64(1)], shape: [])),
      .init(path: "adam/learning_rate", tensor: try Tensor([Float(0.001)], shape: [])),
    ]
    for (layer, shapes) in zip(spec.layers, try spec.shapes().parameters) {
      for shape in shapes {
        func values() throws -> Tensor {
          let values = (0..<shape.shape.reduce(1, *)).map { _ -> Float in
            seed = seed &* 1_664_525 &+ 1_013_904_223
            return (Float(seed >> 8) / Float(1 << 24) - 0.5) / 5
          }
          return try Tensor(values, shape: shape.shape)
        }
        parameters.append(.init(layer: layer.name, name: shape.name, tensor: try values()))
        for slot in ["momentum", "velocity"] {
          slots.append(.init(path: "adam/\(layer.name)_\(shape.name)_\(slot)", tensor: try values()))
        }
      }
    }
    var model = NativeModel(
      spec: spec, parameters: parameters,
      provenance: Provenance(source: "full size", container: "none", framework: "Keras", dialect: "keras3"))
    model.optimizerSlots = slots
    model.training = #"""
      {"loss": "binary_crossentropy", "metrics": null, "weighted_metrics": null, "loss_weights": null,
      "optimizer_config": {"class_name": "Adam", "config": {"name": "adam", "learning_rate": 0.001}}}
      """#
    return model
  }
}
