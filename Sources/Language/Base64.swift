/// RFC 4648, section 4: with padding, and only the one text that each sequence of bytes has.
public enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let pad = UInt8(ascii: "=")
    /// The six bits of each byte of a text; 64 for what is no digit.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 64, count: 256)
        for (value, byte) in alphabet.enumerated() { values[Int(byte)] = UInt8(value) }
        return values
    }()

    public static func encode(_ bytes: [UInt8]) -> String {
        String(unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4) { out in
            var place = 0
            for start in stride(from: 0, to: bytes.count, by: 3) {
                let count = min(3, bytes.count - start)
                var bits = 0
                for index in 0..<3 { bits = bits << 8 | (index < count ? Int(bytes[start + index]) : 0) }
                for index in 0..<4 {
                    out[place] = index <= count ? alphabet[bits >> (18 - 6 * index) & 63] : pad
                    place += 1
                }
            }
            return place
        }
    }

    /// The bytes; nil for another alphabet, missing or extra padding, bits behind the end that are not zero.
    public static func decode(_ text: String) -> [UInt8]? {
        var text = text
        return text.withUTF8(decode)
    }

    private static func decode(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        guard text.count.isMultiple(of: 4) else { return nil }
        let padding = text.suffix(2).reversed().prefix { $0 == pad }.count
        var out: [UInt8] = []
        out.reserveCapacity(text.count / 4 * 3)
        for start in stride(from: 0, to: text.count, by: 4) {
            let digits = start + 4 == text.count ? 4 - padding : 4
            var bits = 0
            for index in 0..<4 {
                let value = index < digits ? values[Int(text[start + index])] : 0
                guard value < 64 else { return nil }
                bits = bits << 6 | Int(value)
            }
            for index in 0..<(digits - 1) { out.append(UInt8(truncatingIfNeeded: bits >> (16 - 8 * index))) }
            guard bits & (1 << (8 * (4 - digits)) - 1) == 0 else { return nil }
        }
        return out
    }
}
