/// Whether a text is exactly one JSON value as far as brackets and strings go: so that it may stand inside another
/// text without reaching out of its place there. Whoever reads the whole text strictly finds all else.
///
/// 64 bytes at a time, as simdjson does it (Langdale and Lemire, 2019).
enum BodyScan {
    static func isOneValue(_ body: [UInt8]) -> Bool {
        body.withUnsafeBytes { bytes in
            var (start, end) = (0, bytes.count)
            while start < end, isSpace(bytes[start]) { start += 1 }
            while start < end, isSpace(bytes[end - 1]) { end -= 1 }
            guard start < end else { return false }
            let text = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            switch text[0] {
            case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\""):
                var scan = BlockScan()
                return scan.spans(text)
            default: return text.allSatisfy(isScalar)
            }
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    /// The bytes of numbers, `true`, `false` and `null`.
    private static func isScalar(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "E"),
            UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}

/// What is carried from one block of 64 bytes to the next.
private struct BlockScan {
    private var depth = 0
    /// All ones inside a string.
    private var inString: UInt64 = 0
    private var nextIsEscaped: UInt64 = 0

    /// Bit i: byte i of the block is of that kind.
    private struct Masks {
        var quote: UInt64 = 0
        var backslash: UInt64 = 0
        var open: UInt64 = 0
        var close: UInt64 = 0
    }

    /// Whether the value that begins with the text ends where the text does, and not before.
    mutating func spans(_ text: UnsafeRawBufferPointer) -> Bool {
        let whole = text.count & ~63
        var offset = 0
        while offset < whole {
            guard take(text, offset, isLast: offset + 64 == text.count, length: 64) else { return false }
            offset += 64
        }
        guard offset < text.count else { return isClosed }
        // Safety: the copy is 64 bytes, the rest fewer.
        return withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) { block in
            block.initializeMemory(as: UInt8.self, repeating: 0x20)
            block.copyMemory(from: UnsafeRawBufferPointer(rebasing: text[offset...]))
            return take(UnsafeRawBufferPointer(block), 0, isLast: true, length: text.count - offset) && isClosed
        }
    }

    private var isClosed: Bool { depth == 0 && inString == 0 }

    @inline(__always)
    private mutating func take(
        _ text: UnsafeRawBufferPointer, _ offset: Int, isLast: Bool, length: Int
    ) -> Bool {
        let masks = Self.masks(text, offset)
        let quotes = masks.quote & ~escaped(masks.backslash)
        // Bit i: byte i is inside a string; its opening quote is, its closing one is not.
        let strings = Self.prefixXor(quotes) ^ inString
        inString = UInt64(bitPattern: Int64(bitPattern: strings) >> 63)
        let opens = masks.open & ~strings
        let closes = masks.close & ~strings
        let last: UInt64 = isLast ? 1 << UInt64(length - 1) : 0
        if depth == 0 { return takeTop(opens, closes, quotes & ~strings, last, length) }
        guard depth <= closes.nonzeroBitCount else {
            depth += opens.nonzeroBitCount - closes.nonzeroBitCount
            return true
        }
        return walk(opens, closes, last)
    }

    /// The first block, or one that a string at the top reaches into.
    private mutating func takeTop(
        _ opens: UInt64, _ closes: UInt64, _ ends: UInt64, _ last: UInt64, _ length: Int
    ) -> Bool {
        if opens & 1 != 0 { return walk(opens, closes, last) }
        // A string: nothing stands behind its end, so that it ends where the text does.
        return opens == 0 && closes == 0 && (ends == 0 || ends == last)
    }

    /// Bracket by bracket: the value must not end before the text.
    private mutating func walk(_ opens: UInt64, _ closes: UInt64, _ last: UInt64) -> Bool {
        var brackets = opens | closes
        while brackets != 0 {
            let bit = brackets & (~brackets &+ 1)
            brackets ^= bit
            if opens & bit != 0 {
                depth += 1
            } else {
                depth -= 1
                if depth == 0 { return bit == last }
            }
        }
        return true
    }

    /// The bytes behind an odd run of backslashes.
    @inline(__always)
    private mutating func escaped(_ backslash: UInt64) -> UInt64 {
        guard backslash | nextIsEscaped != 0 else { return 0 }
        let odd: UInt64 = 0xAAAA_AAAA_AAAA_AAAA
        let potential = backslash & ~nextIsEscaped
        let codes = (((potential << 1) | odd) &- potential) ^ odd
        let result = codes ^ (backslash | nextIsEscaped)
        nextIsEscaped = (codes & backslash) >> 63
        return result
    }

    @inline(__always)
    private static func prefixXor(_ bits: UInt64) -> UInt64 {
        var bits = bits
        bits ^= bits << 1
        bits ^= bits << 2
        bits ^= bits << 4
        bits ^= bits << 8
        bits ^= bits << 16
        bits ^= bits << 32
        return bits
    }

    @inline(__always)
    private static func masks(_ text: UnsafeRawBufferPointer, _ offset: Int) -> Masks {
        var masks = Masks()
        for word in 0..<8 {
            let bytes = UInt64(littleEndian: text.loadUnaligned(fromByteOffset: offset + word * 8, as: UInt64.self))
            let shift = UInt64(word * 8)
            // Brackets and braces differ in one bit, 0x20.
            let folded = bytes | 0x2020_2020_2020_2020
            masks.quote |= bits(bytes, UInt8(ascii: "\"")) << shift
            masks.backslash |= bits(bytes, UInt8(ascii: "\\")) << shift
            masks.open |= bits(folded, UInt8(ascii: "{")) << shift
            masks.close |= bits(folded, UInt8(ascii: "}")) << shift
        }
        return masks
    }

    /// Bit i: byte i of the word equals the given one (Hacker's Delight, 6-1, exact for each byte).
    @inline(__always)
    private static func bits(_ word: UInt64, _ byte: UInt8) -> UInt64 {
        let low: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
        let difference = word ^ (0x0101_0101_0101_0101 &* UInt64(byte))
        let equal = ~(((difference & low) &+ low) | difference | low)
        return ((equal >> 7) &* 0x0102_0408_1020_4080) >> 56
    }
}
