import BigInt

extension Value {
    /// `=`: deep and by value. Integers and floats compare exactly, true ≠ 1, NaN equals nothing; a symbol, keyword and
    /// string of one text are equal, a list and vector of equal items too; an object's order does not count.
    public static func equal(_ left: Value, _ right: Value) throws(Failure) -> Bool {
        switch (left, right) {
        case (.meta(let meta), _): return try equal(try meta.data(), right)
        case (_, .meta(let meta)): return try equal(left, try meta.data())
        case (.null, .null): return true
        case (.bool(let a), .bool(let b)): return a == b
        case (.list(let a), .list(let b)), (.list(let a), .vector(let b)), (.vector(let a), .list(let b)),
            (.vector(let a), .vector(let b)):
            return try equal(a, b)
        case (.object(let a), .object(let b)): return try equal(a, b)
        case (.tagged(let a), .tagged(let b)): return try equal(a, b)
        case (.function(let a), .function(let b)): return a === b
        case (.error(let a), .error(let b)): return try equal(a, b)
        default: break
        }
        if let order = Number.compare(left, right) { return order == .equal }
        if let a = left.nameText, let b = right.nameText { return Key(a) == Key(b) }
        return false
    }

    private static func equal(_ a: Items, _ b: Items) throws(Failure) -> Bool {
        guard a !== b else { return try a.elements.allSatisfyEqual(b.elements) }
        guard a.elements.count == b.elements.count else { return false }
        return try a.elements.allSatisfyEqual(b.elements)
    }

    private static func equal(_ a: Object, _ b: Object) throws(Failure) -> Bool {
        guard a.entries.count == b.entries.count else { return false }
        for (key, value) in a.entries {
            guard let other = b.entries[key], try equal(value, other) else { return false }
        }
        return true
    }

    /// Errors are what they say, wherever they happened.
    private static func equal(_ a: Diagnostic, _ b: Diagnostic) throws(Failure) -> Bool {
        if a === b { return true }
        guard Key(a.code) == Key(b.code), Key(a.type) == Key(b.type), Key(a.message) == Key(b.message),
            try equal(a.data, b.data)
        else { return false }
        return try equal(a.cause, b.cause)
    }

    /// `identical?`: equal, and of one kind at every level: `1` and `1.0` differ, `"a"` and `:a` too, `0.0` and `-0.0`.
    public static func identical(_ left: Value, _ right: Value) throws(Failure) -> Bool {
        let (left, right) = (try left.unwrapped(), try right.unwrapped())
        switch (left, right) {
        case (.int(let a), .int(let b)): return a == b
        case (.big(let a), .big(let b)): return a.value == b.value
        case (.double(let a), .double(let b)): return a.bitPattern == b.bitPattern || (a.isNaN && b.isNaN)
        case (.string(let a), .string(let b)): return a.string.utf8.elementsEqual(b.string.utf8)
        case (.symbol(let a), .symbol(let b)), (.keyword(let a), .keyword(let b)): return a.name == b.name
        case (.list(let a), .list(let b)), (.vector(let a), .vector(let b)):
            guard a.elements.count == b.elements.count else { return false }
            for (x, y) in zip(a.elements, b.elements) where try !identical(x, y) { return false }
            return true
        case (.object(let a), .object(let b)): return try identical(a, b)
        case (.tagged(let a), .tagged(let b)): return try identical(a, b)
        case (.null, .null), (.bool, .bool), (.function, .function), (.error, .error): return try equal(left, right)
        default: return false
        }
    }

    private static func identical(_ a: Object, _ b: Object) throws(Failure) -> Bool {
        guard Array(a.entries.keys) == Array(b.entries.keys) else { return false }
        for (x, y) in zip(a.entries.values, b.entries.values) where try !identical(x, y) { return false }
        return true
    }

    /// The text of a string, symbol or keyword: what is one object key.
    public var nameText: String? {
        switch self {
        case .string(let text): text.string
        case .symbol(let symbol), .keyword(let symbol): symbol.name
        default: nil
        }
    }

    /// Every value is true but false, null, `""`, NaN, any zero, and a runtime's undefined.
    public var isTrue: Bool {
        get throws(Failure) {
            switch self {
            case .null: false
            case .bool(let flag): flag
            case .int(let int): int != 0
            case .double(let double): double != 0 && !double.isNaN
            case .string(let text): !text.string.isEmpty
            case .meta(let meta): try meta.data().isTrue
            case .cell(let cell): try cell.value.isTrue
            case .tagged(let tagged): tagged.tag != .undefined && !tagged.isZero
            case .big, .symbol, .keyword, .list, .vector, .object, .function, .error: true
            }
        }
    }
}

extension [Value] {
    fileprivate func allSatisfyEqual(_ other: [Value]) throws(Failure) -> Bool {
        for index in indices where try !Value.equal(self[index], other[index]) { return false }
        return true
    }
}

/// Comparing numbers of any kind exactly.
public enum Number {
    public enum Order {
        case less, equal, greater, unordered
    }

    /// Nil when one of the two is not a number; `.unordered` when one is NaN.
    public static func compare(_ left: Value, _ right: Value) -> Order? {
        switch (left, right) {
        case (.int(let a), .int(let b)): order(a, b)
        case (.double(let a), .double(let b)): a.isNaN || b.isNaN ? .unordered : order(a, b)
        case (.int(let a), .double(let b)): compare(BigInt(a), b)
        case (.double(let a), .int(let b)): compare(BigInt(b), a).map(reversed)
        case (.big(let a), .big(let b)): order(a.value, b.value)
        case (.big(let a), .int(let b)): order(a.value, BigInt(b))
        case (.int(let a), .big(let b)): order(BigInt(a), b.value)
        case (.big(let a), .double(let b)): compare(a.value, b)
        case (.double(let a), .big(let b)): compare(b.value, a).map(reversed)
        default: nil
        }
    }

    private static func compare(_ integer: BigInt, _ double: Double) -> Order? {
        if double.isNaN { return .unordered }
        if double.isInfinite { return double < 0 ? .greater : .less }
        let floor = double.rounded(.down)
        let whole = BigInt(exactly: floor) ?? 0
        let result = order(integer, whole)
        return result == .equal && floor != double ? .less : result
    }

    private static func order<T: Comparable>(_ a: T, _ b: T) -> Order {
        a < b ? .less : a == b ? .equal : .greater
    }

    private static func reversed(_ order: Order) -> Order {
        switch order {
        case .less: .greater
        case .greater: .less
        case .equal, .unordered: order
        }
    }
}
