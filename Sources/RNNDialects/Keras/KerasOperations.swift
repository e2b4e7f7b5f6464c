import RNNCore

/// Arithmetic that stands in a functional configuration by itself: Keras 3's operations, and TensorFlow's lambda layers.
///
/// One table for both: an operation's name, and what it comes to.
enum KerasOperations {
  /// Whether an entry of a layer list is an operation and no layer. Some have a layer's name: `Concatenate` of
  /// `keras.src.ops.numpy` is not that of `keras.layers`.
  static func isOperation(_ entry: JSONValue) -> Bool {
    let module = entry["module"]?.string ?? ""
    if module.hasPrefix("keras.src.ops") || module.hasPrefix("keras.src.activations") { return true }
    if ["TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"].contains(entry["class_name"]?.string) { return true }
    // Keras 3's `.h5` names no modules; an operation is neither trainable nor has it a dtype policy.
    guard entry["module"] == nil, entry["inbound_nodes"]?.array?.first?.object != nil, let config = entry["config"],
      let className = entry["class_name"]?.string, config["trainable"] == nil
    else { return false }
    guard let kind = KerasClass(named: className) else { return true }
    return config["dtype"] == nil && kind != .sequential && kind != .functional
  }

  /// The options of an operation, with account of what was read.
  private final class Options {
    private let values: [String: JSONValue]
    private var unread: Set<String>

    init(_ values: [String: JSONValue]) {
      self.values = values
      unread = Set(values.keys)
    }

    subscript(key: String) -> JSONValue? {
      unread.remove(key)
      return values[key]
    }

    /// Values that say what an operation does anyway.
    private static let neutral: [(key: String, value: JSONValue)] = [
      ("decimals", 0), ("order", 2), ("beta", 1), ("swish_param", 1), ("axis", -1), ("mode", "constant"),
      ("dtype", "float32"), ("output_type", "float32"), ("validate_indices", true), ("full_range", true),
    ]

    /// What nobody read and what would change a number.
    var left: [String] {
      unread.sorted().compactMap { key in
        guard let value = values[key], key != "name", !value.isNull, value.bool != false, value.string != "" else {
          return nil
        }
        if Options.neutral.contains(where: { $0.key == key && $0.value == value }) { return nil }
        return "\(key)=\(value.text())"
      }
    }
  }

  /// What an operation has to do: its name in small letters, its arguments and its options.
  private struct Request {
    var name: String
    var arguments: [KerasArgument]
    var options: Options
    /// Of the first tensor with its batch, where the file says.
    var rank: Int?
  }

  /// - Returns: the layer that it comes to, and the call of that, which has tensors alone.
  /// - Throws: `unsupported` naming the operation.
  static func read(_ entry: JSONValue, _ call: KerasCall, _ era: KerasEra) throws -> (spec: LayerSpec, call: KerasCall)
  {
    let request = try request(entry, call)
    let spec = try spec(request, era)
    let left = request.options.left
    guard left.isEmpty else {
      throw RNNError.unsupported("the operation '\(request.name)' with " + left.joined(separator: ", "))
    }
    return (spec, KerasCall(arguments: request.arguments.flatMap(\.tensors).map { .tensor($0) }))
  }

  private static func request(_ entry: JSONValue, _ call: KerasCall) throws -> Request {
    let config = entry["config"] ?? .null
    var options: [String: JSONValue] = [:]
    guard let function = config["function"]?.string else {
      guard entry["class_name"]?.string != "TensorFlowOpLayer" else {
        throw RNNError.unsupported("an operation of TensorFlow 2.0 to 2.3, which is stored as a graph")
      }
      for member in config.object?.members ?? [] { options[member.key] = member.value }
      for word in call.keywords { if let value = word.argument.value { options[word.name] = value } }
      let name = KerasClass.snakeCase(entry["class_name"]?.string ?? "")
      let first = entry["inbound_nodes"]?.array?.first?["args"]?.array?.first
      return Request(
        name: name, arguments: call.arguments, options: Options(options), rank: first?["config"]?["shape"]?.array?.count
      )
    }
    // TensorFlow passes every argument but the first by its name.
    var arguments = call.arguments
    for word in call.keywords {
      switch word.name {
      case "y", "b": arguments.append(word.argument)
      case _:
        if let value = word.argument.value { options[word.name] = value }
        if !word.argument.tensors.isEmpty { arguments.append(word.argument) }
      }
    }
    let short = function.split(separator: ".").last.map(String.init) ?? function
    return Request(name: short, arguments: arguments, options: Options(options))
  }

