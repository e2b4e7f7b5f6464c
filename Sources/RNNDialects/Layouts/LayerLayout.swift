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

    func takes(_ spec: LayerSpec) -> Bool {
      switch self {
      case .any: return true
      case .resetAfter: if case .gru(let gru) = spec { return gru.resetAfter } else { return false }
      case .resetBefore: if case .gru(let gru) = spec { return !gru.resetAfter } else { return false }
      case .coupledInput:
        if case .lstmVariant(let variant) = spec { return variant.forgetGate == .fromInputGate } else { return false }
      case .fourBlocks:
        if case .lstmVariant(let variant) = spec { return variant.forgetGate == .own } else { return false }
      }
    }
  }

  public var kind: LayerSpec.Kind
  public var form: Form
  /// What the framework calls the layer.
  public var module: String
  /// In the framework's order.
  public var items: [Item]
  /// Native blocks that the framework lacks: zero when read, and written only if they are zero.
  public var absent: [Arrangement.Block]
  /// Whether names carry the number of the layer in a stack, and the direction.
  public var isNumbered: Bool

  init(
    _ kind: LayerSpec.Kind, _ form: Form = .any, _ module: String, absent: [Arrangement.Block] = [],
    isNumbered: Bool = false, _ items: [Item]
  ) {
    (self.kind, self.form, self.module) = (kind, form, module)
    (self.items, self.absent, self.isNumbered) = (items, absent, isNumbered)
  }

  /// Without the items of parameters that the layer lacks: a layer without a bias has no tensor for it.
  func fitted(to spec: LayerSpec) -> LayerLayout {
    let known = Set(spec.parameterNames)
    var fitted = self
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
