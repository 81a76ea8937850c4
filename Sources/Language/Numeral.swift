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
        return BigInt(digits, radix: radix).map(Value.integer)
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

    /// Digits below 2^53 times or over a power of ten up to 10^22: one correctly rounded operation on exact operands
    /// (Clinger, "How to read floating point numbers accurately", 1990).
    private static func quickDouble(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
        guard text.count <= 17 else { return nil }
        var index = text.first == UInt8(ascii: "-") ? 1 : 0
        let isNegative = index == 1
        var mantissa = 0
        var scale = 0
        var seenPoint = false
        while index < text.count {
            let byte = text[index]
            if byte == UInt8(ascii: ".") {
                seenPoint = true
            } else {
                guard byte &- 0x30 < 10 else { return nil }
                mantissa = mantissa * 10 + Int(byte - 0x30)
                if seenPoint { scale += 1 }
            }
            index += 1
        }
        guard mantissa < 1 << 53 else { return nil }
        let value = Double(mantissa) / powers[scale]
        return isNegative ? -value : value
    }

    private static let powers: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    ]
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
