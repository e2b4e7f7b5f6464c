import RNNCore

/// One tensor during a run: where it lies, its shape with the batch, and what goes with it.
struct Value {
  var floats: Floats
  /// Batch first.
  var shape: [Int]
  /// 1 for a valid step, 0 for a masked one; `nil` where nothing is masked.
  var mask: UnsafeMutablePointer<UInt8>?
  /// The mask's shape, mostly (batch, timesteps): leading axes of the value's, as far as any framework makes masks.
  var maskShape: [Int] = []
  /// For inputs that an embedding reads: the ids as integers.
  var ids: UnsafeMutablePointer<Int32>?

  var batch: Int { shape[0] }
  var count: Int { product(0..<shape.count) }
  /// The last axis.
  var width: Int { shape[shape.count - 1] }
  /// All sequences of (steps, width), those of the axes between batch and steps, too.
  var sequences: Int { product(0..<shape.count - 2) }
  var steps: Int { shape[shape.count - 2] }
  /// Everything but the last axis.
  var rows: Int { product(0..<shape.count - 1) }

  /// Without a slice: a step of a small model would spend a tenth of its time on counting references to it.
  @inline(__always)
  private func product(_ axes: Range<Int>) -> Int {
    var product = 1
    for axis in axes { product *= shape[axis] }
    return product
  }
}

/// What a layer needs for one shape of input.
struct LayerPlan {
  /// With the batch.
  var outputShapes: [[Int]]
  /// The shape of a mask that the first output has of its own.
  var ownMask: [Int]?
  /// The input whose mask the first output has.
  var maskSource: Int?
  /// Whether the first output is the first input, untouched.
  var isIdentity = false
  /// Floats of working memory.
  var scratch = 0
  /// Floats that the forward pass leaves for the backward pass; taken in training only.
  var tape = 0
  /// Floats of working memory of the backward pass.
  var backwardScratch = 0
}

/// One forward run of one layer.
struct ForwardRun {
  /// As the layer's configuration says: one value, or more.
  var inputs: [Value]
  /// As planned; masks are written where the plan makes them.
  var outputs: [Value]
  /// In the order of `LayerSpec.parameterNames`.
  var parameters: [UnsafePointer<Float>]
  /// In the order of the layer's `packedMatrices`.
  var packed: [UnsafePointer<Float>] = []
  /// The products of the first input's steps with the layer's first parameter (and bias, where each step has one), where
  /// these come from a table: the input's floats are not to be read.
  var table: TableRows?
  /// Whether only the first output's mask is wanted: nobody looks at its floats, or they are there already.
  var onlyMask = false
  /// For layers that say they can, where the steps of the first output go, if not one behind the other
  /// in the order of reading.
  var steps: StepPlaces?
  var scratch: Floats
  /// For recurrent layers, the states to start from and to leave behind.
  var states: CarriedStates?
  /// For recurrent layers, whether the next step reads its recurrent kernel from the end.
  var fromTheEnd = false
  /// Whether the states are those of the same sequence's earlier part, so that a masked step goes on with its output.
  var continues = false
  /// What the backward pass will need; `nil` outside training.
  var tape: Floats?
  /// Random numbers of this layer and step; `nil` outside training.
  var noise: LayerNoise?

  /// Whether this is a step of training.
  var isTraining: Bool { noise != nil }
}

/// The backward run that belongs to a forward run: the values, parameters, tape and noise are those of the latter. It may
/// use the tape up, so that there is one for each forward run.
struct BackwardRun {
  var inputs: [Value]
  var outputs: [Value]
  var parameters: [UnsafePointer<Float>]
  /// In the order of the layer's `backwardMatrices`.
  var packed: [UnsafePointer<Float>] = []
  var scratch: Floats
  var tape: Floats
  var noise: LayerNoise?
  /// d loss / d output, for each output.
  var outputGradients: [Floats]
  /// Added to: d loss / d input; `nil` where nobody needs it.
  var inputGradients: [Floats?]
  /// Added to: d loss / d parameter; `nil` for a frozen layer. Those of products that are left are not to be touched.
  var parameterGradients: [Floats]?
  /// Takes the products of the layer's `leavableGradients`, whose factors stay until the next forward run, so that one
  /// product for all parts of a batch reads and writes the gradient once; `nil` where the layer is to add them itself.
  var leave: ((GradientProduct) -> Void)?
  /// Whether the first input's gradient holds nothing yet and is to be written, for layers that say they can.
  var isFirstInputGradient = false
  /// For recurrent layers, to be filled where somebody wants it: d loss / d h behind each step in reading order, (batch,
  /// timesteps, width of h).
  var stateGradients: Floats?
}

/// One input as it is known before a run.
struct PlannedInput {
  /// With the batch.
  var shape: [Int]
  /// The shape of its mask, if it has one.
  var mask: [Int]?
}

/// A layer over flat memory, for any number of examples. It holds its configuration; weights come with each run.
protocol RuntimeLayer: Sendable {
  /// - Parameter isTraining: whether dropout and noise act and a tape is written.
  /// - Throws: `badData` where a sequence is too short.
  func plan(_ inputs: [PlannedInput], isTraining: Bool) throws -> LayerPlan

  /// What of its parameters it wants in the order of products, for every run, and for every run backward.
  var packedMatrices: [PackedMatrix] { get }
  var backwardMatrices: [PackedMatrix] { get }

  /// The parameters whose gradients are nothing but products that can be left to others.
  var leavableGradients: [Int] { get }

  /// Whether `backward` can write the first input's gradient as well as add to it.
  var writesInputGradient: Bool { get }

  /// Whether its first output is steps, (batch, timesteps, units), that can be written anywhere.
  var placesSteps: Bool { get }

  func forward(_ run: inout ForwardRun) throws

  func backward(_ run: BackwardRun)
}

extension RuntimeLayer {
  var packedMatrices: [PackedMatrix] { [] }
  var backwardMatrices: [PackedMatrix] { [] }
  var leavableGradients: [Int] { [] }
  var writesInputGradient: Bool { false }
  var placesSteps: Bool { false }
}

extension BackwardRun {
  /// Adds a product to its parameter's gradient, or leaves it.
  func add(_ product: GradientProduct) {
    guard let gradients = parameterGradients else { return }
    if let leave { return leave(product) }
    product.add(to: gradients[product.parameter], product.whole)
  }
}

/// A layer that is planned by its first input alone.
protocol UnaryLayer: RuntimeLayer {
  /// - Parameters:
  ///   - input: with the batch.
  ///   - isMasked: whether the input has a mask.
  func plan(input: [Int], isMasked: Bool, isTraining: Bool) throws -> LayerPlan
}

extension UnaryLayer {
  func plan(_ inputs: [PlannedInput], isTraining: Bool) throws -> LayerPlan {
    try plan(input: inputs[0].shape, isMasked: inputs[0].mask != nil, isTraining: isTraining)
  }
}
