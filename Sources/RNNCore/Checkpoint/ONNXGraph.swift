/// An ONNX model as its file describes it: values, no behaviour.
public struct ONNXModel: Sendable, Equatable {
  public var irVersion: Int
  /// By domain; the standard one is the empty name.
  public var operatorSets: [String: Int]
  public var producer: String
  public var graph: ONNXGraph

  public init(irVersion: Int, operatorSets: [String: Int], producer: String, graph: ONNXGraph) {
    self.irVersion = irVersion
    self.operatorSets = operatorSets
    self.producer = producer
    self.graph = graph
  }
}

/// Nodes between named values.
public struct ONNXGraph: Sendable, Equatable {
  /// What comes in or goes out.
  public struct Value: Sendable, Equatable {
    public var name: String
    /// `nil` for a type that no tensor of ours has.
    public var dtype: DType?
    /// `nil` where the file does not say.
    public var shape: [Dimension]?

    public init(name: String, dtype: DType?, shape: [Dimension]?) {
      self.name = name
      self.dtype = dtype
      self.shape = shape
    }
  }

  public enum Dimension: Sendable, Equatable {
    case size(Int)
    /// Free, under a name.
    case named(String)
    case free
  }

  public struct Node: Sendable, Equatable {
    public var name: String
    public var operation: String
    /// The operator set that it belongs to; the standard one is the empty name.
    public var domain: String
    /// An optional input that is left out is the empty name.
    public var inputs: [String]
    public var outputs: [String]
    public var attributes: [String: Attribute]

    public init(
      name: String, operation: String, domain: String = "", inputs: [String], outputs: [String],
      attributes: [String: Attribute] = [:]
    ) {
      self.name = name
      self.operation = operation
      self.domain = domain
      self.inputs = inputs
      self.outputs = outputs
      self.attributes = attributes
    }
  }

  public enum Attribute: Sendable, Equatable {
    case float(Double)
    case integer(Int)
    case string(String)
    case tensor(Tensor)
    case floats([Double])
    case integers([Int])
    case strings([String])
    /// A graph within, or another kind that no node of ours has.
    case other
  }

  public var name: String
  /// In an order in which they can run.
  public var nodes: [Node]
  public var initializers: [String: Tensor]
  /// Those with an initializer are weights, and no inputs.
  public var inputs: [Value]
  public var outputs: [Value]

  public init(
    name: String, nodes: [Node], initializers: [String: Tensor], inputs: [Value], outputs: [Value]
  ) {
    self.name = name
    self.nodes = nodes
    self.initializers = initializers
    self.inputs = inputs
    self.outputs = outputs
  }
}

extension ONNXGraph.Node {
  public func integer(_ name: String) -> Int? {
    if case .integer(let value)? = attributes[name] { value } else { nil }
  }

  public func float(_ name: String) -> Double? {
    if case .float(let value)? = attributes[name] { value } else { nil }
  }

  public func string(_ name: String) -> String? {
    if case .string(let value)? = attributes[name] { value } else { nil }
  }

  public func integers(_ name: String) -> [Int]? {
    if case .integers(let values)? = attributes[name] { values } else { nil }
  }

  public func floats(_ name: String) -> [Double]? {
    if case .floats(let values)? = attributes[name] { values } else { nil }
  }

  public func strings(_ name: String) -> [String]? {
    if case .strings(let values)? = attributes[name] { values } else { nil }
  }

  /// For messages: the operation and the node's own name, or that of what it gives.
  public var described: String {
    let own = name.isEmpty ? outputs.first { !$0.isEmpty } ?? "" : name
    return "\(operation) '\(own.prefix(80))'"
  }
}
