import BigInt

/// Reads JSON text exactly (RFC 8259): integers of any size stay integers, `1.0` stays a float, keys keep their order.
///
/// Errors are `json/…` with the byte offset: a duplicate key, a trailing comma, a lone surrogate, invalid UTF-8, a
/// number out of a float's range, nesting past 1,000 levels.
public enum JSON {
    public static func parse(_ text: String) throws(Failure) -> Value {
        var text = text
        return try text.withUTF8 { parse($0, tags: false, references: nil) }.get()
    }

    public static func parse(_ bytes: [UInt8]) throws(Failure) -> Value {
        try parse(bytes, tags: false)
    }

    /// - Parameter tags: whether objects with a `_type` are the envelope's tagged values.
    static func parse(
        _ bytes: [UInt8], tags: Bool, references: ListedReferences? = nil
    ) throws(Failure) -> Value {
        try bytes.withUnsafeBufferPointer { parse($0, tags: tags, references: references) }.get()
    }

    private static func parse(
        _ bytes: UnsafeBufferPointer<UInt8>, tags: Bool, references: ListedReferences?
    ) -> Result<Value, Failure> {
        var parser = JSONParser(bytes, tags: tags, references: references)
        do throws(Failure) { return .success(try parser.document()) } catch { return .failure(error) }
    }
}

/// What makes it quick: the items of containers wait on one stack, so that each container is made at its size; and an
/// object whose keys are those of an earlier one shares them (`JSONShape`).
struct JSONParser: ~Copyable {
    let bytes: UnsafeBufferPointer<UInt8>
    var position = 0
    private let tags: Bool
    private let references: ListedReferences?
    private var level = 0
    /// Levels of nesting of the value that was read last.
    private var depth = 0
    private var stack = ValueStack()
    /// The last shape for each of some first keys.
    private var shapes = [JSONShape?](repeating: nil, count: 64)

    init(_ bytes: UnsafeBufferPointer<UInt8>, tags: Bool, references: ListedReferences? = nil) {
        self.bytes = bytes
        self.tags = tags
        self.references = references
    }

    mutating func document() throws(Failure) -> Value {
        skipSpace()
        let result = try value()
        skipSpace()
        guard position == bytes.count else { throw unexpected("the end of the text") }
        return result
    }

    private mutating func value() throws(Failure) -> Value {
        guard position < bytes.count else { throw unexpected("a value") }
        switch bytes[position] {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        default:
            depth = 0
            return try scalar()
        }
    }

    private mutating func scalar() throws(Failure) -> Value {
        switch bytes[position] {
        case UInt8(ascii: "\""): return .string(Text(try string()))
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw unexpected("a value")
        }
    }

    // MARK: Containers

    private mutating func array() throws(Failure) -> Value {
        try enter()
        let bottom = stack.count
        var deepest = 0
        if take(UInt8(ascii: "]")) { return .vector(leave(Items([], depth: 1))) }
        repeat {
            skipSpace()
            stack.push(try value())
            deepest = max(deepest, depth)
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw unexpected("a comma or ]") }
        return .vector(leave(Items(stack.take(from: bottom), depth: deepest + 1)))
    }

    private mutating func leave(_ items: Items) -> Items {
        level -= 1
        depth = items.depth
        return items
    }

    private mutating func object() throws(Failure) -> Value {
        try enter()
        if take(UInt8(ascii: "}")) { return try leave(Object([:], depth: 1)) }
        let bottom = stack.count
        let slot = JSONShape.slot(bytes, position)
        guard let shape = shapes[slot] else { return try object(after: 0, of: nil, bottom, 0, slot) }
        var deepest = 0
        var index = 0
        while index < shape.keys.count, shape.matches(index, bytes, position) {
            position += shape.keys[index].count
            try colon()
            stack.push(try value())
            deepest = max(deepest, depth)
            index += 1
            skipSpace()
            if take(UInt8(ascii: ",")) {
                skipSpace()
                continue
            }
            guard take(UInt8(ascii: "}")) else { throw unexpected("a comma or }") }
            guard index == shape.keys.count else {
                return try object(of: shape.firstEntries(index, stack.take(from: bottom)), deepest)
            }
            return try leave(Object(stack.take(from: bottom, into: shape.entries()), depth: deepest + 1))
        }
        return try object(after: index, of: shape, bottom, deepest, slot)
    }

