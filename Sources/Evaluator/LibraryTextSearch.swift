import Language

/// A text looked for in texts, scalar by scalar: no canonical equivalence, unlike Swift's own search.
public struct TextSearch {
    private let needle: [UInt8]

    init(_ text: String) {
        needle = Array(text.utf8)
    }

    /// The byte offset of the first occurrence from `start` on.
    func first(in bytes: [UInt8], from start: Int = 0) -> Int? {
        guard let head = needle.first else { return start <= bytes.count ? start : nil }
        let last = bytes.count - needle.count
        var place = start
        while place <= last {
            if bytes[place] == head, bytes[place..<(place + needle.count)].elementsEqual(needle) { return place }
            place += 1
        }
        return nil
    }

    func split(_ text: String, limit: Int) -> [String] {
        let bytes = Array(text.utf8)
        var pieces: [String] = []
        var start = 0
        while pieces.count + 1 < limit, let place = first(in: bytes, from: start) {
            pieces.append(String(decoding: bytes[start..<place], as: UTF8.self))
            start = place + needle.count
        }
        return pieces + [String(decoding: bytes[start...], as: UTF8.self)]
    }

    /// Nil when nothing is to be replaced.
    func replace(_ text: String, with replacement: String) throws(Failure) -> String? {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var start = 0
        while let place = first(in: bytes, from: start) {
            result += bytes[start..<place]
            result += replacement.utf8
            start = place + needle.count
            try Limit.check(result.count, Limit.bytes, "bytes")
        }
        guard start > 0 else { return nil }
        return String(decoding: result + bytes[start...], as: UTF8.self)
    }

    /// How many scalars stand before the byte offset.
    static func scalars(before offset: Int, in bytes: [UInt8]) -> Int {
        bytes[..<offset].count { $0 & 0xC0 != 0x80 }
    }

    /// Lines end with \n or \r\n; an end at the very end begins no further line.
    public static func lines(_ text: String) -> [String] {
        var lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines.map { line in
            String(Substring(line.last == UInt8(ascii: "\r") ? line.dropLast() : line))
        }
    }
}

extension Library {
    static func registerTextSearch(in machine: Machine) {
        machine.add(
            "(starts-with? text start)", 2...2, "Whether the text begins with another.",
            "(starts-with? \"meta\" \"me\") => true", lineage: .plain
        ) { arguments throws(Failure) in
            .bool(try arguments.string(0).utf8.starts(with: try arguments.string(1).utf8))
        }
        machine.add(
            "(ends-with? text end)", 2...2, "Whether the text ends with another.",
            "(ends-with? \"a.csv\" \".csv\") => true", lineage: .plain
        ) { arguments throws(Failure) in
            .bool(try arguments.string(0).utf8.reversed().starts(with: try arguments.string(1).utf8.reversed()))
        }
        machine.add(
            "(includes? collection item)", 2...2,
            "Whether a collection has an item equal to this one, a text this text in it, an object this value.",
            "(includes? [1 2 3] 2) => true", "(includes? \"haystack\" \"st\") => true", lineage: .plain
        ) { arguments throws(Failure) in .bool(try place(&arguments) != nil) }
        machine.add(
            "(index-of collection item)", 2...2, "Where the item, or in a text the text, first is; null when nowhere.",
            "(index-of [5 6 7] 6) => 1", "(index-of \"héllo\" \"l\") => 2", "(index-of [1] 9) => null"
        ) { arguments throws(Failure) in try place(&arguments).map(Value.int) ?? .null }
        machine.add(
            "(replace text old new)", 3...3,
            "The text with every occurrence of old replaced; re.replace takes a pattern.",
            "(replace \"a-b-c\" \"-\" \"+\") => \"a+b+c\""
        ) { arguments throws(Failure) in
            let (text, old) = (try arguments.onlyString(0), try arguments.onlyString(1))
            let new = display(try arguments.data(2))
            guard !old.isEmpty else { throw arguments.wrong(1, "a text of at least one character") }
            return .text(try TextSearch(old).replace(text, with: new) ?? text)
        }
    }

    private static func place(_ arguments: inout Arguments) throws(Failure) -> Int? {
        switch try arguments.data(0) {
        case .string(let text):
            let bytes = Array(text.string.utf8)
            let offset = TextSearch(try arguments.string(1)).first(in: bytes)
            return offset.map { TextSearch.scalars(before: $0, in: bytes) }
        case .object(let object): return try place(of: arguments[1], in: Array(object.entries.values))
        default: return try place(of: arguments[1], in: try arguments.sequence(0))
        }
    }

    private static func place(of item: Value, in items: [Value]) throws(Failure) -> Int? {
        for index in items.indices where try Value.equal(items[index], item) { return index }
        return nil
    }
}
