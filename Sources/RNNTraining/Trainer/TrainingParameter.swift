import RNNCore
import RNNRuntime

/// One parameter in training: its values, the gradient of a step and the optimizer's state, owned by the trainer.
final class TrainingParameter {
  let layer: Int
  let name: String
  let shape: [Int]
  let count: Int
  let isTrainable: Bool
  /// Whether a forward run of training moves it, and no gradient.
  let isStatistic: Bool
  let regularizer: Regularizer?
  let constraint: Constraint?
  let values: UnsafeMutablePointer<Float>
  let gradient: UnsafeMutablePointer<Float>
  let slots: [UnsafeMutablePointer<Float>]
  /// For an embedding, the sum of the squares of the parts that its gradient was added up from, where an optimizer takes
  /// that for the square of the gradient.
  let squares: UnsafeMutablePointer<Float>?
  /// Owns what the pointers point to.
  private let memory: [FloatMemory]
  /// For an embedding, the rows that the last step touched: only their gradients must be cleared.
  private(set) var touchedRows: [Int] = []
  /// For each row, the number of the step that touched it last.
  private var touchedAt: [UInt32] = []
  private var touches: UInt32 = 1

  /// - Throws: `unsupported` for a regularizer or constraint that is not built in.
  init(_ tensor: Tensor, layer: Int, spec: ModelSpec.Layer, name: String, optimizer: Optimizer) throws {
    self.layer = layer
    self.name = name
    shape = tensor.shape
    count = tensor.count
    isStatistic = spec.spec.configuration.statisticNames.contains(name)
    isTrainable = spec.isTrainable && !isStatistic
    let carried = try spec.carried.map { try JSONValue(parsing: $0) } ?? .null
    // `recurrent_kernel` has `recurrent_regularizer`; Keras 1 has W, U and b.
    let role = TrainingParameter.role(of: name, in: spec.spec)
    let letter = name == "recurrent_kernel" ? "U" : name == "bias" ? "b" : "W"
    (regularizer, constraint) = try locating("layer '\(spec.name)'") {
      (
        try Regularizer(keras: carried["\(role)_regularizer"] ?? carried["\(letter)_regularizer"]),
        try Constraint(keras: carried["\(role)_constraint"] ?? carried["\(letter)_constraint"])
      )
    }
    let count = count
    var memory: [FloatMemory] = []
    func filled(_ value: Float) -> UnsafeMutablePointer<Float> {
      memory.append(FloatMemory(count, repeating: value))
      return memory[memory.count - 1].base
    }
    values = filled(0)
    gradient = filled(0)
    slots = isTrainable ? optimizer.slotNames.indices.map { filled(optimizer.initialValue(ofSlot: $0)) } : []
    squares =
      isTrainable && name == "embeddings" && regularizer == nil && optimizer.slices != .added ? filled(0) : nil
    self.memory = memory
    load(tensor, into: values)
  }

  /// What arguments of the layer begin with that concern a parameter.
  private static func role(of name: String, in layer: LayerSpec) -> String {
    switch name {
    case "recurrent_kernel": return "recurrent"
    case "depthwise_kernel": return "depthwise"
    case "pointwise_kernel": return "pointwise"
    case "kernel":
      if case .depthwiseConv1D = layer { return "depthwise" }
      return name
    case _: return name.split(separator: "/").last.map(String.init) ?? name
    }
  }

  /// What the optimizer squares: the gradient, unless it knows of its parts.
  func squares(_ optimizer: Optimizer) -> UnsafePointer<Float>? {
    optimizer.slices == .squaredApart ? squares.map { UnsafePointer($0) } : nil
  }

  func load(_ tensor: Tensor, into memory: UnsafeMutablePointer<Float>) {
    tensor.floats().withUnsafeBufferPointer { floats in
      if let base = floats.baseAddress { memory.update(from: base, count: min(floats.count, count)) }
    }
  }

  func tensor(_ memory: UnsafeMutablePointer<Float>) throws -> Tensor {
    try Tensor(Array(UnsafeBufferPointer(start: memory, count: count)), shape: shape)
  }

  /// Adds the slices of an embedding's gradient, of each the `columns`.
  func add(_ part: GradientPass.EmbeddingGradient, columns: Range<Int>) {
    TrainingKernels.addRows(
      gradient, squares: squares, part.rows, ids: part.ids, width: part.width, columns: columns)
  }

  /// Adds the slices of an embedding's gradient, each number through `transform`.
  func add(_ part: GradientPass.EmbeddingGradient, _ transform: (Float) -> Float) {
    for (position, id) in part.ids.enumerated() {
      let source = part.rows + position * part.width
      for column in 0..<part.width {
        let value = transform(source[column])
        gradient[id * part.width + column] += value
        squares?[id * part.width + column] += value * value
      }
    }
  }

  /// Notes rows whose gradients are no longer 0.
  func touch(_ rows: [Int]) {
    if touchedAt.isEmpty { touchedAt = Array(repeating: 0, count: shape[0]) }
    for row in rows where touchedAt[row] != touches {
      touchedAt[row] = touches
      touchedRows.append(row)
    }
  }

  /// From now on every row may have a gradient.
  func touchAllRows() { forgetRows() }

  private func forgetRows() {
    touchedRows.removeAll(keepingCapacity: true)
    touches &+= 1
  }

  /// Zeros the gradient for the next step.
  func clearGradient(_ pool: WorkerPool) {
    let rows = touchedRows
    if rows.isEmpty {
      gradient.update(repeating: 0, count: count)
      squares?.update(repeating: 0, count: count)
      return
    }
    let width = count / max(shape[0], 1)
    pool.cut(rows.count) { part in
      for row in rows[part] {
        (gradient + row * width).update(repeating: 0, count: width)
        squares.map { ($0 + row * width).update(repeating: 0, count: width) }
      }
    }
    forgetRows()
  }

  /// Zeros the gradients of the touched rows, which are still to be filled.
  func clearTouchedRows() {
    let width = count / max(shape[0], 1)
    for row in touchedRows {
      (gradient + row * width).update(repeating: 0, count: width)
      squares.map { ($0 + row * width).update(repeating: 0, count: width) }
    }
  }

  /// Whether the gradient holds neither NaN nor infinity.
  func hasFiniteGradient(_ pool: WorkerPool) -> Bool {
    // Where only some rows of an embedding have a gradient, the others hold zeros.
    let (rows, width) = (touchedRows, count / max(shape[0], 1))
    let pieces = rows.isEmpty ? (count + 4095) / 4096 : rows.count
    let found = SendableBox([Bool](repeating: true, count: pool.threads))
    func isFinite(_ start: Int, _ count: Int) -> Bool {
      TrainingKernels.areFinite(gradient + start, count: count)
        && squares.map { TrainingKernels.areFinite($0 + start, count: count) } ?? true
    }
    let parts = max(1, min(pool.threads, pieces))
    pool.run(parts) { part in
      let range = pieces * part / parts..<pieces * (part + 1) / parts
      let all = range.allSatisfy { piece in
        rows.isEmpty
          ? isFinite(piece * 4096, min(4096, count - piece * 4096)) : isFinite(rows[piece] * width, width)
      }
      found.set(all, at: part)
    }
    return found.values.allSatisfy(\.self)
  }
}