  private static let unary: [String: UnarySpec.Function] = [
    "abs": .absolute, "absolute": .absolute, "neg": .negative, "negative": .negative, "log": .log, "log1p": .log1p,
    "expm1": .expm1, "sqrt": .sqrt, "rsqrt": .rsqrt, "square": .square, "reciprocal": .reciprocal, "sign": .sign,
    "sin": .sin, "cos": .cos, "floor": .floor, "ceil": .ceil, "round": .round, "logical_not": .logicalNot,
  ]

  private static let binary: [String: BinarySpec.Function] = [
    "add": .add, "subtract": .subtract, "sub": .subtract, "multiply": .multiply, "mul": .multiply,
    "true_divide": .divide, "divide": .divide, "truediv": .divide, "power": .power, "pow": .power, "maximum": .maximum,
    "minimum": .minimum, "equal": .equal, "not_equal": .notEqual, "greater": .greater, "greater_equal": .greaterEqual,
    "less": .less, "less_equal": .lessEqual, "logical_and": .logicalAnd, "logical_or": .logicalOr,
    "squared_difference": .squaredDifference,
  ]

  private static let reductions: [String: ReductionSpec.Function] = [
    "sum": .sum, "reduce_sum": .sum, "mean": .mean, "reduce_mean": .mean, "max": .maximum, "reduce_max": .maximum,
    "min": .minimum, "reduce_min": .minimum, "prod": .product, "reduce_prod": .product, "any": .any, "reduce_any": .any,
    "all": .all, "reduce_all": .all, "var": .variance, "reduce_variance": .variance, "std": .deviation,
    "reduce_std": .deviation,
  ]

  private static let activations: [String: Activation] = [
    "tanh": .tanh, "sigmoid": .sigmoid, "relu": .relu, "relu6": .relu6, "silu": .silu, "swish": .silu,
    "softplus": .softplus, "softsign": .softsign, "selu": .selu, "exp": .exponential, "log_sigmoid": .logSigmoid,
    "hard_tanh": .hardTanh, "mish": .mish, "tanh_shrink": .tanhShrink,
    "sparse_plus": .sparsePlus, "hard_silu": .hardSilu, "sparse_sigmoid": .sparseSigmoid,
  ]

  /// What only passes its numbers on.
  private static let identities: Set<String> = ["convert_to_tensor", "identity", "stop_gradient", "cast", "copy"]

  private static func spec(_ request: Request, _ era: KerasEra) throws -> LayerSpec {
    let options = request.options
    if let function = unary[request.name] { return .unary(UnarySpec(function)) }
    if let function = binary[request.name] { return .binary(try binary(function, request)) }
    if let function = reductions[request.name] {
      let axes = try axes(options["axis"], request)
      let keeps = options["keepdims"]?.bool ?? options["keep_dims"]?.bool ?? false
      return .reduction(ReductionSpec(function, axes: axes, keepDims: keeps))
    }
    if let activation = try activation(request, era) { return activation }
    if identities.contains(request.name) {
      if let type = options["dtype"]?.string, !type.hasPrefix("float"), request.name == "cast", type != "bool" {
        throw RNNError.unsupported("a cast to \(type)")
      }
      return .identity(IdentitySpec())
    }
    return try shaping(request, era)
  }

