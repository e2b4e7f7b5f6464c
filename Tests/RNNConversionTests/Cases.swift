import Foundation
import RNNContainers
import RNNConversion
import RNNCore
import RNNDialects
import RNNTestSupport
import Synchronization
import Testing

/// One folder of `fixtures/<origin>/`: a model, what went in and what the framework that wrote it gave.
struct Case: Sendable, CustomTestStringConvertible {
  let folder: URL

  static let origins = ["keras-1.2.2", "keras-2.2.4", "tf-keras-2.19", "keras-3.15"]

  /// Every case of every origin.
  static let all = origins.flatMap { origin in
    Fixtures.cases(in: Fixtures.folder.appendingPathComponent(origin)).map(Case.init).filter(\.hasModel)
  }

  /// Cases with something that the dialect does not carry, and what the error must name.
  private static let refusals: [String: String] = ["groupnormalization-mask": "GroupNormalization"]

  /// What the error must name; `nil` for a case that is imported. Cases that differ in their container share a reason.
  var refusedClass: String? {
    let name = folder.lastPathComponent.components(separatedBy: "--")[0]
    return Case.refusals[name] ?? Case.refusals["\(folder.deletingLastPathComponent().lastPathComponent)/\(name)"]
  }

  static let imported = all.filter { $0.refusedClass == nil }
  static let refused = all.filter { $0.refusedClass != nil }

  /// Whether the input is text; all others are numbers.
  var isText: Bool { ["textvectorization", "stringlookup"].contains { folder.lastPathComponent.hasPrefix($0) } }

  static let numeric = imported.filter { !$0.isText }
  static let texts = imported.filter(\.isText)

  var testDescription: String { "\(folder.deletingLastPathComponent().lastPathComponent)/\(folder.lastPathComponent)" }

  private var hasModel: Bool { modelName != nil }

  private var modelName: String? {
    ["model.h5", "model.keras", "model.weights.h5", "weights.h5"].first {
      Fixtures.exists(folder.appendingPathComponent($0))
    }
  }

  var model: URL { folder.appendingPathComponent(modelName ?? "model.h5") }

  /// The options that an import needs: the architecture, where the model is weights only.
  var options: ImportOptions {
    var options = ImportOptions()
    options.helper = helper
    let config = folder.appendingPathComponent("config.json")
    if Fixtures.exists(config) { options.config = config }
    return options
  }

  func arrays(_ name: String) throws -> [(name: String, tensor: Tensor)]? {
    let url = folder.appendingPathComponent(name)
    return Fixtures.exists(url) ? try NPZ.read(try Data(contentsOf: url)) : nil
  }
}

extension Case {
  private static let models = Mutex<[URL: NativeModel]>([:])

  /// The case's model, imported once for all tests.
  func native() throws -> NativeModel {
    if let known = Case.models.withLock({ $0[folder] }) { return known }
    let model = try ModelImport.model(from: model, options: options)
    Case.models.withLock { $0[folder] = model }
    return model
  }
}

/// The helper that this package builds.
let helper = Fixtures.product(HDF5Helper.name)

/// What a model may differ from the framework that wrote it.
enum Tolerance {
  /// The largest excess over what is allowed; nothing is exceeded at 0 or below.
  ///
  /// Allowed is `absolute + relative |value|`. Where a float64 twin of the model exists, float32 itself is the problem,
  /// and the twin judges: then 4 times the framework's own distance from it is allowed too.
  static func excess(
    of ours: [Float], over theirs: [Float], twin: [Double]?, absolute: Double, relative: Double
  ) -> Double {
    guard ours.count == theirs.count else { return .infinity }
    var worst = -Double.infinity
    for index in ours.indices {
      guard !theirs[index].isNaN || !ours[index].isNaN else { continue }
      let expected = twin?[index] ?? Double(theirs[index])
      var allowed = absolute + relative * abs(expected)
      if let twin { allowed = max(allowed, 4 * abs(Double(theirs[index]) - twin[index])) }
      let error = abs(Double(ours[index]) - expected)
      worst = max(worst, error.isNaN ? .infinity : error - allowed)
    }
    return worst
  }
}
