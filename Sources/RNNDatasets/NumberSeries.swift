import Foundation
import RNNCore

/// A table of numbers from a `.csv` file: a row for each timestep, a column for each feature.
public struct NumberSeries: Sendable {
  /// The names of the columns, where the first line holds no number.
  public let header: [String]?
  public let rows: Int
  public let columns: Int
  /// Row by row.
  public let values: [Float]
  /// The fields as they were.
  public let fields: [[String]]

  /// - Throws: `badData` with the line of what is no number, or of a row that is shorter or longer than the first.
  public init(csv data: Data) throws {
    var table = try CSVReader.rows(of: data)
    guard let first = table.first else { throw RNNError.badData("the file holds no rows") }
    let isHeader = first.fields.allSatisfy { NumberSeries.number($0) == nil }
    header = isHeader ? first.fields : nil
    if isHeader { table.removeFirst() }
    guard !table.isEmpty else { throw RNNError.badData("the file holds a header and no rows") }
    columns = first.fields.count
    rows = table.count
    var values: [Float] = []
    values.reserveCapacity(rows * columns)
    for row in table {
      guard row.fields.count == first.fields.count else {
        throw RNNError.badData(
          "\(row.fields.count) fields, where the first line has \(first.fields.count)", at: "line \(row.line)")
      }
      for field in row.fields {
        guard let number = NumberSeries.number(field) else {
          throw RNNError.badData("'\(field.prefix(40))' is no number", at: "line \(row.line)")
        }
        values.append(number)
      }
    }
    self.values = values
    fields = table.map(\.fields)
  }

  private static func number(_ field: String) -> Float? {
    Float(field.trimmingCharacters(in: .whitespaces))
  }
}