  private static func binary(_ function: BinarySpec.Function, _ request: Request) throws -> BinarySpec {
    guard request.arguments.count == 2 else { throw RNNError.badData("the operation needs two arguments") }
    if let constant = constant(request.arguments[1]) { return BinarySpec(function, constant: constant) }
    if let constant = constant(request.arguments[0]) {
      return BinarySpec(function, constant: constant, isConstantFirst: true)
    }
    guard request.arguments.allSatisfy({ $0.tensor != nil }) else {
      throw RNNError.unsupported("an operation on something else than tensors and numbers")
    }
    return BinarySpec(function)
  }

  private static func constant(_ argument: KerasArgument) -> BinarySpec.Constant? {
    argument.value.flatMap { BinarySpec.Constant(keras: $0) }
  }

  private static func axes(_ value: JSONValue?, _ request: Request) throws -> [Int] {
    if let axis = value?.integer { return [axis] }
    if let list = value?.integers, !list.isEmpty { return list }
    if let list = value, list.array?.isEmpty == false {
      throw RNNError.badData("\(request.name) over the axes \(list.text())")
    }
    throw RNNError.unsupported("\(request.name) over all axes, the batch included")
  }

  private static func activation(_ request: Request, _ era: KerasEra) throws -> LayerSpec? {
    let options = request.options
    func layer(_ activation: Activation) -> LayerSpec { .activation(ActivationSpec(activation: activation)) }
    if let activation = activations[request.name] { return layer(activation) }
    switch request.name {
    case "softmax": return .softmax(SoftmaxSpec(axes: try options["axis"].map { try axes($0, request) } ?? [-1]))
    case "log_softmax" where options["axis"]?.integer ?? -1 == -1: return layer(.logSoftmax)
    case "hard_shrink", "soft_shrink", "threshold":
      var spec = UnarySpec(
        request.name == "threshold" ? .threshold : request.name == "hard_shrink" ? .hardShrink : .softShrink)
      spec.low = options["threshold"]?.double ?? 0.5
      spec.high = (options["default_value"] ?? options["value"])?.double
      return .unary(spec)
    case "celu" where options["alpha"]?.double ?? 1 == 1: return layer(.celu)
    case "squareplus" where options["b"]?.double ?? 4 == 4: return layer(.squareplus)
    case "celu", "squareplus":
      var spec = UnarySpec(request.name == "celu" ? .celu : .squareplus)
      spec.low = options[request.name == "celu" ? "alpha" : "b"]?.double
      return .unary(spec)
    case "sparsemax" where options["axis"]?.integer ?? -1 == -1: return layer(.sparsemax)
    case "glu" where options["axis"]?.integer ?? -1 == -1: return layer(.glu)
    case "elu": return layer(.scaledElu(alpha: options["alpha"]?.double ?? 1))
    case "leaky_relu":
      return layer(.leakyRelu(slope: options["negative_slope"]?.double ?? options["alpha"]?.double ?? 0.2))
    case "gelu": return layer(options["approximate"]?.bool ?? (era.generation == .keras3) ? .tanhGelu : .gelu)
    case "hard_sigmoid": return layer(era.generation == .keras3 ? .hardSigmoidSixth : .hardSigmoidFifth)
    case "re_lu":
      return layer(
        .boundedRelu(
          ceiling: options["max_value"]?.double, slope: options["negative_slope"]?.double ?? 0,
          threshold: options["threshold"]?.double ?? 0))
    case _: return nil
    }
  }

