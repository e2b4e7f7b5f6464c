import ArgumentParser
import Foundation
import RNNCore
import RNNTraining

/// What happens when epochs get better, or no better: Keras's callbacks of these names.
struct WatchOptions: ParsableArguments {
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
    where value ?? 1 <= 0 {
      throw ValidationError("\(name) must be positive")
    }
    if !(plateauFactor > 0 && plateauFactor < 1) {
      throw ValidationError("--plateau-factor must be above 0 and below 1")
    }
    if monitor != nil, earlyStopping == nil, reduceOnPlateau == nil, best == nil {
      throw ValidationError("--monitor goes with --early-stopping, --reduce-on-plateau or --best")
    }
  }

  var patience: String { Console.count(earlyStopping ?? 0, "epoch") }

  func checkDestination(replacing: Bool) throws {
    if let best { try AtomicFile.checkDestination(URL(fileURLWithPath: best).path, replacing: replacing) }
  }

  func writeBest(_ trainer: Trainer, _ text: TextBundle?) throws {
    guard let best else { return }
    try TrainedFile.write(try trainer.trainedModel(), text, to: URL(fileURLWithPath: best))
  }
}
