/// Bytes in, Unicode scalars out; what is not UTF-8 becomes U+FFFD. Keeps an unfinished sequence for the next bytes.
struct ScalarDecoder {
    private var bytes: [UInt8] = []
    private var position = 0

    mutating func append(_ more: some Sequence<UInt8>) {
        bytes.removeFirst(position)
        position = 0
        bytes.append(contentsOf: more)
    }

    /// The next scalar; nil when more bytes are needed.
    mutating func next() -> Unicode.Scalar? {
        guard position < bytes.count else { return nil }
        let first = bytes[position]
        guard let length = Self.length(first) else { return replace(1) }
        var value = length == 1 ? UInt32(first) : UInt32(first) & (0x7f >> UInt32(length))
        for offset in 1..<max(length, 1) {
            guard position + offset < bytes.count else { return nil }
            let byte = bytes[position + offset]
            guard byte & 0xc0 == 0x80 else { return replace(offset) }
            value = value << 6 | UInt32(byte & 0x3f)
        }
        let smallest: [UInt32] = [0, 0, 0x80, 0x800, 0x10000]
        guard value >= smallest[length], let scalar = Unicode.Scalar(value) else { return replace(length) }
        position += length
        return scalar
    }

    /// Takes `sequence` when it comes next.
    mutating func take(_ sequence: String) -> Bool {
        guard bytes[position...].starts(with: sequence.utf8) else { return false }
        position += sequence.utf8.count
        return true
    }

    private mutating func replace(_ count: Int) -> Unicode.Scalar {
        position += count
        return "\u{FFFD}"
    }

    private static func length(_ first: UInt8) -> Int? {
        switch first {
        case 0x00...0x7f: 1
        case 0xc2...0xdf: 2
        case 0xe0...0xef: 3
        case 0xf0...0xf4: 4
        default: nil
        }
    }
}
