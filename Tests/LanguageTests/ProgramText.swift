import Properties

/// Random readable programs with every syntax that the reader knows.
struct ProgramText {
    private var random: Randomness
    private var quasiquotes = 0
    private var isInShorthand = false

    init(seed: UInt64) {
        random = Randomness(seed: seed)
    }

    mutating func program() -> String {
        var text = random.chance(8) ? "#!/usr/bin/env meta\n" : ""
        for _ in 0..<(1 + random.below(3)) { text += form(3) + space() }
        return text
    }

    private mutating func space() -> String {
        switch random.below(9) {
        case 0: "\n"
        case 1: " ; a comment ) ] \"\n"
        case 2: " #;" + form(1) + " "
        case 3: quasiquotes == 0 ? " , " : ", "
        case 4: "\t \r\n"
        default: " "
        }
    }

    private mutating func form(_ depth: Int) -> String {
        guard depth > 0, !random.chance(3) else { return atom() }
        switch random.below(11) {
        case 0, 1: return "(" + items(depth) + ")"
        case 2: return "[" + items(depth) + "]"
        case 3, 4: return object(depth)
        case 5: return "'" + form(depth - 1)
        case 6: return backquote(depth)
        case 7: return random.pick(["f", "py.math.sqrt", "a.b", "x!"]) + "(" + items(depth) + ")"
        case 8: return shorthand(depth)
        case 9: return "\n```" + random.pick(["py", "js", "sh"]) + "\nx = ['(', \"\"]\n```\n"
        default: return unquote(depth)
        }
    }

    private mutating func items(_ depth: Int) -> String {
        var text = ""
        for _ in 0..<random.below(4) { text += space() + form(depth - 1) + space() }
        return text
    }

    private mutating func backquote(_ depth: Int) -> String {
        quasiquotes += 1
        defer { quasiquotes -= 1 }
        return "`" + (random.chance(3) ? form(depth - 1) : "(" + items(depth) + unquote(depth) + ")")
    }

    private mutating func unquote(_ depth: Int) -> String {
        guard quasiquotes > 0 else { return atom() }
        quasiquotes -= 1
        defer { quasiquotes += 1 }
        return " " + random.pick([",", ",@", "@", "...@"]) + form(depth - 1)
    }

    private mutating func shorthand(_ depth: Int) -> String {
        guard !isInShorthand else { return atom() }
        isInShorthand = true
        defer { isInShorthand = false }
        return "#(" + random.pick(["+ # 1", "* #0 #1", "f"]) + " " + items(depth) + ")"
    }

    private mutating func object(_ depth: Int) -> String {
        var text = "{"
        for index in 0..<random.below(4) {
            let key =
                switch random.below(8) {
                case 0: "k\(index)"
                case 1: "k\(index):"
                case 2: ":k\(index)"
                case 3: "\"k \(index)\":"
                case 4: "\"k \(index)\" :"
                case 5: "\"\\u00e9\(index)\""
                case 6: quasiquotes > 0 ? ",k\(index)" : "k\(index)"
                default: "k\(index) "
                }
            text += space() + key + " " + form(depth - 1) + space()
        }
        return text + "}"
    }

    private mutating func atom() -> String {
        switch random.below(6) {
        case 0: number()
        case 1: string()
        case 2: random.pick([":key", ":target", "name:", ":a-b", "::", ":true"])
        case 3: random.pick(["true", "false", "null", "nil", "()", "NaN", "Infinity", "-Infinity"])
        default:
            random.pick([
                "x", "a.b.c", "py:fn", "...rest", "+", "-", "empty?", "->>", "|>", "naïve", "λ", "変数", "a/b", "<=", "%",
                "_",
                "..", "$x", "x'".replacing("'", with: "1"),
            ])
        }
    }

    private mutating func number() -> String {
        switch random.below(8) {
        case 0: "\(Int.random(in: .min ... .max, using: &random))"
        case 1: "-\(UInt64.random(in: 0 ... .max, using: &random))\(UInt64.random(in: 0 ... .max, using: &random))"
        case 2: random.pick(["1_000", "0xff", "0xDEAD_BEEF", "0b1010", "0o17", "-0x10", "+5", "0", "-0"])
        case 3: random.pick(["6.02e23", "1E5", "1e-300", "1.5e+10", "0.1", "-0.0", "1_0.2_5", "5e-324"])
        case 4: "\(Double(bitPattern: random.next() & 0x7FEF_FFFF_FFFF_FFFF))"
        default: "\(random.below(1000))"
        }
    }

    private mutating func string() -> String {
        if random.chance(4) { return "\"\"\"raw \\n \" (\n" + random.pick(["", "é", "```\n", "'"]) + "\"\"\"" }
        var text = "\""
        for _ in 0..<random.below(6) {
            text += random.pick([
                "a", " ", "\\n", "\\\"", "\\\\", "\\/", "\\u00e9", "\\ud83d\\ude00", "é", "😀", "\n", "(", ";", "\\t",
                "e\u{301}",
            ])
        }
        return text + "\""
    }
}
