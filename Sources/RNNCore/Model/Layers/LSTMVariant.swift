/// The LSTMs that came before, beside and after the one that frameworks call LSTM; what each leaves out or adds.
///
///     i = gate(x K + h R + p_i c)             input gate
///     f = gate(x K + h R + p_f c + bias)      forget gate; 1 without one; 1 - i where it is coupled
///     g = activation(x K + h R)               candidate
///     c = f c + i g                           clipped to +-cellClip
///     o = gate(x K + h R + p_o c)             output gate; its peephole sees the new c
///     h = o outputActivation(c)               then h P, clipped to +-projectionClip
///
/// every sum with its bias, and clipped to +-sumClip before its function. Blocks in the order i, f, g, o, without those
/// that the variant lacks.
public struct LSTMVariantSpec: RecurrentLayer {
  public enum ForgetGate: String, Sendable, Codable, CaseIterable {
    /// Nothing is ever forgotten: Hochreiter and Schmidhuber 1997.
    case none
    /// Gers, Schmidhuber and Cummins 1999 and 2000.
    case own
    /// f = 1 - i: "CIFG", Greff et al. 2015.
    case fromInputGate = "1 - i"
    /// i = 1 - f: the same coupling with the other gate kept, as TFLite has it.
    case fromForgetGate = "i = 1 - f"
  }

  public var units: Int
  public var forgetGate: ForgetGate = .own
  /// Whether gates see the cell state: Gers and Schmidhuber 2000.
  public var peepholes = false
  /// The size of the output where it is projected: Sak, Senior and Beaufays 2014.
  public var projection: Int?
  /// Of the candidate.
  public var activation: Activation = .tanh
  /// Of the gates.
  public var recurrentActivation: Activation = .sigmoid
  /// Of the cell state on its way out.
  public var outputActivation: Activation = .tanh
  public var cellClip: Double?
  public var projectionClip: Double?
  /// ONNX's `clip`: of the sums before the functions.
  public var sumClip: Double?
  /// Added to the forget gate's sum when it runs: TensorFlow 1's cells.
  public var forgetBias = 0.0
  public var options = RecurrentOptions()

  public init(units: Int) {
    self.units = units
  }

  /// The LSTM of Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural Computation 9(8), 1997: input and output
  /// gates, no forget gate; the squashing functions are g = 4 sigmoid - 2 and h = 2 sigmoid - 1.
  public static func original1997(units: Int) -> LSTMVariantSpec {
    var spec = LSTMVariantSpec(units: units)
    spec.forgetGate = .none
    spec.activation = .sigmoidTo2
    spec.outputActivation = .sigmoidTo1
    return spec
  }

  /// With the forget gate of Gers, Schmidhuber and Cummins, "Learning to Forget", 1999 (Neural Computation 12(10), 2000).
  public static func forget1999(units: Int) -> LSTMVariantSpec {
    var spec = original1997(units: units)
    spec.forgetGate = .own
    return spec
  }

  /// With the peepholes of Gers and Schmidhuber, "Recurrent Nets that Time and Count", 2000, whose output is not squashed.
  public static func peephole2000(units: Int) -> LSTMVariantSpec {
    var spec = LSTMVariantSpec(units: units)
    spec.activation = .sigmoidTo2
    spec.outputActivation = .linear
    spec.peepholes = true
    return spec
  }

  /// The "vanilla" LSTM of Greff et al., "LSTM: A Search Space Odyssey", 2015: peepholes, tanh on the output.
  public static func vanilla(units: Int) -> LSTMVariantSpec {
    var spec = LSTMVariantSpec(units: units)
    spec.peepholes = true
    return spec
  }

  /// The gates that have parameters, in the order of the blocks.
  public enum Block: Int, Sendable, CaseIterable {
    case input, forget, candidate, output
  }

  public var blocks: [Block] {
    switch forgetGate {
    case .own: [.input, .forget, .candidate, .output]
    case .none, .fromInputGate: [.input, .candidate, .output]
    case .fromForgetGate: [.forget, .candidate, .output]
    }
  }

  /// h, of the projection's size where there is one, and c.
  public var stateWidths: [Int] { [projection ?? units, units] }
  public var activations: [Activation] { [activation, recurrentActivation, outputActivation] }

  public var parameterNames: [String] {
    options.parameterNames + (peepholes ? ["peephole_kernel"] : [])
      + (projection == nil ? [] : ["projection_kernel"])
  }

  /// kernel (channels, blocks x units), recurrent kernel (output size, blocks x units), bias (blocks x units), peephole
  /// kernel (gates, units) in the order i, f, o, projection kernel (units, output size).
  public func parameterShapes(input: Shape) throws -> [ParameterShape] {
    let (_, channels) = try input.sequence(for: "an LSTM")
    let width = blocks.count * units
    var shapes = [
      ParameterShape("kernel", [channels, width]), ParameterShape("recurrent_kernel", [stateWidths[0], width]),
    ]
    if options.useBias { shapes.append(ParameterShape("bias", [width])) }
    if peepholes { shapes.append(ParameterShape("peephole_kernel", [blocks.count - 1, units])) }
    if let projection { shapes.append(ParameterShape("projection_kernel", [units, projection])) }
    return shapes
  }
}
