import RNNCore

/// What an `nn.Sequential` runs, one behind the other.
enum TorchSequence {
  struct Step {
    /// As in the state_dict.
    var name: String
    var module: TorchModule
  }

  /// A module without weights.
  enum Layer {
    case nothing
    case activation(Activation)
    /// Over the steps of a sequence.
    case overSteps(LayerSpec)
    case flatten
  }

  /// The modules of a Sequential, those of Sequentials inside it in their places; `nil` for any other module.
  static func steps(_ module: TorchModule) -> [Step]? {
    guard module.className == sequential else { return nil }
    return steps(module, below: "")
  }

  private static let sequential = "torch.nn.modules.container.Sequential"

  private static func steps(_ module: TorchModule, below name: String) -> [Step] {
    module.children.flatMap { child -> [Step] in
      let path = name.isEmpty ? child.name : name + "." + child.name
      if child.module.className == sequential { return steps(child.module, below: path) }
      return [Step(name: path, module: child.module)]
    }
  }

  /// - Throws: `unsupported` naming a module that is not carried.
  static func layer(_ step: Step) throws -> Layer {
    let module = step.module
    if let activation = TorchActivations.activation(of: module) { return .activation(activation) }
    func number(_ field: String) throws -> Int? {
      guard let value = module.fields[field] else { return nil }
      return value.integer ?? (value.array?.count == 1 ? value.array?[0].integer : nil)
    }
    func refuse() -> RNNError {
      .unsupported(
        "'\(step.name)' is \(module.className) (\(JSONValue.object(module.fields).text())), which is not carried",
        remedy: "Give the architecture with --config.")
    }
    let name = module.className.split(separator: ".").last.map(String.init) ?? ""
    switch name {
    case "Dropout", "Dropout1d", "AlphaDropout", "Identity": return .nothing
    case "Flatten":
      guard [nil, 1].contains(try number("start_dim")), [nil, -1].contains(try number("end_dim")) else {
        throw refuse()
      }
      return .flatten
    case "MaxPool1d", "AvgPool1d":
      let hasPlainEdges = try number("padding") == 0 && module.fields["ceil_mode"]?.bool != true
      guard hasPlainEdges, [nil, 1].contains(try number("dilation")), let size = try number("kernel_size") else {
        throw refuse()
      }
      let pooling = Pooling1DSpec(poolSize: size, strides: try number("stride") ?? size, padding: .valid)
      return .overSteps(name == "MaxPool1d" ? .maxPooling1D(pooling) : .averagePooling1D(pooling))
    case "AdaptiveAvgPool1d", "AdaptiveMaxPool1d":
      guard let size = try number("output_size") else { throw refuse() }
      let pooling = AdaptivePooling1DSpec(outputSize: size)
      return .overSteps(
        name == "AdaptiveAvgPool1d" ? .adaptiveAveragePooling1D(pooling) : .adaptiveMaxPooling1D(pooling))
    case _: throw refuse()
    }
  }
}
