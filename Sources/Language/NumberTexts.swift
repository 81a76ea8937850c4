import BigInt

/// A decimal's text: sign, digits with at most one point, exponent; or Infinity or a NaN.
struct DecimalText {
    /// The digits without zeros at both ends, and the power of ten of the last one: one for all spellings of a number.
    let isNegative: Bool
    let digits: String
    let exponent: BigInt
    /// `Infinity`, `NaN` or `sNaN` with its digits; nil for a number.
    let special: String?

    init?(_ text: String) {
        var scanner = ISOScanner(text)
        isNegative = scanner.take("-")
        if !isNegative { _ = scanner.take("+") }
        let unsigned = text.first == "-" || text.first == "+" ? text.dropFirst() : text[...]
        if let special = Self.special(unsigned) {
            (digits, exponent, self.special) = ("", 0, special)
            return
        }
        let whole = scanner.digits() ?? ""
        var fraction = ""
        if scanner.take(".") { fraction = scanner.digits() ?? "" }
        guard !(whole + fraction).isEmpty else { return nil }
        var power = BigInt(0)
        if scanner.take("E") || scanner.take("e") {
            let isSmall = scanner.take("-")
            if !isSmall { _ = scanner.take("+") }
            guard let text = scanner.digits(), text.utf8.count <= 20, let size = BigInt(text) else { return nil }
            power = isSmall ? -size : size
        }
        guard scanner.isAtEnd else { return nil }
        let all = (whole + fraction).drop { $0 == "0" }
        let trailing = all.reversed().prefix { $0 == "0" }.count
        digits = String(all.dropLast(trailing))
        exponent = digits.isEmpty ? 0 : power - BigInt(fraction.utf8.count) + BigInt(trailing)
        special = nil
    }

    var isZero: Bool { special == nil && digits.isEmpty }

    /// One text for equal numbers; nil for a NaN, which equals nothing.
    var canonical: String? {
        if let special { return special == "Infinity" ? (isNegative ? "-" : "") + special : nil }
        return isZero ? "0" : "\(isNegative ? "-" : "")\(digits)E\(exponent)"
    }

    private static func special(_ text: Substring) -> String? {
        if text == "Infinity" { return "Infinity" }
        for name in ["NaN", "sNaN"] where text.hasPrefix(name) {
            guard text.dropFirst(name.count).utf8.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
            return String(text)
        }
        return nil
    }
}

/// A fraction's text: an integer, a slash, an integer that is not zero.
struct FractionText {
    let numerator: Substring
    let denominator: Substring

    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        (numerator, denominator) = (parts[0], parts[1])
        let digits = numerator.hasPrefix("-") ? numerator.dropFirst() : numerator
        guard Self.isNumber(digits), Self.isNumber(denominator), denominator.contains(where: { $0 != "0" }) else {
            return nil
        }
    }

    private static func isNumber(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 &- 0x30 < 10 }
    }
}

/// A duration's text: `P`, then years, months, weeks, days, and behind a `T` hours, minutes, seconds.
public struct DurationText {
    /// The seconds, and the digits of their fraction; nil with years or months, which have no fixed length.
    let seconds: BigInt?
    let fraction: String
    let isNegative: Bool

    public init?(_ text: String) {
        var scanner = ISOScanner(text)
        isNegative = scanner.take("-")
        if !isNegative { _ = scanner.take("+") }
        guard scanner.take("P"), !scanner.isAtEnd else { return nil }
        var total = BigInt(0)
        var isFixed = true
        var fraction = ""
        var units: ArraySlice<(letter: Unicode.Scalar, seconds: Int)> = [
            ("Y", 0), ("M", 0), ("W", 604_800), ("D", 86_400), ("T", -1), ("H", 3_600), ("M", 60), ("S", 1),
        ]
        while !scanner.isAtEnd {
            if scanner.take("T") {
                guard let time = units.firstIndex(where: { $0.seconds < 0 }), !scanner.isAtEnd else { return nil }
                units = units[(time + 1)...]
            }
            guard let digits = scanner.digits(), digits.utf8.count <= 40, let size = BigInt(digits),
                let part = scanner.fraction()
            else { return nil }
            let time = units.firstIndex { $0.seconds < 0 } ?? units.endIndex
            guard let place = units[..<time].firstIndex(where: { scanner.take($0.letter) }) else { return nil }
            guard part.isEmpty || units[place].seconds == 1 else { return nil }
            if units[place].seconds == 0 { isFixed = false }
            total += size * BigInt(units[place].seconds)
            fraction = part
            units = units[(place + 1)...]
        }
        seconds = isFixed ? total : nil
        self.fraction = fraction
    }

    /// Days and seconds, as every kernel reads it; nil with years or months.
    public var normalized: String? {
        guard let seconds else { return nil }
        let sign = isNegative && (seconds != 0 || !fraction.isEmpty) ? "-" : ""
        let (days, rest) = seconds.quotientAndRemainder(dividingBy: 86_400)
        let micro = fraction.isEmpty ? "" : "." + fraction + String(repeating: "0", count: max(0, 6 - fraction.count))
        return "\(sign)P\(days)DT\(rest)\(micro)S"
    }
}
