import Language

/// `(format "%-8s %6.2f" …)`: the part of C's patterns that tables need.
extension Library {
    static func registerFormat(in machine: Machine) {
        machine.add(
            "(format pattern …values)", 1...Int.max,
            "The pattern with the values in it: %s text, %d integer, %f decimal places, %x hexadecimal, %% a percent sign. Between, - sets to the left, 0 fills with zeros, + shows the sign, a comma groups thousands; then the width, and the places after a dot.",
            "(format \"%-6s|%5.1f|%03d\" \"ab\" 2.25 7) => \"ab    |  2.2|007\"",
            "(format \"%,d\" 1234567) => \"1,234,567\""
        ) { arguments throws(Failure) in
            let pattern = try arguments.onlyString(0)
            var result = ""
            var next = 1
            var rest = pattern.unicodeScalars[...]
            while let sign = rest.firstIndex(of: "%") {
                result.unicodeScalars += rest[..<sign]
                rest = rest[rest.index(after: sign)...]
                if rest.first == "%" {
                    result += "%"
                    rest = rest.dropFirst()
                    continue
                }
                let field = try FormatField(&rest)
                guard next < arguments.count else {
                    throw Failure("eval/format", "the pattern wants more values than the \(arguments.count - 1) given")
                }
                result += try field.text(&arguments, next)
                next += 1
                try Limit.check(result.utf8.count, Limit.bytes, "bytes")
            }
            guard next == arguments.count else {
                throw Failure("eval/format", "the pattern takes \(next - 1) values, got \(arguments.count - 1)")
            }
            return .text(result + String(rest))
        }
    }
}

/// What stands between a percent sign and its letter.
private struct FormatField {
    private var isLeft = false
    private var fillsWithZeros = false
    private var showsSign = false
    private var groups = false
    private var width = 0
    private var places: Int?
    private var letter: Unicode.Scalar = "s"

    init(_ rest: inout Substring.UnicodeScalarView) throws(Failure) {
        while let scalar = rest.first {
            rest = rest.dropFirst()
            switch scalar {
            case "-": isLeft = true
            case "+": showsSign = true
            case ",": groups = true
            case "0" where width == 0 && places == nil: fillsWithZeros = true
            case "0"..."9":
                let digit = Int(scalar.value) - 0x30
                if let known = places { places = known * 10 + digit } else { width = width * 10 + digit }
                try Limit.check(max(width, places ?? 0), 1_000, "characters in a field")
            case ".": places = 0
            case "s", "d", "f", "x":
                letter = scalar
                return
            default: throw Failure("eval/format", "a pattern has %s, %d, %f, %x and %%, got %\(scalar)")
            }
        }
        throw Failure("eval/format", "the pattern ends inside a field")
    }

    func text(_ arguments: inout Arguments, _ index: Int) throws(Failure) -> String {
        let body = try body(&arguments, index)
        let missing = width - body.unicodeScalars.count
        guard missing > 0 else { return body }
        if isLeft { return body + String(repeating: " ", count: missing) }
        guard fillsWithZeros, letter != "s" else { return String(repeating: " ", count: missing) + body }
        let sign = body.prefix { $0 == "-" || $0 == "+" }
        return sign + String(repeating: "0", count: missing) + body.dropFirst(sign.count)
    }

    private func body(_ arguments: inout Arguments, _ index: Int) throws(Failure) -> String {
        switch letter {
        case "s":
            let text = Library.display(try arguments.data(index))
            return places.map { text.unicodeScalars.prefix($0).text } ?? text
        case "d": return signed(try arguments.bigInteger(index).description)
        case "x": return signed(String(try arguments.bigInteger(index), radix: 16))
        default: return signed(try Decimals.fixed(try arguments.number(index), places ?? 6))
        }
    }

    private func signed(_ text: String) -> String {
        let digits = text.drop { $0 == "-" }
        let sign = text.hasPrefix("-") ? "-" : showsSign ? "+" : ""
        guard groups else { return sign + digits }
        let whole = Array(digits.prefix { $0 != "." })
        var grouped = ""
        for (place, digit) in whole.enumerated() {
            if place > 0, (whole.count - place).isMultiple(of: 3) { grouped += "," }
            grouped.append(digit)
        }
        return sign + grouped + digits.dropFirst(whole.count)
    }
}
