import BigInt
import OrderedCollections

/// A datum of the meta language: 16 bytes, an immediate or one reference.
///
/// Values are values: the boxes behind references are never changed once a second reference exists. `()`, `nil` and
/// `null` are `.null`; an integer that fits a word is always `.int`, never `.big`.
public enum Value {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case big(BigInteger)
    case string(Text)
    case symbol(Symbol)
    case keyword(Symbol)
    case list(Items)
    case vector(Items)
    case object(Object)
    case function(Function)
    case error(Diagnostic)
    case tagged(Tagged)
    case meta(MetaObject)
    /// A variable that closures share; lives in the machine's stack only, never in data.
    case cell(Cell)

    public static func text(_ string: String) -> Value {
        .string(Text(string))
    }

    /// An integer of any size in its one form.
    public static func integer(_ value: BigInt) -> Value {
        if let small = Int(exactly: value) { return .int(small) }
        return .big(BigInteger(value))
    }

    public static func name(_ string: String) -> Value {
        .symbol(Symbol(string))
    }
}

/// An integer that does not fit a word.
public final class BigInteger {
    public let value: BigInt

    public init(_ value: BigInt) {
        self.value = value
    }
}

/// A string. `isJSON` marks what `json.stringify` made: a string to everything but `eval-in`, which delivers its value.
public final class Text {
    public let string: String
    public let isJSON: Bool

    public init(_ string: String, isJSON: Bool = false) {
        self.string = string
        self.isJSON = isJSON
    }
}

/// A symbol's or keyword's name. `isData` marks a symbol that a caller handed to a meta-level function: evaluating the
/// code that function returns gives the symbol itself.
public final class Symbol {
    public let name: String
    public let isData: Bool

    public init(_ name: String, isData: Bool = false) {
        self.name = name
        self.isData = isData
    }
}

/// The items of a list or vector, with where they were read. `depth` counts levels of nesting, 1 for a flat one.
public final class Items {
    public var elements: [Value]
    public let origin: Origin?
    public let isData: Bool
    public private(set) var depth: Int

    public init(_ elements: [Value], origin: Origin? = nil, isData: Bool = false) {
        self.elements = elements
        self.origin = origin
        self.isData = isData
        self.depth = Nesting.depth(over: elements)
    }

    /// - Parameter depth: what is known of the items' nesting.
    init(_ elements: [Value], depth: Int) {
        self.elements = elements
        origin = nil
        isData = false
        self.depth = depth
    }

    /// Appends in place. Only for a box that the caller alone holds.
    public func append(_ value: Value) {
        elements.append(value)
        depth = max(depth, value.depth + 1)
    }

    /// Replaces an item in place. Only for a box that the caller alone holds.
    public func replace(at index: Int, with value: Value) {
        elements[index] = value
        depth = max(depth, value.depth + 1)
    }
}

/// An object: string keys in insertion order.
public final class Object {
    public typealias Entries = OrderedDictionary<Key, Value>

    public private(set) var entries: Entries
    public let origin: Origin?
    public private(set) var depth: Int

    public init(_ entries: Entries, origin: Origin? = nil) {
        self.entries = entries
        self.origin = origin
        self.depth = Nesting.depth(over: entries.values)
    }

    /// - Parameter depth: what is known of the values' nesting.
    init(_ entries: Entries, depth: Int) {
        self.entries = entries
        origin = nil
        self.depth = depth
    }

    public subscript(_ key: String) -> Value? {
        entries[Key(key)]
    }

    /// Sets a key in place. Only for a box that the caller alone holds.
    public func set(_ key: String, _ value: Value) {
        entries[Key(key)] = value
        depth = max(depth, value.depth + 1)
    }
}

/// A value whose type meta carries without having it: the envelope's tag and fields, unchanged.
public final class Tagged {
    public let type: String
    public let fields: Object
    /// The bytes of a `Bytes`, worked out once; nil for any other tag.
    public private(set) lazy var bytes: [UInt8]? = decodedBytes()
    /// Where each item of a `Set` and each key of a `Map` stands, worked out once.
    public private(set) lazy var places: [ValueKey: Int] = itemPlaces()
    /// One text for all spellings of an equal date, decimal and so on; nil where the fields say it all.
    private(set) lazy var canonical: String? = canonicalText()

    public init(type: String, fields: Object) {
        self.type = type
        self.fields = fields
    }
}

/// A captured variable that is assigned to.
public final class Cell {
    public var value: Value

    public init(_ value: Value) {
        self.value = value
    }
}

/// What can be called. The evaluator has the kinds.
open class Function {
    public let name: String
    /// The shape of a call, as arity errors and `doc` show it: `(map f xs)`.
    public let signature: String
    /// Which kind it is, so that a call needs no cast to find out.
    public let kind: Kind

    public enum Kind: Sendable {
        /// Bytecode.
        case closure
        /// A function over data in Swift.
        case builtin
        /// A function in Swift that may call, suspend or be a path's root.
        case control
    }

    public init(name: String, signature: String, kind: Kind) {
        self.name = name
        self.signature = signature
        self.kind = kind
    }

    /// How it is printed; safe to show.
    open var form: String { "#<function \(Printer.sanitized(signature))>" }
}

/// Nesting of data is capped so that every walk over a value (printing, comparing, freeing) can recurse.
public enum Nesting {
    public static let limit = 1_000

    static func depth(over values: some Sequence<Value>) -> Int {
        var deepest = 0
        for value in values { deepest = max(deepest, value.depth) }
        return deepest + 1
    }

    public static func check(_ depth: Int) throws(Failure) {
        guard depth <= limit else {
            throw Failure("eval/depth", "data nests deeper than \(limit) levels")
        }
    }
}

extension Value {
    /// Levels of nesting: 0 for an atom.
    public var depth: Int {
        switch self {
        case .list(let items), .vector(let items): items.depth
        case .object(let object): object.depth
        case .tagged(let tagged): tagged.fields.depth + 1
        case .meta(let meta): meta.depth
        case .error(let error): error.depth
        case .null, .bool, .int, .double, .big, .string, .symbol, .keyword, .function, .cell: 0
        }
    }
}
