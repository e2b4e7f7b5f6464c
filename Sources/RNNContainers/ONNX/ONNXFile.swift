import Foundation
import RNNCore

/// An `.onnx` file: the messages of `onnx.proto` that a graph of ours is made of, by their field numbers.
public enum ONNXFile {
  /// - Throws: `badData` for damage, `unsupported` for functions, training graphs, sparse or external weights.
  public static func model(parsing data: Data) throws -> ONNXModel {
    var model = ONNXModel(
      irVersion: 0, operatorSets: [:], producer: "",
      graph: ONNXGraph(name: "", nodes: [], initializers: [:], inputs: [], outputs: []))
    var hasGraph = false
    var reader = ProtobufReader(data)
    while let (number, value) = try reader.next() {
      switch number {
      case 1: model.irVersion = try value.integer()
      case 2: model.producer = try value.text()
      case 7:
        guard !hasGraph else { throw ProtobufReader.damaged("there are two graphs") }
        hasGraph = true
        model.graph = try graph(try value.data())
      case 8:
        let (domain, version) = try operatorSet(try value.data())
        // The standard set has two names.
        model.operatorSets[domain == "ai.onnx" ? "" : domain] = version
      case 20: throw unsupported("a training graph")
      case 25: throw unsupported("functions of its own")
      default: break
      }
    }
    guard hasGraph else {
      throw RNNError.badData("the file holds no graph", remedy: "Fetch or save the file again.")
    }
    return model
  }

  private static func unsupported(_ what: String) -> RNNError {
    .unsupported("the ONNX file holds \(what), which is not carried")
  }

  private static func operatorSet(_ data: Data) throws -> (String, Int) {
    var (domain, version) = ("", 0)
    var reader = ProtobufReader(data)
    while let (number, value) = try reader.next() {
      if number == 1 { domain = try value.text() }
      if number == 2 { version = try value.integer() }
    }
    return (domain, version)
  }

  private static func graph(_ data: Data) throws -> ONNXGraph {
    var graph = ONNXGraph(name: "", nodes: [], initializers: [:], inputs: [], outputs: [])
    var reader = ProtobufReader(data)
    while let (number, value) = try reader.next() {
      switch number {
      case 1: graph.nodes.append(try node(try value.data()))
      case 2: graph.name = try value.text()
      case 5:
        let (name, tensor) = try ONNXTensor.tensor(try value.data())
        guard graph.initializers.updateValue(tensor, forKey: name) == nil else {
          throw RNNError.badData("the weight '\(name)' stands twice")
        }
      case 11: graph.inputs.append(try self.value(try value.data()))
      case 12: graph.outputs.append(try self.value(try value.data()))
      case 15: throw unsupported("sparse weights")
      default: break
      }
    }
    return graph
  }

  private static func node(_ data: Data) throws -> ONNXGraph.Node {
    var node = ONNXGraph.Node(name: "", operation: "", inputs: [], outputs: [])
    var reader = ProtobufReader(data)
    while let (number, value) = try reader.next() {
      switch number {
      case 1: node.inputs.append(try value.text())
      case 2: node.outputs.append(try value.text())
      case 3: node.name = try value.text()
      case 4: node.operation = try value.text()
      case 5:
        let (name, attribute) = try attribute(try value.data())
        node.attributes[name] = attribute
      case 7:
        let domain = try value.text()
        node.domain = domain == "ai.onnx" ? "" : domain
      default: break
      }
    }
    return node
  }

  private static func attribute(_ data: Data) throws -> (String, ONNXGraph.Attribute) {
    var (name, kind) = ("", 0)
    var float: Double?
    var integer: Int?
    var text: Data?
    var tensor: Tensor?
    var floats: [Double] = []
    var integers: [Int] = []
    var texts: [String] = []
    var isOther = false
    var reader = ProtobufReader(data)
    while let (number, value) = try reader.next() {
      switch number {
      case 1: name = try value.text()
      case 2: float = try value.float()
      case 3: integer = try value.integer()
      case 4: text = try value.data()
      case 5: tensor = try ONNXTensor.tensor(try value.data()).tensor
      case 6, 10, 11: isOther = true
      case 7: floats += try Tensor(dtype: .float32, bytes: try value.fixedBytes()).doubles()
      case 8: integers += try value.integers()
      case 9: texts.append(String(decoding: try value.data(), as: UTF8.self))
      case 20: kind = try value.integer()
      default: break
      }
    }
    if isOther { return (name, .other) }
    // Files of the first version do not state the kind.
    switch kind {
    case 1: return (name, .float(float ?? 0))
    case 2: return (name, .integer(integer ?? 0))
    case 3: return (name, .string(String(decoding: text ?? Data(), as: UTF8.self)))
    case 4: return (name, tensor.map(ONNXGraph.Attribute.tensor) ?? .other)
    case 6: return (name, .floats(floats))
    case 7: return (name, .integers(integers))
    case 8: return (name, .strings(texts))
    case 0:
      if let float { return (name, .float(float)) }
      if let integer { return (name, .integer(integer)) }
      if let text { return (name, .string(String(decoding: text, as: UTF8.self))) }
      if let tensor { return (name, .tensor(tensor)) }
      if !floats.isEmpty { return (name, .floats(floats)) }
      return (name, texts.isEmpty ? .integers(integers) : .strings(texts))
    default: return (name, .other)
    }
  }

  private static func value(_ data: Data) throws -> ONNXGraph.Value {
    var result = ONNXGraph.Value(name: "", dtype: nil, shape: nil)
    var reader = ProtobufReader(data)
    while let (number, value) = try reader.next() {
      if number == 1 { result.name = try value.text() }
      guard number == 2 else { continue }
      // TypeProto: tensor_type is field 1; sequences and maps have other numbers.
      var type = ProtobufReader(try value.data())
      while let (kind, inner) = try type.next() {
        guard kind == 1 else { continue }
        var tensor = ProtobufReader(try inner.data())
        while let (field, part) = try tensor.next() {
          if field == 1 { result.dtype = ONNXTensor.dtypes[try part.integer()] }
          if field == 2 { result.shape = try shape(try part.data()) }
        }
      }
    }
    return result
  }

  private static func shape(_ data: Data) throws -> [ONNXGraph.Dimension] {
    var dimensions: [ONNXGraph.Dimension] = []
    var reader = ProtobufReader(data)
    while let (number, value) = try reader.next() {
      guard number == 1 else { continue }
      var dimension = ONNXGraph.Dimension.free
      var inner = ProtobufReader(try value.data())
      while let (field, part) = try inner.next() {
        if field == 1 {
          let size = try part.integer()
          // Old exporters write 0 or -1 for what is free.
          if size > 0 { dimension = .size(size) }
        }
        if field == 2 {
          let name = try part.text()
          if !name.isEmpty { dimension = .named(name) }
        }
      }
      dimensions.append(dimension)
    }
    return dimensions
  }
}
