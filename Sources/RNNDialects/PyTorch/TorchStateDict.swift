import RNNCore

/// The one dictionary of weights in a PyTorch file, and the modules that its names tell.
public struct TorchStateDict {
  /// The group of the checkpoint that holds it.
  public var group: String
  /// By names within the group, in the file's order; weights of length and direction are one here.
  public var entries: [(name: String, tensor: Tensor)]
  /// The names that a folded weight was made of.
  public var sources: [String: [String]]

  /// The names under which people wrap a state_dict, the surest first.
  private static let usual = [
    "", "model_state_dict", "state_dict", "model_state", "model", "net", "network", "module", "weights", "params",
  ]

  /// - Throws: `badData` where the file holds no tensors.
  public init(_ checkpoint: Checkpoint) throws {
    var counts: [String: Int] = [:]
    var order: [String] = []
    for entry in checkpoint.entries {
      let parent = CheckpointPath.parent(of: entry.path)
      if counts.updateValue((counts[parent] ?? 0) + 1, forKey: parent) == nil { order.append(parent) }
    }
    if case .torch(_, let path) = checkpoint.architecture {
      group = path
    } else {
      // An optimizer's state lies deeper, one group a parameter.
      let weights = order.filter { path in
        !path.lowercased().contains("optim") && !path.lowercased().contains("sched")
          && !path.split(separator: "/").contains("state")
      }
      let known = TorchStateDict.usual.first { weights.contains($0) }
      let largest = weights.max { (counts[$0] ?? 0) < (counts[$1] ?? 0) }
      guard let chosen = known ?? largest else {
        throw RNNError.badData(
          "the file holds no tensors", remedy: "Save the weights: torch.save(model.state_dict(), ..)")
      }
      group = chosen
    }
    let own = group
    let prefix = own.isEmpty ? "" : own + "/"
    let all = checkpoint.entries.compactMap { entry -> (name: String, tensor: Tensor)? in
      guard CheckpointPath.parent(of: entry.path) == own, let name = entry.path.dropping(prefix: prefix) else {
        return nil
      }
      return (name, entry.tensor)
    }
    let folded = try WeightNorm.folded(all)
    (entries, sources) = (folded.entries, folded.sources)
  }
}
