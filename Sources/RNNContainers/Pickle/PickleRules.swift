import Foundation

/// What one use allows a pickle to name, and how large it may be.
public struct PickleRules: Sendable {
  /// What becomes of a name when the pickle calls it.
  public enum Role: Sendable, Equatable {
    /// It may be mentioned (`int`, as a default dictionary's factory), and is never called.
    case mention
    /// A call gives an inert record: the name, the arguments, the state.
    case record
    /// `collections.OrderedDict`: a call gives a dictionary, filled from the pairs it is given.
    case orderedDictionary
    /// `collections.defaultdict`: a call gives an empty dictionary; the factory is forgotten.
    case defaultDictionary
    /// `copy_reg._reconstructor`, how protocols 0 and 1 make an instance: a call gives a record of its first argument.
    case reconstructor
    /// `set`, `frozenset`: a call gives the set of a list.
    case set
    /// A class that nothing is known of, where the rules keep such: an instance that is made without a call of its own
    /// code (NEWOBJ) is a record; anything else that is asked of it is refused.
    case unknownClass
  }

  /// Every name that may stand in the pickle.
  public var globals: [PickleGlobal: Role]
  /// What is expected, for messages: "a Keras Tokenizer".
  public var purpose: String
  /// What to do about a pickle of something else.
  public var remedy: String?
  /// Whether instances of classes that are not listed are kept as records of their fields.
  public var keepsUnknownClasses = false
  /// Whether the pickle may refer to objects outside itself: PyTorch's storages.
  public var allowsPersistentIDs = false
  /// Values pushed onto the stack; each takes some 30 bytes at most.
  public var maximumValues = 10_000_000
  /// Lists, tuples, dictionaries, sets and records; each takes some 100 bytes at most.
  public var maximumObjects = 1_000_000
  /// Values of the result, shared parts counted wherever they stand: for a reader that walks through all of it.
  public var maximumVisits = Int.max
  /// How deeply the result may nest.
  public var maximumDepth = 64

  public init(globals: [PickleGlobal: Role], purpose: String, remedy: String? = nil) {
    self.globals = globals
    self.purpose = purpose
    self.remedy = remedy
  }
}
