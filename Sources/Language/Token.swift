/// What a run of name characters is: a number, a keyword, a constant or a symbol.
enum Token {
    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x09 || byte == 0x0D || byte == 0x0C
    }

    /// Whether the byte can be part of a name or number. Bytes past ASCII can.
    static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0...0x20, 0x7F: false
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "{"),
            UInt8(ascii: "}"), UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"), UInt8(ascii: ","),
            UInt8(ascii: ";"), UInt8(ascii: "@"), UInt8(ascii: "\\"):
            false
        default: true
        }
    }

    /// Whether a form that starts with the byte holds no other, but for the arguments of a glued call.
    static func isAtom(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\"") || (isName(byte) && byte != UInt8(ascii: "#"))
    }

    static func isDigit(_ byte: UInt8?) -> Bool {
        guard let byte else { return false }
        return byte &- UInt8(ascii: "0") < 10
    }

    /// Whether an object's key prints without quotes: it reads back as this very key.
    static func isBareKey(_ key: String) -> Bool {
        guard let first = key.utf8.first, !isDigit(first), first != UInt8(ascii: "#"), first != UInt8(ascii: ":") else {
            return false
        }
        guard key.utf8.allSatisfy({ isName($0) && $0 != UInt8(ascii: ":") }), !startsNumber(key) else { return false }
        return !key.unicodeScalars.contains(where: Reader.isForbidden)
    }

    /// Whether the text must be a number or nothing: a digit first, or a sign or point and a digit.
    static func startsNumber(_ text: String) -> Bool {
        var bytes = text.utf8.makeIterator()
        guard let first = bytes.next() else { return false }
        if isDigit(first) { return true }
        guard first == UInt8(ascii: "-") || first == UInt8(ascii: "+") || first == UInt8(ascii: ".") else {
            return false
        }
        guard let second = bytes.next() else { return false }
        return isDigit(second) || (second == UInt8(ascii: ".") && first != UInt8(ascii: ".") && isDigit(bytes.next()))
    }

    /// The value of a token that is not a number.
    static func name(_ text: String) -> Value {
        switch text {
        case "true": .bool(true)
        case "false": .bool(false)
        case "null", "nil": .null
        case "NaN": .double(.nan)
        case "Infinity": .double(.infinity)
        case "-Infinity": .double(-.infinity)
        default: text.hasPrefix(":") ? .keyword(Symbol(String(text.dropFirst()))) : .symbol(Symbol(text))
        }
    }

    enum NumberResult {
        case value(Value)
        /// Not a number, but what follows could make it one.
        case incomplete
        /// Too large as it stands, but an exponent that follows could make it readable.
        case outOfRange(Failure)
        case malformed(Failure)
    }

    /// An integer in decimal, `0x`, `0o` or `0b`, or a float; single underscores stand between digits.
    static func number(_ text: String) -> NumberResult {
        var digits = text
        let isNegative = digits.hasPrefix("-")
        if isNegative || digits.hasPrefix("+") { digits.removeFirst() }
        if let radix = radix(of: digits) {
            return prefixed(String(digits.dropFirst(2)), radix: radix, isNegative: isNegative, text: text)
        }
        return decimal(digits, isNegative: isNegative, text: text)
    }

    private static func radix(of digits: String) -> Int? {
        switch digits.prefix(2).lowercased() {
        case "0x": 16
        case "0o": 8
        case "0b": 2
        default: nil
        }
    }

    private static func prefixed(_ digits: String, radix: Int, isNegative: Bool, text: String) -> NumberResult {
        if digits.isEmpty { return .incomplete }
        guard let plain = withoutUnderscores(digits, isDigit: { Int(String($0), radix: radix) != nil }) else {
            return malformed(text)
        }
        if plain.endsOpen { return .incomplete }
        return Numeral.bigInteger((isNegative ? "-" : "") + plain.digits, radix: radix).map(NumberResult.value)
            ?? malformed(text)
    }

    private static func decimal(_ digits: String, isNegative: Bool, text: String) -> NumberResult {
        guard let plain = withoutUnderscores(digits, isDigit: \.isDecimalDigit) else { return malformed(text) }
        let shape = DecimalShape(plain.digits)
        switch shape {
        case .malformed: return malformed(text)
        case .integer where plain.endsOpen, .open: return .incomplete
        case .integer:
            return Numeral.bigInteger((isNegative ? "-" : "") + plain.digits, radix: 10).map(NumberResult.value)
                ?? malformed(text)
        case .float:
            if plain.endsOpen { return .incomplete }
            guard let value = Double((isNegative ? "-" : "") + plain.digits), value.isFinite else {
                let failure = Failure("reader/range", "\(text.prefix(40)) is beyond a float's range, ±1.797e308")
                return canShrink(plain.digits) ? .outOfRange(failure) : .malformed(failure)
            }
            return .value(.double(value))
        }
    }

    /// The digits with the underscores that stand between two of them taken out; nil where one stands elsewhere.
    private static func withoutUnderscores(
        _ text: String, isDigit: (Character) -> Bool
    ) -> (digits: String, endsOpen: Bool)? {
        var result = ""
        var previous: Character?
        for character in text {
            if character == "_" {
                guard let previous, previous != "_", isDigit(previous) else { return nil }
            } else {
                if previous == "_", !isDigit(character) { return nil }
                result.append(character)
            }
            previous = character
        }
        return (result, previous == "_")
    }

    private static func canShrink(_ digits: String) -> Bool {
        guard let exponent = digits.firstIndex(where: { $0 == "e" || $0 == "E" }) else { return true }
        return digits[exponent...].dropFirst().first == "-"
    }

    private static func malformed(_ text: String) -> NumberResult {
        .malformed(
            Failure("reader/number", "\(Printer.quoted(String(text.prefix(60)))) is not a number", help: hint(text)))
    }

    /// The form that works for `1+1` and its like.
    private static func hint(_ text: String) -> String {
        for sign in ["+", "-", "*", "/", "<", ">", "=="] {
            let parts = text.dropFirst().split(separator: sign, maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let left = text.first.map({ String($0) + parts[0] }), !parts[1].isEmpty else {
                continue
            }
            let name = sign == "==" ? "=" : sign
            return "the operator comes first: (\(name) \(left) \(parts[1]))"
        }
        return "numbers look like 12, -3, 1_000, 0xff, 1.5, 6.02e23; a name cannot start with a digit"
    }
}

