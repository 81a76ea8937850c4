import BigInt
import Language

/// How large the library lets a result grow: past that is an error, not a machine without memory.
public enum Limit {
    /// Items of a collection.
    public static let items = 10_000_000
    /// Bytes of a text.
    public static let bytes = 100_000_000
    /// Bits of an integer that a power or a shift makes.
    public static let bits = 1_000_000
    /// Digits of a text that is read as a number.
    public static let digits = 300_000

    public static func check(_ size: Int, _ limit: Int, _ noun: String) throws(Failure) {
        guard size <= limit else { throw Failure("eval/size", "the result would have more than \(limit) \(noun)") }
    }

    /// Refuses a result that a few more steps like this one would make larger than memory.
    static func check(_ result: Value) throws(Failure) {
        switch result {
        case .string(let text): try check(text.string.utf8.count, bytes, "bytes")
        case .vector(let sequence), .list(let sequence): try check(sequence.elements.count, items, "items")
        default: break
        }
    }

    /// The product of two sizes, as far as it stays under the limit.
    static func product(_ a: Int, _ b: Int, _ limit: Int, _ noun: String) throws(Failure) -> Int {
        let (size, overflow) = max(0, a).multipliedReportingOverflow(by: max(0, b))
        try check(overflow ? .max : size, limit, noun)
        return size
    }
}

extension Machine {
    /// Registers a documented function over data.
    public func add(
        _ signature: String, _ arity: ClosedRange<Int>, _ text: String, _ examples: String...,
        lineage: Builtin.Lineage = .computes, body: @escaping Builtin.Body
    ) {
        register(
            Builtin(
                signature, arity: arity, lineage: lineage, documentation: Documentation(text, examples: examples),
                body: body))
    }
}

/// An ordered collection that is cut and put together again: a string stays a string, bytes stay bytes, all else becomes
/// a vector.
enum Stretch {
    case scalars([Unicode.Scalar])
    case bytes([UInt8])
    case items([Value])

    var count: Int {
        switch self {
        case .scalars(let scalars): scalars.count
        case .bytes(let bytes): bytes.count
        case .items(let items): items.count
        }
    }

    /// The part between two places in 0…count.
    func part(_ range: Range<Int>) -> Value {
        switch self {
        case .scalars(let scalars): .text(scalars[range].text)
        case .bytes(let bytes): .bytes(Array(bytes[range]))
        case .items(let items): .vector(Items(Array(items[range])))
        }
    }

    var reversed: Value {
        switch self {
        case .scalars(let scalars): .text(scalars.reversed().text)
        case .bytes(let bytes): .bytes(bytes.reversed())
        case .items(let items): .vector(Items(items.reversed()))
        }
    }

    /// The item at a place, from the end when negative; null where there is none.
    func item(_ place: Int) -> Value {
        let place = place < 0 ? count + place : place
        guard place >= 0, place < count else { return .null }
        switch self {
        case .scalars(let scalars): return .text(String(scalars[place]))
        case .bytes(let bytes): return .int(Int(bytes[place]))
        case .items(let items): return items[place]
        }
    }
}

extension Sequence<Unicode.Scalar> {
    var text: String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: self)
        return String(view)
    }
}

extension Arguments {
    /// - Parameter limit: how many items at most are needed of an object that stays with its runtime.
    mutating func stretch(_ index: Int, atMost limit: Int = Limit.items + 1) throws(Failure) -> Stretch {
        let value = try collection(index, atMost: limit)
        if case .string(let text) = value { return .scalars(Array(text.string.unicodeScalars)) }
        if case .tagged(let tagged) = value, let bytes = tagged.bytes { return .bytes(bytes) }
        guard let items = Collections.items(value) else { throw wrong(index, "a collection") }
        return .items(items)
    }

    /// A number and a collection, in either order: the index of the number.
    mutating func numberPlace() throws(Failure) -> Int {
        switch try data(0) {
        case .int, .double, .big: 0
        default: 1
        }
    }

    /// A count: an integer, of which only how far it reaches matters; negative is none.
    mutating func size(_ index: Int) throws(Failure) -> Int {
        if case .big(let big) = try data(index) { return big.value.sign == .minus ? 0 : .max }
        return max(0, try integer(index))
    }

    /// An exact integer of any size.
    public mutating func bigInteger(_ index: Int) throws(Failure) -> BigInt {
        let value = try data(index)
        if let integer = Arithmetic.integer(value) { return integer }
        if case .double(let double) = value, let integer = BigInt(exactly: double) { return integer }
        throw wrong(index, "an integer")
    }

    /// The text of a string itself: a name is none.
    public mutating func onlyString(_ index: Int) throws(Failure) -> String {
        guard case .string(let text) = try data(index) else { throw wrong(index, "a string") }
        return text.string
    }

    /// The numbers of a collection.
    mutating func numbers(_ index: Int) throws(Failure) -> [Value] {
        var numbers: [Value] = []
        for item in try sequence(index) {
            let number = try look(item)
            guard Arithmetic.double(number) != nil else { throw wrong(index, "a collection of numbers") }
            numbers.append(number)
        }
        return numbers
    }
}
