import RNNCore

/// How one layer's parameters stand in a dialect: data, read in both directions.
public struct LayerLayout: Sendable, Equatable {
  /// One tensor of the framework.
  public struct Item: Sendable, Equatable {
    /// Below the module's own name.
    public var name: String
    /// `nil` for a number that no arithmetic outside training reads (how many batches were seen).
    public var arrangement: Arrangement?
    /// The tree that it stands in, where a framework keeps several (Flax).
    public var collection: String?

    public init(_ name: String, _ arrangement: Arrangement?, collection: String? = nil) {
      self.name = name
      self.arrangement = arrangement
      self.collection = collection
    }
  }

  /// Which configurations of a layer kind a layout is for.
  public enum Form: String, Sendable, CaseIterable {
    case any = ""
    /// GRU with `resetAfter`.
    case resetAfter = "reset after"
    /// GRU without `resetAfter`.
    case resetBefore = "reset before"
    /// LSTM variants whose three gates have parameters of their own.
    case fourBlocks = "own forget gate"
    /// LSTM variants whose forget gate is 1 - i.
    case coupledInput = "f = 1 - i"
    /// Layer normalizations that take the mean away.
    case centered = "centered"
    /// `RMSNormalization`.
    case rootMeanSquare = "root mean square"

    func takes(_ spec: LayerSpec) -> Bool {
      switch self {
      case .any: return true
      case .resetAfter: if case .gru(let gru) = spec { return gru.resetAfter } else { return false }
      case .resetBefore: if case .gru(let gru) = spec { return !gru.resetAfter } else { return false }
      case .coupledInput:
        if case .lstmVariant(let variant) = spec { return variant.forgetGate == .fromInputGate } else { return false }
      case .fourBlocks:
        if case .lstmVariant(let variant) = spec { return variant.forgetGate == .own } else { return false }
      case .centered:
        if case .layerNormalization(let norm) = spec { return norm.form != .rootMeanSquare } else { return false }
      case .rootMeanSquare:
        if case .layerNormalization(let norm) = spec { return norm.form == .rootMeanSquare } else { return false }
      }
    }
  }

  /// A parameter that the framework's layer has although ours may lack it: always, or where it has another one.
  public struct Implied: Sendable, Equatable {
    public var parameter: String
    public var companion: String?

    public init(_ parameter: String, with companion: String? = nil) {
      (self.parameter, self.companion) = (parameter, companion)
    }

    /// Of a module that has a bias in any case.
    static let bias = [Implied("bias")]
    /// Of a module that has scale and shift, or neither.
    static let affine = [Implied("gamma", with: "beta"), Implied("beta", with: "gamma")]

    /// The number with which a parameter changes nothing.
    public static func neutral(_ parameter: String) -> Double { parameter == "gamma" ? 1 : 0 }
  }

  public var kind: LayerSpec.Kind
  public var form: Form
  /// What the framework calls the layer.
  public var module: String
  /// In the framework's order.
  public var items: [Item]
  /// Native blocks that the framework lacks: zero when read, and written only if they are zero.
  public var absent: [Arrangement.Block]
  /// Native parameters that the framework cannot go without: neutral where the layer has none.
  public var implied: [Implied]
  /// Those of them that the layer at hand lacks.
  public private(set) var neutral: [String] = []
  /// Whether names carry the number of the layer in a stack, and the direction.
  public var isNumbered: Bool

  init(
    _ kind: LayerSpec.Kind, _ form: Form = .any, _ module: String, absent: [Arrangement.Block] = [],
    implied: [Implied] = [], isNumbered: Bool = false, _ items: [Item]
  ) {
    (self.kind, self.form, self.module) = (kind, form, module)
    (self.items, self.absent, self.implied, self.isNumbered) = (items, absent, implied, isNumbered)
  }

  /// For a layer as the framework has it, then as it is where that differs: files of others may lack what is implied.
  func fitted(to spec: LayerSpec) -> [LayerLayout] {
    let known = Set(spec.parameterNames)
    let lacking = implied.filter { item in
      !known.contains(item.parameter) && item.companion.map(known.contains) ?? true
    }.map(\.parameter)
    return (lacking.isEmpty ? [[]] : [lacking, []]).map { fitted(to: known, neutral: $0) }
  }

  /// Without the items of parameters that the layer lacks: a layer without a bias has no tensor for it.
  private func fitted(to own: Set<String>, neutral: [String]) -> LayerLayout {
    let known = own.union(neutral)
    var fitted = self
    fitted.neutral = neutral
    fitted.items = items.filter { $0.arrangement?.blocks.allSatisfy { known.contains($0.parameter) } ?? true }
    fitted.absent = absent.filter { known.contains($0.parameter) }
    return fitted
  }

  /// The parameters that no item holds: the framework's layer cannot have them.
  func uncovered(of spec: LayerSpec) -> [String] {
    let covered = Set(items.flatMap { $0.arrangement?.blocks.map(\.parameter) ?? [] })
    return spec.parameterNames.filter { !covered.contains($0) }
  }
}