  private static func shaping(_ request: Request, _ era: KerasEra) throws -> LayerSpec {
    let options = request.options
    switch request.name {
    case "concatenate", "concat":
      return .concatenate(ConcatenateSpec(axis: options["axis"]?.integer ?? 0))
    case "stack": return .stack(StackSpec(axis: options["axis"]?.integer ?? 0))
    case "expand_dims":
      return .expandDims(ExpandDimsSpec(axes: try options["axis"] == nil ? [-1] : axes(options["axis"], request)))
    case "squeeze": return .squeeze(SqueezeSpec(axes: try axes(options["axis"], request)))
    case "reshape":
      let shape = (options["newshape"] ?? options["shape"])?.array?.map(\.integer) ?? []
      // The batch, too, is stated.
      guard let first = shape.first, first == nil || first == -1, shape.dropFirst().filter({ $0 == nil }).isEmpty else {
        throw RNNError.unsupported("a reshape that changes the batch")
      }
      return .reshape(ReshapeSpec(targetShape: shape.dropFirst().map { $0 ?? -1 }))
    case "transpose":
      let order = (options["axes"] ?? options["perm"])?.integers ?? []
      if order.prefix(2) == [1, 0], Array(order.dropFirst(2)) == Array(2..<max(order.count, 2)) {
        return .swapBatch(SwapBatchSpec())
      }
      guard order.first == 0 else { throw RNNError.unsupported("a transposition that moves the batch") }
      return .permute(PermuteSpec(order: Array(order.dropFirst())))
    case "matmul":
      var spec = MatrixProductSpec()
      spec.transposesFirst = options["transpose_a"]?.bool ?? false
      spec.transposesSecond = options["transpose_b"]?.bool ?? false
      return .matrixProduct(spec)
    case "get_item", "getitem": return .slice(try slice(request))
    case "reverse", "flip":
      let axes = try axes(options["axis"], request)
      return axes == [1] ? .reverseSteps(ReverseStepsSpec(reversesMask: false)) : .slice(try reversed(axes))
    case "split": return .split(try pieces(request))
    case "unstack":
      // As many as there are, unless the file says.
      return .split(
        SplitSpec(unstacking: options["axis"]?.integer ?? 0, count: options["num"]?.integer ?? SplitSpec.unsettled))
    case "roll", "repeat", "tile": return .rearrange(try rearranged(request))
    case "swapaxes", "moveaxis": return .permute(try permuted(request))
    case "where": return .select(try selection(request))
    case "cumsum", "cumprod":
      guard let axis = options["axis"]?.integer ?? (options["axis"] == nil ? 0 : nil) else {
        throw RNNError.unsupported("\(request.name) over all axes, the batch included")
      }
      var spec = CumulativeSpec(request.name == "cumsum" ? .sum : .product, axis: axis)
      spec.isExclusive = options["exclusive"]?.bool ?? false
      spec.goesBackwards = options["reverse"]?.bool ?? false
      return .cumulative(spec)
    case "einsum":
      let stated = options["subscripts"] ?? options["equation"] ?? request.arguments.first?.value
      guard let equation = stated?.string else {
        throw RNNError.badData("einsum without an equation")
      }
      let operands = equation.components(separatedBy: "->")[0].components(separatedBy: ",").count
      let tensors = request.arguments.flatMap(\.tensors).count
      guard tensors == operands, operands <= 2 else {
        throw RNNError.unsupported(
          tensors == 0
            ? "the file does not say what einsum reads"
            : "einsum of \(operands) operands, of which \(tensors) are tensors; two tensors are the most")
      }
      return .einsum(EinsumSpec(equation: equation))
    case "clip", "clip_by_value":
      let low = options["x_min"]?.double ?? options["clip_value_min"]?.double
      let high = options["x_max"]?.double ?? options["clip_value_max"]?.double
      guard low != nil || high != nil else { throw RNNError.unsupported("a clip to something else than numbers") }
      var spec = UnarySpec(.clip)
      (spec.low, spec.high) = (low, high)
      return .unary(spec)
    case "pad":
      let widths = (options["pad_width"] ?? options["paddings"])?.array?.map { $0.integers ?? [] } ?? []
      let isZero = options["constant_values"]?.double ?? 0 == 0
      guard widths.count == 3, widths[0] == [0, 0], widths[2] == [0, 0], widths[1].count == 2, isZero,
        options["mode"]?.string?.lowercased() ?? "constant" == "constant"
      else { throw RNNError.unsupported("padding with something else than zeros before and after the steps") }
      return .edges(EdgeSpec(before: widths[1][0], after: widths[1][1], isCropping: false))
    case "ones_like", "zeros_like":
      // 0 and 1 are the same in every type.
      _ = options["dtype"]
      var spec = BinarySpec(.multiply, constant: .init(shape: [], values: [0]))
      if request.name == "ones_like" { spec = BinarySpec(.power, constant: .init(shape: [], values: [0])) }
      return .binary(spec)
    case _: throw RNNError.unsupported("the operation '\(request.name)' is not supported")
    }
  }

