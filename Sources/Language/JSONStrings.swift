/// Strings of JSON: quick where nothing is escaped, always valid UTF-8.
extension JSONParser {
    mutating func string() throws(Failure) -> String {
        let start = position + 1
        let (end, isASCII) = plainEnd(from: start)
        guard end < bytes.count, bytes[end] == UInt8(ascii: "\"") else { return try escapedString() }
        position = end + 1
        let part = UnsafeBufferPointer(rebasing: bytes[start..<end])
        return isASCII ? String(decoding: part, as: UTF8.self) : try checked(part, at: start)
    }

    /// Where the first quote, backslash or control character from `start` on is, eight bytes a step; and whether all
    /// before it are ASCII.
    private func plainEnd(from start: Int) -> (end: Int, isASCII: Bool) {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        var end = start
        var seen: UInt64 = 0
        while end + 8 <= bytes.count {
            let word = UInt64(
                littleEndian: UnsafeRawBufferPointer(bytes).loadUnaligned(fromByteOffset: end, as: UInt64.self))
            let quotes = word ^ (ones &* 0x22)
            let slashes = word ^ (ones &* 0x5C)
            // The lowest marked byte is right; a borrow may mark others above it (Mycroft, 1987).
            let stops =
                ((quotes &- ones) & ~quotes | (slashes &- ones) & ~slashes | (word &- ones &* 0x20) & ~word) & highs
            if stops != 0 {
                let count = stops.trailingZeroBitCount / 8
                seen |= word & ((1 << (8 * UInt64(count))) &- 1)
                return (end + count, seen & highs == 0)
            }
            seen |= word
            end += 8
        }
        while end < bytes.count {
            let byte = bytes[end]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { break }
            seen |= UInt64(byte)
            end += 1
        }
        return (end, seen & highs == 0)
    }

    private mutating func escapedString() throws(Failure) -> String {
        let start = position
        position += 1
        var decoded: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return try checked(decoded, at: start)
            case UInt8(ascii: "\\"): try escape(into: &decoded)
            case 0..<0x20:
                throw failure("json/control", "a control character in a string must be escaped", at: position)
            default:
                decoded.append(byte)
                position += 1
            }
        }
        throw failure("json/unclosed", "the string is not closed", at: start)
    }

    private mutating func escape(into decoded: inout [UInt8]) throws(Failure) {
        let start = position
        guard position + 1 < bytes.count else { throw failure("json/unclosed", "the string is not closed", at: start) }
        let letter = bytes[position + 1]
        position += 2
        if let plain = StringEscape.byte(for: letter) {
            decoded.append(plain)
            return
        }
        guard letter == UInt8(ascii: "u") else {
            throw failure("json/escape", "unknown escape \\\(Character(Unicode.Scalar(letter)))", at: start)
        }
        let scalar = try unicodeEscape(at: start)
        decoded.append(contentsOf: Array(String(Character(scalar)).utf8))
    }

    private mutating func unicodeEscape(at start: Int) throws(Failure) -> Unicode.Scalar {
        let first = try fourDigits(at: start)
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        else { throw loneSurrogate(at: start) }
        position += 2
        let second = try fourDigits(at: start)
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw loneSurrogate(at: start) }
        return scalar
    }

    private mutating func fourDigits(at start: Int) throws(Failure) -> UInt32 {
        guard position + 4 <= bytes.count else { throw failure("json/escape", "\\u takes four digits", at: start) }
        var result: UInt32 = 0
        for byte in bytes[position..<position + 4] {
            guard let digit = StringEscape.hexDigit(byte) else {
                throw failure("json/escape", "\\u takes four hexadecimal digits", at: start)
            }
            result = result << 4 | UInt32(digit)
        }
        position += 4
        return result
    }

    private func checked(_ part: some Collection<UInt8>, at start: Int) throws(Failure) -> String {
        guard let text = String(validating: part, as: UTF8.self) else {
            throw failure("json/utf8", "invalid UTF-8 in a string", at: start)
        }
        return text
    }

    private func loneSurrogate(at offset: Int) -> Failure {
        failure("json/surrogate", "a lone surrogate is not text", at: offset)
    }
}
