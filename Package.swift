// swift-tools-version: 6.0
import PackageDescription

let package = Package(
  name: "rnnconv",
  platforms: [.macOS(.v13), .iOS(.v16)],
  products: [.library(name: "RNNRuntime", targets: ["RNNCore"])],
  targets: [
    // Values: tensors, checkpoints, the model and its native file.
    .target(name: "RNNCore")
  ]
)
