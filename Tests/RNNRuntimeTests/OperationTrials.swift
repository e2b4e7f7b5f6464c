import RNNCore
import RNNTestSupport

/// Operations that move, cut, sum and choose, and the layers that prepare raw numbers.
enum OperationTrials {
  static let all: [LayerTrial] = rearrangements + sums + preprocessing + selections

  private static let rearrangements: [LayerTrial] = {
    var trials: [LayerTrial] = []
    for (axes, counts) in [([1], [2]), ([-1], [3]), ([2, 1], [2, 5])] {
      for function in RearrangeSpec.Function.allCases {
        trials.append(LayerTrial(.rearrange(RearrangeSpec(function, axes: axes, counts: counts)), [3, 4]))
      }
      trials.append(LayerTrial(.rearrange(RearrangeSpec(.roll, axes: axes, counts: counts.map { -$0 })), [3, 4]))
    }
    trials.append(LayerTrial(.split(SplitSpec(axis: 1, count: 2)), [4, 3]))
    trials.append(LayerTrial(.split(SplitSpec(axis: -1, boundaries: [1, 3])), [2, 4]))
    trials.append(LayerTrial(.split(SplitSpec(unstacking: 1, count: 3)), [3, 2, 2]))
    for function in CumulativeSpec.Function.allCases {
      for (isExclusive, goesBackwards) in [(false, false), (true, false), (false, true), (true, true)] {
        var spec = CumulativeSpec(function, axis: isExclusive == goesBackwards ? 1 : -1)
        (spec.isExclusive, spec.goesBackwards) = (isExclusive, goesBackwards)
        trials.append(LayerTrial(.cumulative(spec), [4, 3]))
      }
    }
    for size in [1, 2, 3, 5, 8] {
      let spec = AdaptivePooling1DSpec(outputSize: size)
      trials.append(LayerTrial(.adaptiveMaxPooling1D(spec), [5, 2]) { $0.seed = UInt64(size) })
      trials.append(LayerTrial(.adaptiveAveragePooling1D(spec), [5, 2]))
    }
    return trials
  }()

  private static let sums: [LayerTrial] = {
    var trials: [LayerTrial] = []
    for (equation, input, other) in [
      ("btc,bsc->bts", [3, 4], [2, 4]), ("bij,bjk->bik", [2, 3], [3, 2]), ("b...c,b...c->b...", [2, 3, 2], [2, 3, 2]),
      ("bij,bij->b", [2, 3], [2, 3]), ("bii,bj->bij", [3, 3], [2]),
    ] {
      trials.append(LayerTrial(.einsum(EinsumSpec(equation: equation)), input) { $0.others = [other] })
    }
    trials.append(LayerTrial(.einsum(EinsumSpec(equation: "bij->bji")), [2, 3]))
    trials.append(LayerTrial(.einsum(EinsumSpec(equation: "...ij->...i")), [2, 3]))
    for (equation, output, bias, input) in [
      ("abc,cd->abd", [nil, 3], "d", [2, 4]), ("abc,cde->abde", [nil, 3, 2], "ed", [2, 4]), ("ab,bc->ac", [3], "", [4]),
      ("...x,xy->...y", [nil, nil, 3], "y", [2, 2, 4]), ("abc,bd->adc", [3, 4], "d", [2, 4]),
    ] as [(String, Shape, String, [Int])] {
      for activation in [Activation.linear, .tanh, .softmax, .gelu] {
        var spec = EinsumDenseSpec(equation: equation, outputShape: output, biasAxes: bias)
        spec.activation = activation
        trials.append(LayerTrial(.einsumDense(spec), input))
      }
    }
    return trials
  }()

  private static let preprocessing: [LayerTrial] = {
    var trials: [LayerTrial] = []
    for isInverse in [false, true] {
      for axes in [[-1], [1], [1, 2], []] {
        var spec = NormalizationSpec(axes: axes)
        spec.isInverse = isInverse
        trials.append(LayerTrial(.normalization(spec), [3, 2]) { $0.isMasked = axes == [-1] })
        (spec.mean, spec.variance) = (.init(shape: [], values: [0.5]), .init(shape: [], values: [2]))
        trials.append(LayerTrial(.normalization(spec), [3, 2]))
      }
    }
    let vector = BinarySpec.Constant(shape: [2], values: [1.5, -2])
    let number = BinarySpec.Constant(shape: [], values: [0.25])
    trials.append(LayerTrial(.rescaling(RescalingSpec(scale: vector, offset: number)), [3, 2]))
    trials.append(LayerTrial(.rescaling(RescalingSpec(scale: number, offset: vector)), [2]))
    return trials
  }()

  private static let selections: [LayerTrial] = [
    LayerTrial(.select(SelectSpec()), [3, 2]) { $0.others = [[3, 2], [1, 2]] },
    LayerTrial(.select(SelectSpec(first: 0.5)), [3, 1]) { $0.others = [[3, 2]] },
    LayerTrial(.select(SelectSpec(second: -1)), [3, 2]) { ($0.others, $0.isMasked) = ([[3, 2]], true) },
  ]
}
