import RNNCore
import RealModule
import Testing

/// Convolutions against the defining sum in double precision, over a sequence that is padded beforehand.
@Suite struct ConvolutionTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var spec: Conv1DSpec
    var timesteps: Int
    var channels: Int

    var testDescription: String {
      "k\(spec.kernelSize) s\(spec.strides) d\(spec.dilationRate) g\(spec.groups) \(spec.padding) t\(timesteps)"
    }
  }

  private static let cases: [Case] = {
    var cases: [Case] = []
    for padding in Padding.allCases {
      for (size, stride, dilation) in [
        (1, 1, 1), (2, 1, 1), (3, 1, 1), (5, 1, 1), (3, 2, 1), (2, 3, 1), (1, 3, 1), (4, 5, 1), (3, 1, 2), (2, 1, 5),
        (3, 2, 3),
      ] {
        for groups in [1, 2] {
          for timesteps in [1, 2, 3, 4, 7, 12, 19] {
            var spec = Conv1DSpec(filters: 4, kernelSize: size)
            (spec.strides, spec.dilationRate, spec.padding, spec.groups) = (stride, dilation, padding, groups)
            spec.useBias = (size + timesteps) % 2 == 0
            let extent = (size - 1) * dilation + 1
            if padding != .valid || timesteps >= extent {
              cases.append(Case(spec: spec, timesteps: timesteps, channels: 6))
            }
          }
        }
      }
    }
    return cases
  }()

  /// TensorFlow's rule: out = ceil(T / s), total = (out - 1) s + extent - T, floor(total / 2) zeros left.
  private func padded(_ x: [[Double]], _ spec: Conv1DSpec) -> [[Double]] {
    let extent = (spec.kernelSize - 1) * spec.dilationRate + 1
    let zero = [Double](repeating: 0, count: x[0].count)
    func zeros(_ count: Int) -> [[Double]] { Array(repeating: zero, count: max(count, 0)) }
    switch spec.padding {
    case .valid: return x
    case .causal: return zeros(extent - 1) + x
    case .same:
      let outputs = (x.count + spec.strides - 1) / spec.strides
      let total = max((outputs - 1) * spec.strides + extent - x.count, 0)
      return zeros(total / 2) + x + zeros(total - total / 2)
    }
  }

  /// y[o, f] = bias[f] + sum over k, c of x[o s + k d, c] kernel[k, c, f], filter f in the group of its channels.
  private func convolve(_ x: [[Double]], _ spec: Conv1DSpec, _ kernel: [Double], _ bias: [Double]) -> [[Double]] {
    let padded = padded(x, spec)
    let extent = (spec.kernelSize - 1) * spec.dilationRate + 1
    let groupChannels = x[0].count / spec.groups
    let groupFilters = spec.filters / spec.groups
    var result: [[Double]] = []
    var start = 0
    while start + extent <= padded.count {
      result.append(
        (0..<spec.filters).map { filter in
          var sum = bias.isEmpty ? 0 : bias[filter]
          for tap in 0..<spec.kernelSize {
            for channel in 0..<groupChannels {
              let weight = kernel[(tap * groupChannels + channel) * spec.filters + filter]
              sum += padded[start + tap * spec.dilationRate][filter / groupFilters * groupChannels + channel] * weight
            }
          }
          return sum
        })
      start += spec.strides
    }
    return result
  }

  /// At most 30 products of numbers below 1: 2 x 31 roundings of 2^-24 on a sum of magnitudes below 31.
  @Test(arguments: cases)
  func agreesWithTheSum(_ test: Case) throws {
    let layer = try LayerModel([.conv1D(test.spec)], input: [nil, test.channels])
    let batch = 3
    let input = try randomTensor([batch, test.timesteps, test.channels])
    let values = input.doubles()
    var expected: [[Double]] = []
    for example in 0..<batch {
      let x = (0..<test.timesteps).map { step in
        (0..<test.channels).map { values[(example * test.timesteps + step) * test.channels + $0] }
      }
      expected += convolve(x, test.spec, layer.weights("kernel"), layer.weights("bias"))
    }
    let found = try layer.run(input)[0]
    let shape = [batch, expected.count / batch, test.spec.filters]
    #expect(largestDifference(found, expected.flatMap(\.self), shape: shape) < 2 * 31 * 31 * 0x1p-24)
  }

  @Test func theActivationFollowsTheSum() throws {
    var spec = Conv1DSpec(filters: 4, kernelSize: 3)
    let input = try randomTensor([2, 9, 5])
    let plain = try LayerModel([.conv1D(spec)], input: [nil, 5]).run(input)[0]
    spec.activation = .relu
    let rectified = try LayerModel([.conv1D(spec)], input: [nil, 5]).run(input)[0]
    #expect(rectified.floats() == plain.floats().map { max($0, 0) })
    // Half of the filters gate the other half.
    spec.activation = .glu
    let gated = try LayerModel([.conv1D(spec)], input: [nil, 5]).run(input)[0]
    #expect(gated.shape == [2, 7, 2])
    #expect(
      gated.floats().indices.allSatisfy { index in
        let (row, column) = (index / 2, index % 2)
        let (value, gate) = (plain.floats()[row * 4 + column], plain.floats()[row * 4 + 2 + column])
        return abs(gated.floats()[index] - value / (1 + Float.exp(-gate))) < 1e-5
      })
  }

  @Test func sequencesThatAreTooShortAreNamed() throws {
    let layer = try LayerModel([.conv1D(Conv1DSpec(filters: 1, kernelSize: 4))], input: [nil, 1])
    expectError(.badData, naming: "layer 'layer0'", "4", "3") { try layer.run(try randomTensor([1, 3, 1])) }
    // Every other length still runs in the same session.
    #expect(try layer.run(try randomTensor([1, 4, 1]))[0].shape == [1, 1, 1])
  }
}
