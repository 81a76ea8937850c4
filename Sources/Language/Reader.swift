/// Text to forms. Reads a source form by form; comments and commas between forms are skipped.
public struct Reader {
    let source: Source
    var position = 0
    var depth = 0
    /// How many backquotes, less unquotes, are around the position.
    var quasiquotes = 0
    /// Whether the position is inside `#( … )`.
    private var isInShorthand = false

    public init(_ source: Source) {
        self.source = source
        if source.bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        if source.bytes[position...].starts(with: [UInt8(ascii: "#"), UInt8(ascii: "!")]) { skipLine() }
    }

    /// The next form, nil at the end of the text.
    public mutating func next() throws(ReadError) -> Form? {
        try skipSpace()
        guard position < bytes.count else { return nil }
        return try form()
    }

    /// Goes on reading at a byte offset, past text that does not read.
    public mutating func skip(to offset: Int) {
        position = offset
        quasiquotes = 0
        isInShorthand = false
    }

    /// All forms of a text.
    public static func read(_ source: Source) throws(ReadError) -> [Form] {
        var reader = Reader(source)
        var forms: [Form] = []
        while let form = try reader.next() { forms.append(form) }
        return forms
    }

    var bytes: [UInt8] { source.bytes }

    var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    func peek(_ distance: Int) -> UInt8? {
        position + distance < bytes.count ? bytes[position + distance] : nil
    }

    func starts(with text: StaticString) -> Bool {
        guard position + text.utf8CodeUnitCount <= bytes.count else { return false }
        return (0..<text.utf8CodeUnitCount).allSatisfy { bytes[position + $0] == text.utf8Start[$0] }
    }

    // MARK: Forms

    /// - Parameter isHead: whether the form stands right after an opening bracket.
    mutating func form(isHead: Bool = false) throws(ReadError) -> Form {
        depth += 1
        defer { depth -= 1 }
        let start = position
        if depth > Nesting.limit, !Token.isAtom(bytes[start]) { throw tooDeep(at: start) }
        switch bytes[position] {
        case UInt8(ascii: "("):
            position += 1
            return try sequence(from: start, prefix: [], close: UInt8(ascii: ")"))
        case UInt8(ascii: "["):
            position += 1
            return try sequence(from: start, prefix: [], close: UInt8(ascii: "]"))
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"): throw strayClose()
        case UInt8(ascii: "\""): return try stringForm()
        case UInt8(ascii: "'"): return try marked("quote", length: 1)
        case UInt8(ascii: "`"): return try backquote()
        case UInt8(ascii: ","): return try unquote()
        case UInt8(ascii: "@"): return try splice(length: 1)
        case UInt8(ascii: "#"): return try dispatch()
        default: return try name(isHead: isHead)
        }
    }

