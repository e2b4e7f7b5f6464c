import RNNCore

/// Keras 1's Sequential that begins with a `Merge` of other Sequentials: a graph with an input for each branch.
enum KerasBranches {
  static func architecture(_ entries: [JSONValue], name: String, era: KerasEra) throws -> KerasArchitecture {
    var reader = KerasLayerReader(era: era)
    let branches = entries[0]["config"]?["layers"]?.array ?? []
    guard !branches.isEmpty else { throw RNNError.badData("Merge without layers", at: "model '\(name)'") }
    var architecture = KerasArchitecture(
      native: ModelSpec(name: name, isSequential: false, layers: [], calls: [], inputs: [], outputs: []))
    var ends: [ModelSpec.Reference] = []
    func place(_ name: String) -> Int? { architecture.spec.layers.firstIndex { $0.name == name } }
    /// A name that no layer has yet: inputs, and where masks end, are never shared.
    func fresh(_ prefix: String) -> String {
      var number = 1
      while place("\(prefix)_\(number)") != nil { number += 1 }
      return "\(prefix)_\(number)"
    }
    func append(_ layer: ModelSpec.Layer, _ note: KerasLayerNote, _ inputs: [ModelSpec.Reference])
      -> ModelSpec.Reference
    {
      // A layer that stands in two branches is one, called twice.
      let known = place(layer.name)
      if known == nil {
        architecture.spec.layers.append(layer)
        architecture.notes.append(note)
      }
      architecture.spec.calls.append(
        ModelSpec.Call(layer: known ?? architecture.spec.layers.count - 1, inputs: inputs))
      return ModelSpec.Reference(call: architecture.spec.calls.count - 1)
    }
    /// A Sequential whose first layer was called before begins with that call (keras 1.2.2, `models.py`, `add`): its
    /// input is that of the other one.
    func sharedInput(_ inner: KerasArchitecture, _ input: Int) -> ModelSpec.Reference? {
      guard let next = inner.spec.calls.first(where: { $0.inputs == [ModelSpec.Reference(call: input)] }),
        firstClass(of: inner) != nil, let known = place(inner.spec.layers[next.layer].name)
      else { return nil }
      return architecture.spec.calls.first { $0.layer == known }?.inputs.first
    }
    for branch in branches {
      let inner = try KerasArchitecture(branch, era: era)
      architecture.ledger += inner.ledger
      var places: [ModelSpec.Reference] = []
      for (index, call) in inner.spec.calls.enumerated() {
        var layer = inner.spec.layers[call.layer]
        let note = inner.notes[call.layer]
        let sources = call.inputs.map { ModelSpec.Reference(call: places[$0.call].call, output: $0.output) }
        if layer.spec.kind == .input, let shared = sharedInput(inner, index) {
          places.append(shared)
          continue
        }
        if layer.spec.kind == .input, let className = firstClass(of: inner) {
          layer.name = fresh(className.lowercased() + "_input")
        } else if [.input, .withoutMask].contains(layer.spec.kind), place(layer.name) != nil {
          layer.name = fresh(layer.name)
        }
        places.append(append(layer, note, sources))
        if call.inputs.isEmpty { architecture.spec.inputs.append(places[index].call) }
      }
      var end = places[inner.spec.outputs[0].call]
      // A Sequential hands no mask to what merges it (keras 1.2.2, `models.py`, `build`).
      if branch["class_name"]?.string == "Sequential" {
        end = append(
          ModelSpec.Layer(name: fresh("unmasked"), spec: .withoutMask(WithoutMaskSpec())),
          KerasLayerNote(className: "WithoutMask"), [end])
      }
      ends.append(end)
    }
    for (index, read) in try reader.layers(entries).enumerated() {
      ends = [append(read.layer, read.note, index == 0 ? ends : [ends[0]])]
    }
    architecture.ledger += reader.ledger
    architecture.spec.outputs = ends
    return architecture
  }

  /// As Keras 1 names the input of a Sequential: by the class of its first layer.
  private static func firstClass(of branch: KerasArchitecture) -> String? {
    branch.spec.isSequential && branch.notes.count > 1 ? branch.notes[1].className : nil
  }
}
