import BigInt

/// Digits to numbers, exactly: integers of any size, floats correctly rounded.
enum Numeral {
    /// - Parameter text: an optional minus and decimal digits.
    static func integer(_ text: UnsafeBufferPointer<UInt8>) -> Value {
        let isNegative = text.first == UInt8(ascii: "-")
        if text.count <= 18 {
            var magnitude = 0
            for byte in text.dropFirst(isNegative ? 1 : 0) { magnitude = magnitude &* 10 &+ Int(byte &- 0x30) }
            return .int(isNegative ? -magnitude : magnitude)
        }
        return bigInteger(String(decoding: text, as: UTF8.self), radix: 10) ?? .null
    }

    static func bigInteger(_ digits: String, radix: Int) -> Value? {
        if let small = Int(digits, radix: radix) { return .int(small) }
        guard radix == 10, digits.utf8.count > shortDigits else {
            return BigInt(digits, radix: radix).map(Value.integer)
        }
        let isNegative = digits.hasPrefix("-")
        let bytes = Array(digits.utf8.dropFirst(isNegative ? 1 : 0))
        guard bytes.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
        var powers: [Int: BigInt] = [:]
        let magnitude = long(bytes[...], &powers)
        return .integer(isNegative ? -magnitude : magnitude)
    }

    /// The integer's decimal digits.
    static func text(_ value: BigInt) -> String {
        guard value.magnitude.bitWidth > shortDigits * 3 else { return value.description }
        var powers: [BigUInt] = [BigUInt(10).power(shortDigits / 2)]
        while let last = powers.last, last.bitWidth * 2 <= value.magnitude.bitWidth { powers.append(last * last) }
        var text = value.sign == .minus ? "-" : ""
        write(value.magnitude, powers[...], isFirst: true, to: &text)
        return text
    }

    /// Cuts a number in halves of as many digits as the largest power has zeros; later halves keep their leading zeros.
    private static func write(_ value: BigUInt, _ powers: ArraySlice<BigUInt>, isFirst: Bool, to text: inout String) {
        guard let power = powers.last else {
            let digits = value.description
            if !isFirst { text += String(repeating: "0", count: max(0, shortDigits / 2 - digits.utf8.count)) }
            text += digits
            return
        }
        let (high, low) = value.quotientAndRemainder(dividingBy: power)
        if isFirst, high.isZero { return write(low, powers.dropLast(), isFirst: true, to: &text) }
        write(high, powers.dropLast(), isFirst: isFirst, to: &text)
        write(low, powers.dropLast(), isFirst: false, to: &text)
    }

    /// Where the library's reading of digits, quadratic in their number, begins to be felt.
    private static let shortDigits = 2_000

    /// Reads halves and joins them, so that the time is that of multiplication.
    private static func long(_ digits: ArraySlice<UInt8>, _ powers: inout [Int: BigInt]) -> BigInt {
        guard digits.count > shortDigits else { return BigInt(String(decoding: digits, as: UTF8.self), radix: 10) ?? 0 }
        // Halves of equal length at every level share their powers of ten.
        let low = digits.count / 2
        let power = powers[low] ?? BigInt(10).power(low)
        powers[low] = power
        return long(digits.dropLast(low), &powers) * power + long(digits.suffix(low), &powers)
    }

    /// - Throws: `json/range` for what no float holds (`1e400`).
    static func double(_ text: UnsafeBufferPointer<UInt8>, at offset: Int) throws(Failure) -> Value {
        if let quick = quickDouble(text) { return .double(quick) }
        let digits = String(decoding: text, as: UTF8.self)
        guard let value = Double(digits), value.isFinite else {
            throw Failure("json/range", "\(digits.prefix(40)) is beyond a float's range (offset \(offset))")
        }
        return .double(value)
    }

    /// Digits below 2^53 over a power of ten up to 10^18: one correctly rounded operation on exact operands
    /// (Clinger, "How to read floating point numbers accurately", 1990). Nil for what that does not reach.
    private static func quickDouble(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
        guard text.count <= 20 else { return nil }
        var index = text.first == UInt8(ascii: "-") ? 1 : 0
        let isNegative = index == 1
        var mantissa: UInt64 = 0
        var places = 0
        var seenPoint = false
        while index < text.count {
            let byte = text[index]
            if byte == UInt8(ascii: ".") {
                seenPoint = true
            } else {
                guard byte &- 0x30 < 10 else { return nil }
                // At most 19 digits: below 2^64.
                mantissa = mantissa &* 10 &+ UInt64(byte &- 0x30)
                if seenPoint { places += 1 }
            }
            index += 1
        }
        guard text.count - (isNegative ? 2 : 1) <= 19, places <= 18 else { return nil }
        guard let value = mantissa < 1 << 53 ? Double(mantissa) / powers[places] : quotient(mantissa, places) else {
            return nil
        }
        return isNegative ? -value : value
    }

    private static let powers: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    ]

    #if arch(x86_64)
        /// The same with 64 bits of precision, where both operands are exact too. Rounding that to 53 bits is rounding
        /// once, but where the first rounding ends halfway between two doubles: those are left to the library.
        private static func quotient(_ mantissa: UInt64, _ places: Int) -> Double? {
            let value = Float80(mantissa) / widePowers[places]
            return value.significandBitPattern & 0x7FF == 0x400 ? nil : Double(value)
        }

        private static let widePowers: [Float80] = (0...18).map { place in
            (0..<place).reduce(Float80(1)) { power, _ in power * 10 }
        }
    #else
        private static func quotient(_ mantissa: UInt64, _ places: Int) -> Double? { nil }
    #endif
}

/// The escapes of JSON strings, which the language's own strings share.
enum StringEscape {
    static func byte(for letter: UInt8) -> UInt8? {
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): letter
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "t"): 0x09
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        default: nil
        }
    }

    static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