    /// A list or vector, its opening bracket read.
    mutating func sequence(from start: Int, prefix: [Form], close: UInt8) throws(ReadError) -> Form {
        let open = position - 1
        var items = prefix
        while true {
            try skipSpace(open: open)
            if peek == close { break }
            if let byte = peek, [UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}")].contains(byte) {
                throw mismatch(open: open, close: close)
            }
            items.append(try form(isHead: items.isEmpty && close == UInt8(ascii: ")")))
        }
        position += 1
        let span = Span(start, position)
        if close == UInt8(ascii: "]") { return Form(.vector(box(items, span)), span) }
        return Form(items.isEmpty ? .null : .list(box(items, span)), span)
    }

    func box(_ items: [Form], _ span: Span) -> Items {
        Items(items.map(\.value), origin: Origin(source: source, span: span, items: items.map(\.span)))
    }

    private mutating func marked(_ name: String, length: Int) throws(ReadError) -> Form {
        let start = position
        position += length
        let head = Form(.name(name), Span(start, position))
        try skipSpace(after: "a form", from: start)
        return list([head, try form()], Span(start, position))
    }

    func list(_ items: [Form], _ span: Span) -> Form {
        Form(.list(box(items, span)), Span(span.lower, position))
    }

    // MARK: Backquote

    private mutating func backquote() throws(ReadError) -> Form {
        if isAtLineStart, starts(with: "```") { return try fence() }
        quasiquotes += 1
        defer { quasiquotes -= 1 }
        return try marked("quasiquote", length: 1)
    }

    private mutating func unquote() throws(ReadError) -> Form {
        let isSplice = peek(1) == UInt8(ascii: "@")
        return try unquoted(isSplice ? "unquote-splicing" : "unquote", length: isSplice ? 2 : 1)
    }

    mutating func splice(length: Int) throws(ReadError) -> Form {
        guard quasiquotes > 0 else {
            throw malformed(
                "reader/splice", "@ splices inside a backquote only", at: position,
                help: "`(f @xs) builds a list; (apply f xs) calls with the items of xs")
        }
        return try unquoted("unquote-splicing", length: length)
    }

    private mutating func unquoted(_ name: String, length: Int) throws(ReadError) -> Form {
        quasiquotes -= 1
        defer { quasiquotes += 1 }
        return try marked(name, length: length)
    }

    // MARK: Shorthand

    private mutating func dispatch() throws(ReadError) -> Form {
        guard peek(1) == UInt8(ascii: "(") else { return try name(isHead: false) }
        let start = position
        guard !isInShorthand else {
            throw malformed(
                "reader/shorthand", "#( … ) does not nest", at: start, help: "write the inner one as (fn (x) …)")
        }
        isInShorthand = true
        defer { isInShorthand = false }
        position += 2
        let body = try sequence(from: start, prefix: [], close: UInt8(ascii: ")"))
        var count = 0
        let renamed = Shorthand.rename(body.value, count: &count)
        let parameters = (0..<count).map { Value.name("#\($0)") }
        let head = Form(.name("fn"), Span(start, start + 1))
        let form = Form(parameters.isEmpty ? .null : .list(Items(parameters)), head.span)
        return list([head, form, Form(renamed, body.span)], body.span)
    }

    // MARK: Between forms

    /// Skips white space, comments, skipped forms and the commas that are white space.
    private mutating func skipSpace() throws(ReadError) {
        while let byte = peek {
            switch byte {
            case UInt8(ascii: ";"): skipLine()
            case UInt8(ascii: ","):
                if try isUnquote() { return }
                position += 1
            case UInt8(ascii: "#") where peek(1) == UInt8(ascii: ";"): try skipForm()
            default:
                guard Token.isSpace(byte) else { return }
                position += 1
            }
        }
    }

    /// Skips to the next form or bracket inside the bracket at `open`.
    mutating func skipSpace(open: Int) throws(ReadError) {
        try skipSpace()
        if position == bytes.count { throw unclosed(open) }
    }

    private mutating func skipSpace(after wanted: String, from start: Int) throws(ReadError) {
        try skipSpace()
        guard position < bytes.count else {
            throw incomplete("reader/incomplete", "\(wanted) must follow", at: start)
        }
    }

    private mutating func skipForm() throws(ReadError) {
        let start = position
        depth += 1
        defer { depth -= 1 }
        if depth > Nesting.limit { throw tooDeep(at: start) }
        position += 2
        try skipSpace(after: "#; skips a form, which", from: start)
        _ = try form()
    }

    private mutating func skipLine() {
        while let byte = peek, byte != 0x0A { position += 1 }
    }

    var isAtLineStart: Bool {
        position == 0 || bytes[position - 1] == 0x0A
    }

    /// Whether the comma at the position unquotes: inside a backquote, it starts a token and something follows it.
    private func isUnquote() throws(ReadError) -> Bool {
        guard quasiquotes > 0 else { return false }
        let next = peek(1)
        if startsToken {
            guard let next else { return true }
            return !Token.isSpace(next)
        }
        guard let next, next == UInt8(ascii: "(") || next == UInt8(ascii: "@") || startsName(next) else { return false }
        throw malformed(
            "reader/comma", "a comma glued behind a form and before another, inside a backquote", at: position,
            help: "put a space before it to unquote, or behind it to separate")
    }

    private var startsToken: Bool {
        guard position > 0 else { return true }
        let before = bytes[position - 1]
        return Token.isSpace(before)
            || [
                UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "`"), UInt8(ascii: ","),
                UInt8(ascii: "'"),
            ].contains(before)
    }

    private func startsName(_ byte: UInt8) -> Bool {
        Token.isName(byte) && !Token.isDigit(byte) && byte != UInt8(ascii: "-")
    }
}

/// The function shorthand `#( … )`.
private enum Shorthand {
    /// The body with `#` as `#0`, a path behind it kept; `count` becomes the number of parameters it uses.
    static func rename(_ value: Value, count: inout Int) -> Value {
        switch value {
        case .symbol(let symbol):
            guard symbol.name.hasPrefix("#") else { return value }
            let digits = symbol.name.dropFirst().prefix { $0 != "." }
            guard let index = digits.isEmpty ? 0 : Int(digits) else { return value }
            count = max(count, index + 1)
            return digits.isEmpty ? .name("#0" + symbol.name.dropFirst()) : value
        case .list(let items): return .list(rename(items, count: &count))
        case .vector(let items): return .vector(rename(items, count: &count))
        case .object(let object):
            return .object(
                Object(object.entries.mapValues { rename($0, count: &count) }, origin: object.origin))
        case .null, .bool, .int, .double, .big, .string, .keyword, .function, .error, .tagged, .meta, .cell:
            return value
        }
    }

    private static func rename(_ items: Items, count: inout Int) -> Items {
        Items(items.elements.map { rename($0, count: &count) }, origin: items.origin)
    }
}
