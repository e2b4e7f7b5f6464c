import RNNCore
import Testing

@Suite struct PoolingTests {
  /// The windows as lists of timesteps, by the rule of TensorFlow; those outside the sequence are left out.
  private func windows(_ spec: Pooling1DSpec, _ timesteps: Int) -> [[Int]] {
    let count: Int
    let left: Int
    if spec.padding == .same {
      count = (timesteps + spec.strides - 1) / spec.strides
      left = max((count - 1) * spec.strides + spec.poolSize - timesteps, 0) / 2
    } else {
      count = (timesteps - spec.poolSize) / spec.strides + 1
      left = 0
    }
    return (0..<count).map { window in
      (0..<spec.poolSize).map { window * spec.strides - left + $0 }.filter { (0..<timesteps).contains($0) }
    }
  }

  /// A maximum rounds nothing; a mean of n <= 7 numbers below 1 rounds n + 1 times.
  @Test func windowsArePooled() throws {
    let (batch, channels) = (2, 5)
    for padding in [Padding.valid, .same] {
      for (size, stride) in [(1, 1), (2, 2), (3, 1), (3, 2), (2, 3), (5, 2), (7, 7)] {
        for timesteps in [1, 2, 5, 7, 11] where padding == .same || timesteps >= size {
          let spec = Pooling1DSpec(poolSize: size, strides: stride, padding: padding)
          let input = try randomTensor([batch, timesteps, channels])
          let x = input.doubles()
          var (highest, means): ([Double], [Double]) = ([], [])
          for example in 0..<batch {
            for window in windows(spec, timesteps) {
              for channel in 0..<channels {
                let values = window.map { x[(example * timesteps + $0) * channels + channel] }
                highest.append(values.max() ?? .nan)
                means.append(values.reduce(0, +) / Double(values.count))
              }
            }
          }
          let shape = [batch, highest.count / batch / channels, channels]
          let maximum = try LayerModel([.maxPooling1D(spec)], input: [nil, channels]).run(input)[0]
          #expect(largestDifference(maximum, highest, shape: shape) == 0, "\(padding) \(size) \(stride) \(timesteps)")
          let mean = try LayerModel([.averagePooling1D(spec)], input: [nil, channels]).run(input)[0]
          #expect(
            largestDifference(mean, means, shape: shape) < 8 * 0x1p-23, "\(padding) \(size) \(stride) \(timesteps)")
        }
      }
    }
  }

  @Test func wholeSequencesArePooled() throws {
    let input = try Tensor([1, -2, 3, -4, 5, -6] as [Float], shape: [1, 3, 2])
    for keepDims in [false, true] {
      let spec = GlobalPooling1DSpec(keepDims: keepDims)
      let shape = keepDims ? [1, 1, 2] : [1, 2]
      let maximum = try LayerModel([.globalMaxPooling1D(spec)], input: [nil, 2]).run(input)[0]
      #expect(maximum == (try Tensor([5, -2] as [Float], shape: shape)))
      let mean = try LayerModel([.globalAveragePooling1D(spec)], input: [nil, 2]).run(input)[0]
      #expect(mean == (try Tensor([3, -4] as [Float], shape: shape)))
    }
  }

  @Test func nanIsNotLostInAMaximum() throws {
    let input = try Tensor([1, .nan, 3, .nan, 2, 2] as [Float], shape: [1, 6, 1])
    let spec = Pooling1DSpec(poolSize: 2, strides: 2, padding: .valid)
    let found = try LayerModel([.maxPooling1D(spec)], input: [nil, 1]).run(input)[0].floats()
    #expect(found[0].isNaN && found[1].isNaN && found[2] == 2)
  }

  /// A mean leaves masked steps out, a maximum does not; 0 / 0 where all are masked, as in Keras.
  @Test func masksCountInAGlobalMean() throws {
    let input = try Tensor([1, 1, 9, 9, 3, 3, 9, 9, 9, 9, 9, 9] as [Float], shape: [2, 3, 2])
    let masking = LayerSpec.masking(MaskingSpec(maskValue: 9))
    let global = GlobalPooling1DSpec(keepDims: false)
    let mean = try LayerModel([masking, .globalAveragePooling1D(global)], input: [nil, 2]).run(input)[0].floats()
    #expect(Array(mean[0..<2]) == [2, 2])
    #expect(mean[2].isNaN && mean[3].isNaN)
    let maximum = try LayerModel([masking, .globalMaxPooling1D(global)], input: [nil, 2]).run(input)[0].floats()
    // Masked steps are zero by then.
    #expect(maximum == [3, 3, 0, 0])
  }

  @Test func aSequenceOfNothingHasNoMaximum() throws {
    let global = GlobalPooling1DSpec(keepDims: false)
    for spec in [LayerSpec.globalMaxPooling1D(global), .globalAveragePooling1D(global)] {
      let layer = try LayerModel([spec], input: [nil, 2])
      expectError(.badData, naming: "no timesteps") { try layer.run(try randomTensor([1, 0, 2])) }
    }
  }
}
