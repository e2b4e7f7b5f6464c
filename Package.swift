// swift-tools-version: 6.2
import PackageDescription

// Dependencies point downwards only (see Tests/SpecTests/DependencyDirectionTests.swift).
// No target of the `RNNRuntime` product needs a system library: that product is what an app ships.
let isStrict = Context.environment["RNNCONV_STRICT"] != nil

let package = Package(
  name: "rnnconv",
  platforms: [.macOS(.v13), .iOS(.v16)],
  products: [
    .library(name: "RNNRuntime", targets: ["RNNCore", "RNNRuntime", "RNNTraining", "RNNText"]),
    .library(name: "RNNConversion", targets: ["RNNConversion"]),
    .executable(name: "rnnconv", targets: ["rnnconv"]),
    .executable(name: "rnnconv-hdf5", targets: ["rnnconv-hdf5"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-numerics", from: "1.1.1"),
  ],
  targets: [
    // Values: tensors, checkpoints, the model and its native file.
    .target(name: "CFileSystem"),
    .target(name: "RNNCore", dependencies: ["CFileSystem"]),

    // Bytes <-> Checkpoint.
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"]), .brew(["hdf5"])]),
    .target(name: "RNNContainers", dependencies: ["RNNCore", "CZlib"]),
    .target(name: "RNNHDF5", dependencies: ["RNNCore", "CHDF5"]),
    .executableTarget(name: "rnnconv-hdf5", dependencies: ["RNNHDF5", "RNNCore"]),

    // Checkpoint <-> NativeModel, and the two roads.
    .target(name: "CSystem"),
    .target(name: "RNNDialects", dependencies: ["RNNCore"]),
    .target(name: "RNNText", dependencies: ["RNNCore"]),
    .target(
      name: "RNNConversion",
      dependencies: [
        "RNNCore", "RNNContainers", "RNNDialects", "RNNText", "CSystem",
        .product(name: "Crypto", package: "swift-crypto"),
      ]),

    // NativeModel -> numbers.
    .target(name: "CRNNKernels"),
    .target(
      name: "RNNRuntime",
      dependencies: [
        "RNNCore", "RNNText", "CRNNKernels", .product(name: "RealModule", package: "swift-numerics"),
      ]),

    .target(name: "RNNDatasets", dependencies: ["RNNCore", "RNNText", "RNNContainers"]),
    .target(
      name: "RNNTraining",
      dependencies: ["RNNCore", "RNNRuntime", .product(name: "RealModule", package: "swift-numerics")]),

    .executableTarget(
      name: "rnnconv",
      dependencies: [
        "RNNCore", "RNNContainers", "RNNConversion", "RNNDatasets", "RNNDialects", "RNNRuntime", "RNNText",
        "RNNTraining", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    // Measurements for `make bench`; no part of any product.
    .target(name: "CFigures", path: "Benchmarks/CFigures"),
    .executableTarget(
      name: "Figures",
      dependencies: [
        "RNNCore", "RNNContainers", "RNNConversion", "RNNRuntime", "RNNTraining", "CFigures", "CAllocations",
      ],
      path: "Benchmarks/Figures"),

    // Tests. Those of a product stand on nothing that the product does not link.
    .target(
      name: "RNNTestSupport", dependencies: ["RNNCore", "RNNRuntime"], path: "Tests/RNNTestSupport"),
    .target(name: "CAllocations", path: "Tests/CAllocations"),
    .testTarget(name: "RNNCoreTests", dependencies: ["RNNCore", "RNNTestSupport"]),
    .testTarget(
      name: "RNNContainersTests", dependencies: ["RNNCore", "RNNContainers", "RNNText", "RNNTestSupport"]),
    .testTarget(name: "RNNTextTests", dependencies: ["RNNCore", "RNNText"]),
    .testTarget(name: "RNNHDF5Tests", dependencies: ["RNNCore", "RNNHDF5", "RNNTestSupport"]),
    .testTarget(name: "RNNDialectsTests", dependencies: ["RNNCore", "RNNDialects", "RNNTestSupport"]),
    .testTarget(
      name: "RNNRuntimeTests",
      dependencies: [
        "RNNCore", "RNNRuntime", "RNNTestSupport", "CAllocations",
        .product(name: "RealModule", package: "swift-numerics"),
      ]),
    .testTarget(
      name: "RNNDatasetsTests",
      dependencies: ["RNNCore", "RNNText", "RNNContainers", "RNNDatasets", "RNNTestSupport"]),
    .testTarget(
      name: "RNNTrainingTests",
      dependencies: [
        "RNNCore", "RNNContainers", "RNNConversion", "RNNRuntime", "RNNTraining", "RNNTestSupport", "rnnconv-hdf5",
      ]),
    .testTarget(
      name: "RNNConversionTests",
      dependencies: [
        "RNNCore", "RNNContainers", "RNNDialects", "RNNConversion", "RNNRuntime", "RNNTestSupport",
        "rnnconv-hdf5", .product(name: "Crypto", package: "swift-crypto"),
      ]),
    .testTarget(
      name: "SpecTests",
      dependencies: [
        "RNNCore", "RNNContainers", "RNNDialects", "RNNConversion", "RNNRuntime", "RNNTraining", "RNNTestSupport",
        "rnnconv", "rnnconv-hdf5",
      ]),
    .testTarget(
      name: "CLITests",
      dependencies: ["RNNCore", "RNNContainers", "RNNConversion", "RNNTestSupport", "rnnconv", "rnnconv-hdf5"]),
  ]
)

// In continuous integration, warnings of our own code are errors. (Not in tests: what the testing macros expand to warns.)
if isStrict {
  for target in package.targets where [.regular, .executable].contains(target.type) {
    target.swiftSettings = (target.swiftSettings ?? []) + [.treatAllWarnings(as: .error)]
  }
}