  /// Other axes than the steps are turned round as slices are.
  private static func reversed(_ axes: [Int]) throws -> SliceSpec {
    let backwards = SliceSpec.Range(step: -1)
    if let last = axes.max(), last > 0, axes.allSatisfy({ $0 > 0 }) {
      return SliceSpec(ranges: (1...last).map { axes.contains($0) ? backwards : SliceSpec.Range() })
    }
    guard let first = axes.min(), axes.allSatisfy({ $0 < 0 }), first > -16 else {
      throw RNNError.unsupported("a reversal of the axes \(axes)")
    }
    return SliceSpec(ranges: [.ellipsis] + (first...(-1)).map { axes.contains($0) ? backwards : SliceSpec.Range() })
  }

  /// Keras 3's number of pieces, or the places to cut at; TensorFlow's number, or sizes.
  private static func pieces(_ request: Request) throws -> SplitSpec {
    let options = request.options
    let axis = options["axis"]?.integer ?? 0
    let stated = options["indices_or_sections"] ?? options["num_or_size_splits"]
    if let count = stated?.integer { return SplitSpec(axis: axis, count: count) }
    guard let numbers = stated?.integers, !numbers.isEmpty, numbers.allSatisfy((0...Int(Int32.max)).contains) else {
      throw RNNError.unsupported("a split into \(stated?.text() ?? "nothing")")
    }
    guard options["indices_or_sections"] == nil else { return SplitSpec(axis: axis, boundaries: numbers) }
    var (ends, end): ([Int], Int) = ([], 0)
    for size in numbers {
      (end, _) = end.addingReportingOverflow(size)
      ends.append(end)
    }
    return SplitSpec(axis: axis, boundaries: Array(ends.dropLast()))
  }

  private static func rearranged(_ request: Request) throws -> RearrangeSpec {
    let options = request.options
    func numbers(_ keys: String...) -> [Int]? {
      guard let value = keys.lazy.compactMap({ options[$0] }).first else { return nil }
      return value.integer.map { [$0] } ?? value.integers
    }
    if request.name == "tile" {
      guard let counts = numbers("repeats", "multiples"), counts.first == 1 else {
        throw RNNError.unsupported("a tile that repeats the batch")
      }
      let axes = counts.indices.filter { counts[$0] != 1 }
      return RearrangeSpec(.tile, axes: axes, counts: axes.map { counts[$0] })
    }
    guard let axes = numbers("axis"), let counts = numbers("shift", "repeats"), axes.count == counts.count else {
      throw RNNError.unsupported("\(request.name) over all axes, or a number of times that differs")
    }
    return RearrangeSpec(request.name == "roll" ? .roll : .repeat, axes: axes, counts: counts)
  }

  private static func permuted(_ request: Request) throws -> PermuteSpec {
    let options = request.options
    guard let rank = request.rank, rank <= 16 else { throw RNNError.unsupported("\(request.name) of any rank") }
    func place(_ value: JSONValue?) throws -> Int {
      guard let axis = value?.integer ?? value?.array.flatMap({ $0.count == 1 ? $0[0].integer : nil }),
        (-rank..<rank).contains(axis), axis != 0, axis != -rank
      else { throw RNNError.unsupported("\(request.name) of the axis \(value?.text() ?? "?")") }
      return axis < 0 ? axis + rank : axis
    }
    var order = Array(0..<rank)
    if request.name == "swapaxes" {
      order.swapAt(try place(options["axis1"]), try place(options["axis2"]))
    } else {
      let (from, to) = (try place(options["source"]), try place(options["destination"]))
      order.insert(order.remove(at: from), at: to)
    }
    return PermuteSpec(order: Array(order.dropFirst()))
  }