/// What decimal digits spell.
private enum DecimalShape {
    case integer, float, open, malformed

    init(_ text: String) {
        var rest = Substring(text)
        let whole = rest.prefix(while: \.isDecimalDigit)
        rest = rest.dropFirst(whole.count)
        guard !whole.isEmpty, whole.count == 1 || whole.first != "0" else {
            self = .malformed
            return
        }
        if rest.isEmpty {
            self = .integer
            return
        }
        if rest.first == "." {
            rest = rest.dropFirst()
            let fraction = rest.prefix(while: \.isDecimalDigit)
            rest = rest.dropFirst(fraction.count)
            if fraction.isEmpty {
                self = rest.isEmpty ? .open : .malformed
                return
            }
            if rest.isEmpty {
                self = .float
                return
            }
        }
        self = Self.exponent(rest)
    }

    private static func exponent(_ text: Substring) -> DecimalShape {
        guard text.first == "e" || text.first == "E" else { return .malformed }
        var rest = text.dropFirst()
        if rest.first == "+" || rest.first == "-" { rest = rest.dropFirst() }
        if rest.isEmpty { return .open }
        return rest.allSatisfy(\.isDecimalDigit) ? .float : .malformed
    }
}

extension Character {
    fileprivate var isDecimalDigit: Bool {
        guard let byte = asciiValue else { return false }
        return Token.isDigit(byte)
    }
}
