import BigInt
import Language

/// The arguments of a call of a Swift function: values on the machine's stack, read as data.
///
/// Reading an argument as data looks through a MetaObject and notes it as a parent of the result.
public struct Arguments {
    /// Safety: points into the fiber's stack, which the call leaves in place while the function runs.
    private let base: UnsafeMutablePointer<Value>
    public let count: Int
    /// Bit i: argument i was written as a literal keyword in the call.
    public let literalKeywords: UInt64
    /// The ledger numbers of the MetaObjects that were looked at.
    public internal(set) var parents: [Int] = []
    /// Set with the error when a remote object stands where the function takes data.
    var want: Want?
    let function: Function

    init(base: UnsafeMutablePointer<Value>, count: Int, literalKeywords: UInt64 = 0, function: Function) {
        self.base = base
        self.count = count
        self.literalKeywords = literalKeywords
        self.function = function
    }

    /// The argument as it is, a MetaObject or not.
    public subscript(index: Int) -> Value {
        base[index]
    }

    public var all: [Value] {
        Array(UnsafeBufferPointer(start: base, count: count))
    }

    public func from(_ index: Int) -> [Value] {
        index < count ? Array(UnsafeBufferPointer(start: base + index, count: count - index)) : []
    }

    /// The value behind a MetaObject, which becomes a parent of the result.
    public mutating func look(_ value: Value) throws(Failure) -> Value {
        guard case .meta(let meta) = value else { return value }
        if parents.count < 64, parents.last != meta.number { parents.append(meta.number) }
        return try meta.data()
    }

    /// Argument `index` as data.
    public mutating func data(_ index: Int) throws(Failure) -> Value {
        try look(base[index])
    }

    /// The data of argument `index` when there is one.
    public mutating func optional(_ index: Int) throws(Failure) -> Value? {
        index < count ? try look(base[index]) : nil
    }

    /// The error for an argument of the wrong kind: what is allowed, what was given.
    public func wrong(_ index: Int, _ allowed: String) -> Failure {
        Failure(
            "eval/type",
            "\(function.name) takes \(allowed) as argument \(index + 1), got \(Describe.short(base[index]))",
            help: "its shape is \(function.signature)")
    }

    // MARK: Kinds

    public mutating func integer(_ index: Int) throws(Failure) -> Int {
        switch try data(index) {
        case .int(let int): return int
        case .double(let double):
            guard let int = Int(exactly: double) else { throw wrong(index, "an integer") }
            return int
        default: throw wrong(index, "an integer")
        }
    }

    public mutating func double(_ index: Int) throws(Failure) -> Double {
        guard let double = Arithmetic.double(try data(index)) else {
            try operate()
            throw wrong(index, "a number")
        }
        return double
    }

    public mutating func number(_ index: Int) throws(Failure) -> Value {
        let value = try data(index)
        switch value {
        case .int, .double, .big: return value
        case .function:
            try operate()
            throw wrong(index, "a number")
        default: throw wrong(index, "a number")
        }
    }

    /// A string; a symbol or keyword counts as its name.
    public mutating func string(_ index: Int) throws(Failure) -> String {
        guard let text = try data(index).nameText else { throw wrong(index, "a string") }
        return text
    }

    public mutating func items(_ index: Int) throws(Failure) -> [Value] {
        switch try collection(index) {
        case .null: return []
        case .list(let items), .vector(let items): return items.elements
        default: throw wrong(index, "a vector or list")
        }
    }

    /// The items of a collection: a vector's, a list's, a string's characters, an object's `[key value]` pairs.
    public mutating func sequence(_ index: Int) throws(Failure) -> [Value] {
        let value = try collection(index)
        guard let items = Collections.items(value) else { throw wrong(index, "a collection") }
        return items
    }

    public mutating func object(_ index: Int) throws(Failure) -> Object {
        guard case .object(let object) = try content(index) else { throw wrong(index, "an object") }
        return object
    }

    public func callable(_ index: Int) throws(Failure) -> Value {
        guard case .function = try base[index].unwrapped() else { throw wrong(index, "a function") }
        return base[index]
    }
}

/// How errors speak of a value.
public enum Describe {
    /// The value's form, cut to about 40 characters.
    public static func short(_ value: Value) -> String {
        Printer.text(value, limit: 40)
    }

    /// The kind of a value, as `(type x)` names it.
    public static func kind(_ value: Value) -> String {
        switch value {
        case .null: "null"
        case .bool: "boolean"
        case .int, .big: "integer"
        case .double: "float"
        case .string: "string"
        case .symbol: "symbol"
        case .keyword: "keyword"
        case .list: "list"
        case .vector: "vector"
        case .object: "object"
        case .function(let function): (function as? RemoteObject)?.kindName ?? "function"
        case .error: "error"
        case .tagged(let tagged): tagged.tag?.kind ?? tagged.type
        case .meta(let meta): (try? meta.data()).map(kind) ?? "unreadable"
        case .cell: "cell"
        }
    }
}

extension Describe {
    /// What the ledger keeps of a value: a scalar's form, a collection's size.
    public static func summary(_ value: Value) -> String {
        switch value {
        case .list(let items), .vector(let items):
            items.elements.count <= 8 ? short(value) : "[\(items.elements.count) items]"
        case .object(let object): object.entries.count <= 4 ? short(value) : "{\(object.entries.count) keys}"
        default: short(value)
        }
    }
}
