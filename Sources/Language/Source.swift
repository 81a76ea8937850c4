/// A text that is read: a file, a line at the prompt, a piece of `--exec`. Spans are offsets into its UTF-8 bytes.
public final class Source: Sendable {
    /// What a person calls it: a path, `<stdin>`, `<prompt 3>`.
    public let name: String
    public let bytes: [UInt8]
    /// The line number of the first line, 1 unless the text was cut out of a larger one.
    public let firstLine: Int

    public init(name: String, text: String, firstLine: Int = 1) {
        self.name = name
        self.bytes = Array(text.utf8)
        self.firstLine = firstLine
    }

    /// The place of a byte offset: line and column counted from 1, columns in Unicode scalars, and the line's text.
    public func place(of offset: Int) -> Place {
        let end = min(max(offset, 0), bytes.count)
        let start = bytes[..<end].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        let lineEnd = bytes[end...].firstIndex(of: 0x0A) ?? bytes.count
        let line = firstLine + bytes[..<start].count { $0 == 0x0A }
        let column = bytes[start..<end].count { $0 & 0xC0 != 0x80 } + 1
        return Place(line: line, column: column, text: String(decoding: bytes[start..<lineEnd], as: UTF8.self))
    }

    public func text(of span: Span) -> String {
        String(decoding: bytes[min(span.lower, bytes.count)..<min(span.upper, bytes.count)], as: UTF8.self)
    }
}

/// A line and column, both from 1, and the whole line's text.
public struct Place: Sendable {
    public let line: Int
    public let column: Int
    public let text: String
}

/// A half-open range of byte offsets into a source.
public struct Span: Sendable, Equatable {
    public var lower: Int
    public var upper: Int

    public init(_ lower: Int, _ upper: Int) {
        self.lower = lower
        self.upper = upper
    }
}

/// A span of a source.
public struct Location: Sendable {
    public let source: Source
    public let span: Span

    public init(source: Source, span: Span) {
        self.source = source
        self.span = span
    }

    /// `file.meta:3`
    public var text: String { "\(source.name):\(source.place(of: span.lower).line)" }
}

/// Where a form was read: its source, its own span, and the spans of its items (an object's: its values).
public final class Origin: Sendable {
    public let source: Source
    public let span: Span
    public let items: [Span]

    public init(source: Source, span: Span, items: [Span]) {
        self.source = source
        self.span = span
        self.items = items
    }
}
