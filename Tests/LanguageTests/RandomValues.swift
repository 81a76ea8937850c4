import BigInt
import Language
import OrderedCollections
import Properties

/// Random values: what the reader can give, and what JSON can hold.
struct RandomValues {
    private var random: Randomness

    init(seed: UInt64) {
        random = Randomness(seed: seed)
    }

    mutating func form(_ depth: Int = 4) -> Value {
        guard depth > 0, !random.chance(3) else { return atom() }
        switch random.below(7) {
        case 0: return .vector(Items(items(depth)))
        case 1: return object { $0.form(depth - 1) }
        case 2, 3:
            let head = random.pick(["quote", "quasiquote", "unquote", "unquote-splicing"])
            return .list(Items([.name(head), form(depth - 1)]))
        case 4: return .list(Items([.name(random.pick(["unquote", "quasiquote"]))]))
        default:
            let elements = items(depth)
            return elements.isEmpty ? .null : .list(Items(elements))
        }
    }

    mutating func json(_ depth: Int = 4) -> Value {
        guard depth > 0, !random.chance(3) else { return scalar() }
        if random.chance(2) { return object { $0.json(depth - 1) } }
        return .vector(Items((0..<random.below(5)).map { _ in json(depth - 1) }))
    }

    private mutating func items(_ depth: Int) -> [Value] {
        (0..<random.below(4)).map { _ in form(depth - 1) }
    }

    private mutating func object(_ value: (inout RandomValues) -> Value) -> Value {
        var entries = Object.Entries()
        for _ in 0..<random.below(4) { entries[Key(random.chance(2) ? word() : text())] = value(&self) }
        return .object(Object(entries))
    }

    private mutating func atom() -> Value {
        switch random.below(4) {
        case 0: .symbol(Symbol(word()))
        case 1: .keyword(Symbol(word()))
        case 2: .double(random.pick([.nan, .infinity, -.infinity, 0.0]))
        default: scalar()
        }
    }

    private mutating func scalar() -> Value {
        switch random.below(8) {
        case 0: .null
        case 1: .bool(random.chance(2))
        case 2: .int(Int.random(in: .min ... .max, using: &random))
        case 3: .int(random.below(2000) - 1000)
        case 4:
            .integer(BigInt(BigUInt.randomInteger(withMaximumWidth: 300, using: &random)) * (random.chance(2) ? 1 : -1))
        case 5: .double(finite())
        default: .text(text())
        }
    }

    private mutating func finite() -> Double {
        let double = Double(bitPattern: random.next())
        return double.isFinite ? double : random.pick([-0.0, 0.1, 1e16, 123456789.0, 5e-324])
    }

    private mutating func word() -> String {
        random.pick(["a", "b-c", "empty?", "x.y", "+", "->", "é", "e\u{301}", "変数", "_", "w", "h", "fn", "py:fn"])
    }

    mutating func text() -> String {
        var view = String.UnicodeScalarView()
        for _ in 0..<random.below(8) {
            let value: UInt32 =
                switch random.below(5) {
                case 0: UInt32(random.below(0x20))
                case 1: UInt32(random.below(0x110000))
                case 2:
                    random.pick([
                        0x22, 0x5C, 0x2F, 0x7F, 0x80, 0x200B, 0x2028, 0x202E, 0xFEFF, 0xFFFF, 0x1F600, 0x301, 0x201C,
                    ])
                default: UInt32(0x20 + random.below(0x5F))
                }
            if let scalar = Unicode.Scalar(value) { view.append(scalar) }
        }
        return String(view)
    }
}
