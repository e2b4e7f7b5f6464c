/// `Flatten`: (batch, ...) -> (batch, product). The mask ends here.
public struct FlattenSpec: SingleInputLayer {
  /// Whether the first axis behind the batch is the channels, which then go last before it is flattened.
  public var channelsFirst = false

  public init() {}

  /// A file that lacks `channelsFirst` means false.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    channelsFirst = try container.decodeIfPresent(Bool.self, forKey: .channelsFirst) ?? false
  }

  public func outputShape(input: Shape) throws -> Shape { [try input.elementCount()] }
}

/// `Reshape`: (batch, ...) -> (batch, target); one axis of the target may be -1, what is left.
public struct ReshapeSpec: SingleInputLayer, UntouchingLayer {
  public var targetShape: [Int]

  public init(targetShape: [Int]) {
    self.targetShape = targetShape
  }

  public func outputShape(input: Shape) throws -> Shape {
    let known = targetShape.filter { $0 != -1 }
    guard targetShape.count - known.count <= 1 else { throw RNNError.badData("target_shape has more than one -1") }
    for size in known { try SizeLimit.check(size, "an axis of target_shape", atLeast: 0) }
    let product = try Shape(known).elementCount() ?? 0
    guard let total = try input.elementCount() else {
      // A free axis goes on only where the target leaves one open.
      guard known.count < targetShape.count else { return targetShape }
      return targetShape.map { $0 == -1 ? nil : $0 }
    }
    let isComplete = known.count == targetShape.count
    guard isComplete ? total == product : product > 0 && total % product == 0 else {
      throw RNNError.badData("\(describe(shape: [nil] + input)) cannot be reshaped to \([-1] + targetShape)")
    }
    return targetShape.map { $0 == -1 ? total / product : $0 }
  }
}

/// `Permute`: the axes behind the batch in another order, counted from 1.
public struct PermuteSpec: SingleInputLayer {
  public var order: [Int]

  public init(order: [Int]) {
    self.order = order
  }

  public func outputShape(input: Shape) throws -> Shape {
    guard order.sorted() == Array(1...max(input.count, 1)), order.count == input.count else {
      throw RNNError.badData("dims \(order) is no order of the axes of \(describe(shape: [nil] + input))")
    }
    return order.map { input[$0 - 1] }
  }
}

/// `RepeatVector`: (batch, channels) -> (batch, count, channels).
public struct RepeatVectorSpec: SingleInputLayer {
  public var count: Int

  public init(count: Int) {
    self.count = count
  }

  public func outputShape(input: Shape) throws -> Shape {
    try SizeLimit.check(count, "n")
    guard input.count == 1 else {
      throw RNNError.badData("RepeatVector takes (batch, channels), but its input is \(describe(shape: [nil] + input))")
    }
    return [count] + input
  }
}

/// `ZeroPadding1D` and `Cropping1D`: steps added or taken away before and after, (batch, timesteps, channels).
public struct EdgeSpec: SingleInputLayer {
  public var before: Int
  public var after: Int
  /// Whether the steps are taken away.
  public var isCropping: Bool

  public init(before: Int, after: Int, isCropping: Bool) {
    self.before = before
    self.after = after
    self.isCropping = isCropping
  }

  public func outputShape(input: Shape) throws -> Shape {
    let (timesteps, channels) = try input.steps(for: isCropping ? "Cropping1D" : "ZeroPadding1D")
    try SizeLimit.check(before, "the steps before", atLeast: 0)
    try SizeLimit.check(after, "the steps after", atLeast: 0)
    let length = timesteps.map { $0 + (isCropping ? -(before + after) : before + after) }
    if let length, length < 0 {
      throw RNNError.badData("\(before + after) steps cannot be cropped from \(timesteps ?? 0)")
    }
    return [length, channels]
  }
}

/// `UpSampling1D`: every step `size` times, (batch, timesteps, channels) -> (batch, size x timesteps, channels).
public struct UpSampling1DSpec: SingleInputLayer {
  public var size: Int

  public init(size: Int) {
    self.size = size
  }

  public func outputShape(input: Shape) throws -> Shape {
    let (timesteps, channels) = try input.steps(for: "UpSampling1D")
    try SizeLimit.check(size, "size")
    return [try timesteps.map { try scaled($0) }, channels]
  }

  private func scaled(_ timesteps: Int) throws -> Int {
    let (length, overflow) = timesteps.multipliedReportingOverflow(by: size)
    guard !overflow else { throw RNNError.badData("the upsampled length overflows") }
    return length
  }
}

/// `Identity`, and `ActivityRegularization`, whose penalties only training knows.
public struct IdentitySpec: ShapeKeepingLayer, UntouchingLayer {
  public func runsStepByStep(inputs: [Shape]) -> Bool { true }

  public var keepsMask: Bool { true }

  public init() {}
}
