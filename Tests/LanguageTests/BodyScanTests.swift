import Testing

@testable import Language

/// Whether a text is one value: held against a scanner that goes byte by byte.
@Suite struct BodyScanTests {
    /// What brackets and strings say, one byte at a time; nil for a backslash outside a string, at which every strict
    /// reader stops.
    private func isOneValue(_ bytes: [UInt8]) -> Bool? {
        var text = bytes[...]
        let spaces: Set<UInt8> = [0x20, 0x0A, 0x0D, 0x09]
        while let first = text.first, spaces.contains(first) { text.removeFirst() }
        while let last = text.last, spaces.contains(last) { text.removeLast() }
        guard let first = text.first else { return false }
        guard "{[\"".utf8.contains(first) else {
            return text.allSatisfy { "0123456789abcdefghijklmnopqrstuvwxyzE+-.".utf8.contains($0) }
        }
        var (depth, inString, isEscaped) = (0, false, false)
        for (index, byte) in zip(text.indices, text) {
            if inString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    inString = false
                }
            } else if byte == UInt8(ascii: "\"") {
                inString = true
            } else if byte == UInt8(ascii: "\\") {
                return nil
            } else if "{[".utf8.contains(byte) {
                depth += 1
            } else if "}]".utf8.contains(byte) {
                depth -= 1
            }
            if depth <= 0, !inString { return depth == 0 && index == text.indices.last }
        }
        return false
    }

    @Test(arguments: [0, 1, 2, 61, 62, 63, 64, 65, 126, 127, 128, 600, 100_000])
    func aStringOfAnyLength(count: Int) {
        let text = Array(("\"" + String(repeating: "x", count: count) + "\"").utf8)
        #expect(BodyScan.isOneValue(text))
        #expect(!BodyScan.isOneValue(text + Array(",1".utf8)))
        #expect(!BodyScan.isOneValue(Array(text.dropLast())))
    }

    @Test(arguments: 0..<200)
    func theSameAsByteByByte(round: Int) {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SplitMix(state: seed)
        let pieces = [
            "{", "}", "[", "]", "\"", "\"", "\"\\\\\"", "\"a\\\"b\"", "a", "1", ",", ":", " ", "[1]", "\"x\"", "é",
        ]
        for _ in 0..<200 {
            var text = ["[", "{", "\"", "1", ""][Int(random.next() % 5)]
            let count = Int(random.next() % 180)
            for _ in 0..<count {
                // Mostly harmless bytes, so that blocks of 64 fill up.
                text += random.next() % 3 == 0 ? pieces[Int(random.next() % UInt64(pieces.count))] : "x"
            }
            text += ["]", "}", "\"", "", "]]"][Int(random.next() % 5)]
            let bytes = Array(text.utf8)
            guard let expected = isOneValue(bytes) else { continue }
            #expect(BodyScan.isOneValue(bytes) == expected, "seed \(seed): \(text)")
        }
    }
}

private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
