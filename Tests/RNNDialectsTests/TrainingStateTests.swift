import RNNCore
import RNNDialects
import Testing

/// What a file holds beside architecture and weights.
@Suite struct TrainingStateTests {
  private static let json = sequential([("Dense", #"{"name": "a", "units": 1, "batch_input_shape": [null, 1]}"#)])

  private func file(root: String = "model_weights") throws -> KerasFile {
    var file = try KerasFile(Self.json, version: "2.2.4", root: root)
    try file.add("a", [("k", filled([1, 1], 2)), ("b", filled([1], 3))])
    return file
  }

  /// In the order of the file's list, not of its groups.
  @Test func listedSlotsKeepTheirNamesAndOrder() throws {
    var file = try file()
    let names = ["Adam/iterations:0", "training/Adam/v/k:0", "training/Adam/m/k:0", "Adam/zero"]
    for name in names.sorted() {
      try file.checkpoint.append(try filled([1], Float(name.count)), at: "optimizer_weights/\(name)")
    }
    try file.checkpoint.setAttribute("weight_names", .strings(names), at: "optimizer_weights")
    let model = try importing(try file.listed())
    #expect(model.optimizerSlots.map(\.path) == names)
    #expect(model.optimizerSlots.map { $0.tensor.floats() } == names.map { [Float($0.count)] })
    #expect(model.ledger.contains { $0.kind == .carried && $0.subject == "optimizer" && $0.note.contains("4 tensors") })
  }

  /// `optimizer/vars/10` comes after `optimizer/vars/2`, whatever the file's order.
  @Test func numberedSlotsCountByNumber() throws {
    var file = try KerasFile(Self.json, version: "3.1.0")
    try file.checkpoint.append(try filled([1, 1]), at: "layers/dense/vars/0")
    try file.checkpoint.append(try filled([1]), at: "layers/dense/vars/1")
    for index in (0..<12).sorted(by: { "\($0)" < "\($1)" }) {
      try file.checkpoint.append(try filled([], Float(index)), at: "optimizer/vars/\(index)")
    }
    let model = try importing(file.checkpoint)
    #expect(model.optimizerSlots.map(\.path) == (0..<12).map { "vars/\($0)" })
    #expect(model.optimizerSlots.map { $0.tensor.floats()[0] } == (0..<12).map { Float($0) })
  }

  @Test func metricStateIsLeftOutAndSaidSo() throws {
    var file = try KerasFile(Self.json, version: "3.1.0")
    try file.checkpoint.append(try filled([1, 1]), at: "layers/dense/vars/0")
    try file.checkpoint.append(try filled([1]), at: "layers/dense/vars/1")
    try file.checkpoint.append(try filled([]), at: "metrics/mean/vars/0")
    let model = try importing(file.checkpoint)
    #expect(model.ledger.contains { $0.kind == .dropped && ($0.subject + $0.note).contains("metric") })
    #expect(model.optimizerSlots.isEmpty)
  }

  @Test func theTrainingConfigurationIsKeptAsText() throws {
    var file = try file()
    let text =
      #"{"optimizer_config": {"class_name": "Adam", "config": {"lr": NaN}}, "loss": "mse", "metrics": ["acc"]}"#
    try file.checkpoint.setAttribute("training_config", .string(text), at: "")
    let model = try importing(try file.listed())
    #expect(model.training == text)
    #expect(!model.ledger.contains { $0.subject.hasPrefix("training") })
  }

  @Test func aCompileConfigStandsInTheArchitecture() throws {
    let json = String(Self.json.dropLast()) + #", "compile_config": {"loss": "mse"}}"#
    var file = try KerasFile(json, version: "3.1.0")
    try file.add("a", [("k", filled([1, 1])), ("b", filled([1]))])
    let model = try importing(try file.listed())
    #expect(try JSONValue(parsing: try #require(model.training)) == ["loss": "mse"])
  }

  @Test func customPartsOfTheTrainingAreNamed() throws {
    var file = try file()
    let text =
      #"{"optimizer_config": {"class_name": "Custom>Lookahead", "config": {}}, "#
      + #""loss": {"out": "my_loss", "b": "mse"}, "#
      + #""metrics": ["accuracy", "my_metric", {"class_name": "AUC", "config": {}}]}"#
    try file.checkpoint.setAttribute("training_config", .string(text), at: "")
    let entries = try importing(try file.listed()).ledger.filter { $0.subject.hasPrefix("training") }
    #expect(entries.map(\.subject) == ["training.optimizer", "training.loss", "training.metrics"])
    for (entry, name) in zip(entries, ["Lookahead", "my_loss", "my_metric"]) {
      #expect(entry.kind == .carried && entry.note.contains(name), "\(entry)")
    }
    // TensorFlow 2.11 to 2.15 write their own optimizers in the same way.
    var own = try self.file()
    let adam = #"{"optimizer_config": {"class_name": "Custom>Adam", "config": {}}, "loss": "binary_crossentropy"}"#
    try own.checkpoint.setAttribute("training_config", .string(adam), at: "")
    #expect(!(try importing(try own.listed())).ledger.contains { $0.subject.hasPrefix("training") })
  }

  @Test func aTrainingConfigurationThatIsNoJSONIsKept() throws {
    var file = try file()
    try file.checkpoint.setAttribute("training_config", .string("{oops"), at: "")
    let model = try importing(try file.listed())
    #expect(model.training == "{oops")
    #expect(model.ledger.contains { $0.subject == "training" && $0.note.contains("no JSON") })
  }
}