    /// The rest of an object whose first keys are a shape's, their values on the stack.
    private mutating func object(
        after count: Int, of shape: JSONShape?, _ bottom: Int, _ depthBefore: Int, _ slot: Int
    ) throws(Failure) -> Value {
        var deepest = depthBefore
        var keys = shape.map { Array($0.keys[..<count]) } ?? []
        var entries = shape?.firstEntries(count, stack.take(from: bottom)) ?? [:]
        repeat {
            skipSpace()
            let start = position
            guard peek == UInt8(ascii: "\"") else { throw unexpected("a key in quotes") }
            let key = try string()
            keys.append(start..<position)
            try colon()
            if entries.updateValue(try value(), forKey: Key(key)) != nil {
                throw failure("json/duplicate", "duplicate key \(Printer.quoted(key))", at: start)
            }
            deepest = max(deepest, depth)
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw unexpected("a comma or }") }
        if keys.count <= JSONShape.limit { shapes[slot] = JSONShape(keys, entries) }
        return try object(of: entries, deepest)
    }

    private mutating func object(of entries: Object.Entries, _ deepest: Int) throws(Failure) -> Value {
        try leave(Object(entries, depth: deepest + 1))
    }

    private mutating func leave(_ object: Object) throws(Failure) -> Value {
        level -= 1
        depth = object.depth
        guard tags, object.entries["_type"] != nil else { return .object(object) }
        let value = try Envelope.untag(object, references)
        depth = value.depth
        return value
    }

    private mutating func colon() throws(Failure) {
        skipSpace()
        guard take(UInt8(ascii: ":")) else { throw unexpected("a colon after the key") }
        skipSpace()
    }

    /// Steps over the bracket and the space behind it.
    private mutating func enter() throws(Failure) {
        position += 1
        level += 1
        if level > Nesting.limit {
            throw failure("json/depth", "nests deeper than \(Nesting.limit) levels", at: position - 1)
        }
        skipSpace()
    }

    // MARK: Numbers and words

    private mutating func number() throws(Failure) -> Value {
        let start = position
        _ = take(UInt8(ascii: "-"))
        let digits = position
        skipDigits()
        guard position > digits, bytes[digits] != UInt8(ascii: "0") || position == digits + 1 else {
            throw failure("json/number", "malformed number", at: start)
        }
        let isInteger = try !fractionAndExponent(at: start)
        let text = UnsafeBufferPointer(rebasing: bytes[start..<position])
        return isInteger ? Numeral.integer(text) : try Numeral.double(text, at: start)
    }

    /// Skips what makes a number a float and says whether there was any.
    private mutating func fractionAndExponent(at start: Int) throws(Failure) -> Bool {
        let before = position
        if take(UInt8(ascii: ".")) {
            let digits = position
            skipDigits()
            guard position > digits else { throw failure("json/number", "a digit must follow the point", at: start) }
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            position += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
            let digits = position
            skipDigits()
            guard position > digits else { throw failure("json/number", "a digit must follow the e", at: start) }
        }
        return position > before
    }

    private mutating func word(_ text: StaticString, _ value: Value) throws(Failure) -> Value {
        let count = text.utf8CodeUnitCount
        guard position + count <= bytes.count else { throw unexpected("a value") }
        for index in 0..<count where bytes[position + index] != text.utf8Start[index] { throw unexpected("a value") }
        position += count
        return value
    }

    private mutating func skipSpace() {
        // In compact text there is none.
        guard position < bytes.count, bytes[position] <= 0x20 else { return }
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private mutating func skipDigits() {
        while position < bytes.count, bytes[position] &- UInt8(ascii: "0") < 10 { position += 1 }
    }

    mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        position += 1
        return true
    }

    var peek: UInt8? {
        position < bytes.count ? bytes[position] : nil
    }

    func unexpected(_ wanted: String) -> Failure {
        guard position < bytes.count else {
            return failure("json/syntax", "the text ends where \(wanted) is wanted", at: position)
        }
        let given = Printer.sanitized(String(decoding: [bytes[position]], as: UTF8.self))
        return failure("json/syntax", "expected \(wanted), got \(given)", at: position)
    }

    func failure(_ code: String, _ message: String, at offset: Int) -> Failure {
        Failure(code, "\(message) (offset \(offset))", span: nil)
    }
}
