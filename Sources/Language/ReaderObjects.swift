extension Reader {
    private struct Entry {
        let key: Form
        let value: Form
    }

    /// `{k v …}`: keys are names, strings or keywords, each once. With an unquoted key it is an `(object …)` form.
    mutating func object() throws(ReadError) -> Form {
        let start = position
        position += 1
        var entries: [Entry] = []
        while true {
            try skipSpace(open: start)
            if peek == UInt8(ascii: "}") { break }
            if peek == UInt8(ascii: ")") || peek == UInt8(ascii: "]") {
                throw mismatch(open: start, close: UInt8(ascii: "}"))
            }
            entries.append(try entry(open: start))
        }
        position += 1
        let span = Span(start, position)
        if entries.contains(where: { $0.key.value.nameText == nil }) { return constructor(entries, span) }
        return try literal(entries, span)
    }

    private mutating func entry(open: Int) throws(ReadError) -> Entry {
        let key = try key()
        skipColon(behind: key)
        try skipSpace(open: open)
        guard peek != UInt8(ascii: "}") else {
            throw malformed(
                "reader/object", "the key \(Printer.text(key.value)) has no value", at: key.span.lower,
                length: key.span.upper - key.span.lower)
        }
        if peek == UInt8(ascii: ")") || peek == UInt8(ascii: "]") {
            throw mismatch(open: open, close: UInt8(ascii: "}"))
        }
        return Entry(key: key, value: try form())
    }

    private mutating func key() throws(ReadError) -> Form {
        let start = position
        switch bytes[position] {
        case UInt8(ascii: "\""):
            let text = try string()
            return Form(.text(text), Span(start, position))
        case UInt8(ascii: ","), UInt8(ascii: "@"): return try form()
        case let byte where Token.isName(byte): return try bareKey()
        default: throw badKey(at: start)
        }
    }

    private mutating func bareKey() throws(ReadError) -> Form {
        let start = position
        let text = try token(endsAtColon: true)
        let span = Span(start, position)
        if text == ":" {
            let failure = Failure("reader/keyword", "a key must stand before the colon", span: span)
            throw position == bytes.count ? .incomplete(failure) : .malformed(failure)
        }
        if text == "#", position == bytes.count {
            throw incomplete("reader/incomplete", "a key must follow", at: start)
        }
        guard !Token.startsNumber(text), !text.hasPrefix("#") else { throw badKey(at: start) }
        return Form(.name(text.hasPrefix(":") ? String(text.dropFirst()) : text), span)
    }

    /// Skips the colon that decorates a key: glued to it, or standing where JSON allows it.
    private mutating func skipColon(behind key: Form) {
        if peek == UInt8(ascii: ":"), position == key.span.upper {
            position += 1
            return
        }
        let before = position
        while let byte = peek, Token.isSpace(byte) { position += 1 }
        guard peek == UInt8(ascii: ":"), isDecoration(behind: key) else {
            position = before
            return
        }
        position += 1
    }

    /// Whether the colon at the position, apart from its key, is JSON's and not a keyword's.
    private func isDecoration(behind key: Form) -> Bool {
        guard let next = peek(1) else { return false }
        if !Token.isName(next) || Token.isDigit(next) || next == UInt8(ascii: "-") { return true }
        guard case .string = key.value else { return false }
        let word = bytes[(position + 1)...].prefix(while: Token.isName)
        return ["true", "false", "null"].contains { word.elementsEqual($0.utf8) }
    }

    private func literal(_ entries: [Entry], _ span: Span) throws(ReadError) -> Form {
        var result = Object.Entries()
        for entry in entries {
            guard let name = entry.key.value.nameText else { continue }
            if result.updateValue(entry.value.value, forKey: Key(name)) != nil {
                throw malformed(
                    "reader/duplicate", "duplicate key \(Printer.key(name))", at: entry.key.span.lower,
                    length: entry.key.span.upper - entry.key.span.lower)
            }
        }
        let origin = Origin(source: source, span: span, items: entries.map(\.value.span))
        return Form(.object(Object(result, origin: origin)), span)
    }

    private func constructor(_ entries: [Entry], _ span: Span) -> Form {
        var items = [Form(.name("object"), Span(span.lower, span.lower + 1))]
        for entry in entries {
            let key = entry.key.value.nameText.map { Form(.text($0), entry.key.span) } ?? entry.key
            items += [key, entry.value]
        }
        return list(items, span)
    }

    private func badKey(at offset: Int) -> ReadError {
        malformed(
            "reader/key", "an object's key is a name, a string or a keyword", at: offset,
            help: "(object k v …) evaluates its keys; [[k v] …] pairs anything")
    }
}
