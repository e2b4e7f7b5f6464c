import ArgumentParser
import Foundation
import RNNCore
import RNNTraining

/// What happens when epochs get better, or no better: Keras's callbacks of these names.
struct MonitorOptions: ParsableArguments {
  @Option(
    help: "The value that tells whether an epoch was better, by its name in the history; by default val_loss, or loss.")
  var monitor: String?

  @Option(help: "Stop after so many epochs without improvement.")
  var earlyStopping: Int?

  @Option(help: "Lower the learning rate after so many epochs without improvement.")
  var reduceOnPlateau: Int?

  @Option(help: "What --reduce-on-plateau multiplies the rate by.")
  var plateauFactor = 0.1

  @Option(help: "Write the model of the best epoch to this .rnn file, too.")
  var best: String?

  func validate() throws {
    for (name, value) in [("--early-stopping", earlyStopping), ("--reduce-on-plateau", reduceOnPlateau)]
    where value ?? 0 < 0 {
      throw ValidationError("\(name) must not be negative")
    }
    if !(plateauFactor > 0 && plateauFactor < 1) {
      throw ValidationError("--plateau-factor must be above 0 and below 1")
    }
  }

  /// What is given; the rest stays.
  func apply(to options: inout FitOptions) {
    options.monitor = monitor ?? options.monitor
    options.earlyStopping = earlyStopping.map { EarlyStopping(patience: $0) } ?? options.earlyStopping
    options.plateau =
      reduceOnPlateau.map { ReduceOnPlateau(patience: $0, factor: plateauFactor) } ?? options.plateau
  }

  func checkDestination(replacing: Bool) throws {
    guard let best else { return }
    try AtomicFile.checkDestination(URL(fileURLWithPath: best).path, replacing: replacing)
  }

  func writeBest(_ trainer: Trainer, _ words: TrainedFile.Words) throws {
    guard let best else { return }
    try TrainedFile.write(try trainer.trainedModel(), words, to: URL(fileURLWithPath: best))
  }
}
