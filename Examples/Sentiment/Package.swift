// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "Sentiment",
  platforms: [.macOS(.v13)],
  dependencies: [.package(name: "rnnconv", path: "../..")],
  targets: [
    .executableTarget(name: "Sentiment", dependencies: [.product(name: "RNNRuntime", package: "rnnconv")])
  ]
)
