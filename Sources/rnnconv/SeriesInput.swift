import Foundation
import RNNCore
import RNNDatasets
import RNNRuntime

/// A series of numbers as a model's input: one sequence where the model's length is free, else a window of its length
/// behind each row.
struct SeriesInput {
  /// (windows, timesteps, channels), or without channels for ids, or (rows, channels) for a model without steps.
  let tensor: Tensor
  let series: NumberSeries
  /// For each example of the tensor, the row that it ends at.
  let rows: [Int]
  /// Whether the whole series is one example, so that a sequence of answers has one for each row.
  let isWhole: Bool

  /// - Throws: `badData` where the columns do not fit the model, or the series is too short.
  init(contentsOf url: URL, for model: Model) throws {
    let series = try locating(url.path) { try NumberSeries(csv: try InputFile.contents(of: url)) }
    self.series = series
    let spec = model.native.spec
    guard spec.inputs.count == 1, case .input(let input) = spec.layers[spec.calls[spec.inputs[0]].layer].spec else {
      throw RNNError.usage(
        "the model has \(spec.inputs.count) inputs, a .csv file is one", remedy: "Give it an .npz file.")
    }
    let columns = series.columns
    func refuse(_ expected: Int) -> RNNError {
      RNNError.badData(
        "the series has \(Console.count(columns, "column")), the model takes \(expected) at each step", at: url.path,
        remedy: "Leave the columns out that the model does not take.")
    }
    let isOfIDs = input.shape.count == 1 && model.readsIDs
    if input.shape.count == 1, !isOfIDs {
      if let width = input.shape[0], width != columns { throw refuse(width) }
      tensor = try Tensor(series.values, shape: [series.rows, columns])
      (rows, isWhole) = (Array(0..<series.rows), false)
      return
    }
    guard (1...2).contains(input.shape.count) else {
      throw RNNError.usage("the model's input is \(describe(shape: [nil] + input.shape)), which is no series")
    }
    let width = isOfIDs ? 1 : input.shape[1] ?? columns
    guard width == columns else { throw refuse(width) }
    let length = input.shape[0] ?? series.rows
    guard series.rows >= length, length > 0 else {
      throw RNNError.badData(
        "the series has \(Console.count(series.rows, "row")), the model needs \(length)", at: url.path,
        remedy: "Give it a longer one.")
    }
    let windows = series.rows - length + 1
    let values = (0..<windows).flatMap { series.values[$0 * width..<($0 + length) * width] }
    tensor = try Tensor(values, shape: isOfIDs ? [windows, length] : [windows, length, width])
    rows = (0..<windows).map { $0 + length - 1 }
    isWhole = input.shape[0] == nil
  }
}