  /// A condition and two choices, each a tensor or a number.
  private static func selection(_ request: Request) throws -> SelectSpec {
    var choices: [KerasArgument] = Array(request.arguments.dropFirst())
    // TensorFlow passes numbers by name.
    if choices.count < 2, let first = request.options["x"] { choices.insert(.value(first), at: 0) }
    if choices.count < 2, let second = request.options["y"] { choices.append(.value(second)) }
    guard choices.count == 2, request.arguments.first?.tensor != nil else {
      throw RNNError.unsupported("where without two choices")
    }
    let numbers = choices.map { $0.value?.double }
    guard zip(choices, numbers).allSatisfy({ $0.tensor != nil || $1 != nil }) else {
      throw RNNError.unsupported("where with something else than tensors and numbers")
    }
    return SelectSpec(first: numbers[0], second: numbers[1])
  }

  /// `x[:, 1:3, -1]`: Keras 3's `__slice__` objects, or TensorFlow's `slice_spec`.
  private static func slice(_ request: Request) throws -> SliceSpec {
    let stated = request.options["slice_spec"] ?? (request.arguments.count > 1 ? request.arguments[1].value : nil)
    var items = stated?.array ?? stated.map { [$0] } ?? []
    func isWhole(_ item: JSONValue) -> Bool {
      let slice = item["config"] ?? item
      return slice.object != nil && ["start", "stop", "step"].allSatisfy { slice[$0]?.isNull ?? true }
        && !isEllipsis(item)
    }
    func isEllipsis(_ item: JSONValue) -> Bool { item["class_name"]?.string == "__ellipsis__" }
    guard let first = items.first, isWhole(first) || isEllipsis(first) else {
      throw RNNError.unsupported("a slice of the batch")
    }
    // An ellipsis takes the batch along with whatever it stands for.
    if !isEllipsis(first) { items.removeFirst() }
    return SliceSpec(
      ranges: try items.map { item in
        if let index = item.integer { return SliceSpec.Range(start: index, isIndex: true) }
        if item.isNull { return .newAxis }
        if isEllipsis(item) { return .ellipsis }
        let slice = item["config"] ?? item
        guard slice.object != nil, !isEllipsis(item) else {
          throw RNNError.unsupported("a slice with \(item.text())")
        }
        return SliceSpec.Range(
          start: slice["start"]?.integer, stop: slice["stop"]?.integer, step: slice["step"]?.integer ?? 1)
      })
  }
}

extension BinarySpec.Constant {
  /// A number, a list of such, or Keras 3's `__numpy__`.
  init?(keras value: JSONValue) {
    let plain = value["class_name"]?.string == "__numpy__" ? value["config"]?["value"] ?? .null : value
    var shape: [Int] = []
    var values: [Double] = []
    func flatten(_ value: JSONValue, _ depth: Int) -> Bool {
      if let number = value.double ?? value.bool.map({ $0 ? 1 : 0 }) {
        values.append(number)
        return depth == shape.count
      }
      guard let elements = value.array, depth < 8 else { return false }
      if shape.count == depth { shape.append(elements.count) }
      return shape[depth] == elements.count && elements.allSatisfy { flatten($0, depth + 1) }
    }
    guard flatten(plain, 0) else { return nil }
    self.init(shape: shape, values: values)
  }

  /// Lists in lists, one depth an axis.
  var json: JSONValue {
    func nested(_ shape: ArraySlice<Int>, _ values: ArraySlice<Double>) -> JSONValue {
      guard let size = shape.first else { return values.first.map(JSONValue.number) ?? .null }
      let step = size == 0 ? 0 : values.count / size
      return .array(
        (0..<size).map { index in
          let start = values.startIndex + index * step
          return nested(shape.dropFirst(), values[start..<start + step])
        })
    }
    return nested(shape[...], values[...])
  }
}
