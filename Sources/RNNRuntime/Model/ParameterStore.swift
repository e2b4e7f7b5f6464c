import Foundation
import RNNCore

/// The parameters of a model as float32 in memory, one pointer each, layer by layer.
///
/// A float32 tensor that lies well in a mapped file is used where it lies, so that a large embedding costs only the rows
/// that are looked up; every other one is converted once.
final class ParameterStore: @unchecked Sendable {
  /// By layer of the plain model, in the order of `LayerSpec.parameterNames`. Never written to after `init`.
  let pointers: [[UnsafePointer<Float>]]
  private let owned: [FloatMemory]
  private let mapped: [Data]

  init(_ native: NativeModel) {
    var owned: [FloatMemory] = []
    var mapped: [Data] = []
    let tensors = native.tensorsByPath
    pointers = native.spec.plain.layers.map { layer in
      layer.spec.parameterNames.compactMap { tensors[NativeModel.path(layer: layer.name, parameter: $0)] }.map {
        tensor in
        if let pointer = ParameterStore.inPlace(tensor) {
          mapped.append(tensor.bytes)
          return pointer
        }
        let copy = FloatMemory(tensor.count)
        tensor.floats().withUnsafeBufferPointer {
          if let base = $0.baseAddress { copy.base.update(from: base, count: $0.count) }
        }
        owned.append(copy)
        return UnsafePointer(copy.base)
      }
    }
    self.owned = owned
    self.mapped = mapped
  }

  /// Where the floats lie, if they can be read there for as long as the tensor's bytes are kept. (Few bytes may be held
  /// inside a `Data` value itself, which has no lasting address.)
  private static func inPlace(_ tensor: Tensor) -> UnsafePointer<Float>? {
    guard tensor.dtype == .float32, tensor.bytes.count >= 4096 else { return nil }
    return tensor.bytes.withUnsafeBytes { raw in
      guard let base = raw.baseAddress, Int(bitPattern: base) % MemoryLayout<Float>.alignment == 0 else { return nil }
      return base.assumingMemoryBound(to: Float.self)
    }
  }
}
