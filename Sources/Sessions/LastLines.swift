/// The end of what a session wrote on standard error: at most 20 lines and 4 KiB.
struct LastLines {
    private static let bytes = 4096
    private static let lines = 20

    private var kept: [UInt8] = []

    mutating func take(_ bytes: some Collection<UInt8>) {
        kept.append(contentsOf: bytes.suffix(Self.bytes))
        if kept.count > 2 * Self.bytes { kept.removeFirst(kept.count - Self.bytes) }
    }

    var lines: [String] {
        kept.suffix(Self.bytes).split(separator: 10, omittingEmptySubsequences: true).suffix(Self.lines)
            .map { String(decoding: $0, as: UTF8.self) }
    }
}
