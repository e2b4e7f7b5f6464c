/// A module of PyTorch as a pickled file describes it: inert, nothing of it was run.
public struct TorchModule: Sendable, Equatable {
  /// With its Python module: `torch.nn.modules.rnn.LSTM`, `__main__.Net`.
  public var className: String
  /// The fields that are numbers, words or lists of such: `hidden_size`, `batch_first`, ...
  public var fields: JSONObject
  /// In the order in which they were made, which need not be that in which they run.
  public var children: [Child]

  public struct Child: Sendable, Equatable {
    public var name: String
    public var module: TorchModule

    public init(name: String, module: TorchModule) {
      self.name = name
      self.module = module
    }
  }

  public init(className: String, fields: JSONObject, children: [Child]) {
    self.className = className
    self.fields = fields
    self.children = children
  }
}
