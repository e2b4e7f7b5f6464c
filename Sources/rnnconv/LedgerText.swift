import RNNConversion
import RNNCore

/// What a conversion did not keep exactly, for people.
enum LedgerText {
  /// One line an entry: exact, emulated or lost, and why.
  static func lines(_ ledger: [LedgerEntry]) -> [String] {
    ledger.map { "  \($0.kind.verdict.rawValue): \($0.subject): \($0.note)" }
  }

  /// The whole of an export, before or behind it.
  static func lines(_ export: ModelExport) -> [String] {
    let changed = export.changedTensors
    return [
      "  exact: \(Console.count(export.exactTensors, "tensor")), bit for bit"
        + (changed > 0 ? "; \(Console.count(changed, "tensor")) changed" : "")
    ] + lines(export.ledger)
  }
}
