import Properties

/// Random bodies, from a seed.
struct ValueGenerator {
    private var random: Randomness

    init(seed: UInt64) {
        random = Randomness(seed: seed)
    }

    mutating func body(_ depth: Int = 4) -> String {
        guard depth > 0, !random.chance(3) else { return atom() }
        switch random.below(8) {
        case 0, 1: return "[" + list(depth) + "]"
        case 2, 3: return object(depth)
        case 4: return #"{"_type":"Tuple","items":["# + list(depth) + "]}"
        case 5: return #"{"_type":"Set","items":["# + distinct() + "]}"
        case 6: return #"{"_type":"Map","entries":["# + entries(depth) + "]}"
        default: return atom()
        }
    }

    private mutating func list(_ depth: Int) -> String {
        (0..<random.below(4)).map { _ in body(depth - 1) }.joined(separator: ",")
    }

    private mutating func object(_ depth: Int) -> String {
        var names: [String] = []
        for _ in 0..<random.below(4) {
            let name = text()
            if !names.contains(name), name != #""_type""# { names.append(name) }
        }
        return "{" + names.map { $0 + ":" + body(depth - 1) }.joined(separator: ",") + "}"
    }

    /// Different integers: what any language can tell apart in a set.
    private mutating func distinct() -> String {
        Set((0..<random.below(4)).map { _ in random.below(1000) }).map(String.init).sorted().joined(separator: ",")
    }

    /// At least one key is no text, so that it is no plain object.
    private mutating func entries(_ depth: Int) -> String {
        let numbers = Set((0...random.below(3)).map { _ in random.below(1000) }).sorted()
        return numbers.map { "[\($0),\(body(depth - 1))]" }.joined(separator: ",")
    }

    private mutating func atom() -> String {
        switch random.below(10) {
        case 0: return random.pick(["null", "true", "false"])
        case 1: return String(random.below(2000) - 1000)
        case 2: return String(Int.random(in: .min ... .max, using: &random))
        case 3: return String((0..<(20 + random.below(60))).map { $0 == 0 ? "7" : Character(String(random.below(10))) })
        case 4: return float()
        case 5:
            return random.pick(ValueTable.rows)
                .bodies[0]
        default: return text()
        }
    }

    private mutating func float() -> String {
        let number = Double(bitPattern: random.next())
        guard number.isFinite, number != 0 else { return "0.5" }
        return number.description
    }

    /// As JSON: some characters as escapes, none of them a lone surrogate.
    private mutating func text() -> String {
        var text = "\""
        for _ in 0..<random.below(8) {
            let code: UInt32 =
                switch random.below(4) {
                case 0: UInt32(random.below(0x110000))
                case 1: random.pick([0x22, 0x5C, 0x2F, 0x00, 0x0A, 0x7F, 0x80, 0x2028, 0xFEFF, 0xFFFF, 0x1F600, 0x301])
                default: UInt32(0x20 + random.below(0x5F))
                }
            guard let scalar = Unicode.Scalar(code) else { continue }
            if code < 0x20 || code == 0x22 || code == 0x5C || code < 0x10000 && random.chance(5) {
                let digits = String(code, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}
