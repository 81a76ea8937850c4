extension Reader {
    // MARK: Names and numbers

    /// A symbol, keyword, constant or number; with a bracket glued behind a symbol, a call.
    mutating func name(isHead: Bool) throws(ReadError) -> Form {
        if starts(with: "...@"), quasiquotes > 0 { return try splice(length: 4) }
        let start = position
        let text = try token()
        let span = Span(start, position)
        if Token.startsNumber(text) { return Form(try number(text, span), span) }
        try check(text, span)
        if text.hasSuffix(":"), text.utf8.count > 1, !text.hasPrefix(":") {
            return Form(.keyword(Symbol(String(text.dropLast()))), span)
        }
        let value = Token.name(text)
        guard case .symbol = value else { return Form(value, span) }
        return try glued(Form(value, span), text, isHead: isHead)
    }

    /// The run of name characters at the position.
    ///
    /// - Parameter endsAtColon: whether a colon past the first character ends it, as it does an object's key.
    mutating func token(endsAtColon: Bool = false) throws(ReadError) -> String {
        let start = position
        while let byte = peek, Token.isName(byte) {
            if endsAtColon, byte == UInt8(ascii: ":"), position > start { break }
            position += 1
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard !text.isEmpty else { throw strayCharacter(at: start) }
        if let bad = text.unicodeScalars.first(where: Self.isForbidden) { throw forbidden(bad, in: text, at: start) }
        return text
    }

    private func number(_ text: String, _ span: Span) throws(ReadError) -> Value {
        let isAtEnd = span.upper == bytes.count
        switch Token.number(text) {
        case .value(let value): return value
        case .incomplete:
            let failure = Failure("reader/number", "\(Printer.quoted(text)) is not a whole number", span: span)
            throw isAtEnd ? .incomplete(failure) : .malformed(failure)
        case .outOfRange(var failure):
            failure.span = span
            throw isAtEnd ? .incomplete(failure) : .malformed(failure)
        case .malformed(var failure):
            failure.span = span
            throw .malformed(failure)
        }
    }

    private func check(_ text: String, _ span: Span) throws(ReadError) {
        if text == ":" {
            let failure = Failure("reader/keyword", "a keyword's name must follow the colon, as in :name", span: span)
            throw span.upper == bytes.count ? .incomplete(failure) : .malformed(failure)
        }
        guard text.hasPrefix("#"), text != "#" else { return }
        let behind = text.utf8.dropFirst().drop { Token.isDigit($0) }
        if behind.isEmpty || behind.first == UInt8(ascii: ".") { return }
        let what = text.hasPrefix("#<") ? "this is how meta prints what has no readable form" : "unknown syntax"
        throw malformed(
            "reader/dispatch", "\(Printer.quoted(text)): \(what)", at: span.lower,
            help: "# starts #(…), a function, with # #0 #1 #.key for its arguments, and #;form, a skipped form")
    }

    private mutating func glued(_ head: Form, _ text: String, isHead: Bool) throws(ReadError) -> Form {
        guard peek == UInt8(ascii: "(") else {
            guard peek == UInt8(ascii: "[") else { return head }
            throw malformed(
                "reader/index", "a bracket right behind the name \(text)", at: position,
                help: "(get \(text) 0) gives an item; put a space before a vector")
        }
        if isHead, SpecialForm(rawValue: text) != nil {
            throw malformed(
                "reader/head", "\(text)( … ) right after a bracket would be a call of its result", at: head.span.lower,
                help: "put a space behind the name: (\(text) (…")
        }
        if depth > Nesting.limit { throw tooDeep(at: head.span.lower) }
        position += 1
        return try sequence(from: head.span.lower, prefix: [head], close: UInt8(ascii: ")"))
    }

    // MARK: Strings

    /// A string in quotes, with a decorative colon behind it.
    mutating func stringForm() throws(ReadError) -> Form {
        let start = position
        let text = try string()
        let span = Span(start, position)
        if peek == UInt8(ascii: ":"), !(peek(1).map(Token.isName) ?? false) { position += 1 }
        return Form(.text(text), span)
    }

    mutating func string() throws(ReadError) -> String {
        starts(with: "\"\"\"") ? try rawString() : try escapedString()
    }

    private mutating func rawString() throws(ReadError) -> String {
        let start = position
        position += 3
        let content = position
        while position < bytes.count {
            if starts(with: "\"\"\"") {
                position += 3
                return String(decoding: bytes[content..<position - 3], as: UTF8.self)
            }
            position += 1
        }
        throw incomplete("reader/unclosed", "the \"\"\" here is not closed", at: start, length: 3)
    }

    private mutating func escapedString() throws(ReadError) -> String {
        let start = position
        position += 1
        var decoded: [UInt8] = []
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return String(decoding: decoded, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &decoded, string: start)
            default:
                decoded.append(byte)
                position += 1
            }
        }
        throw unclosedString(start)
    }

    private mutating func escape(into decoded: inout [UInt8], string: Int) throws(ReadError) {
        let start = position
        position += 1
        guard let letter = peek else { throw unclosedString(string) }
        position += 1
        if let byte = StringEscape.byte(for: letter) { return decoded.append(byte) }
        guard letter == UInt8(ascii: "u") else {
            throw malformed(
                "reader/escape", "unknown escape in a string", at: start,
                help: #"the escapes are \" \\ \/ \n \t \r \b \f \u00e9; """…""" takes text as it is"#)
        }
        let scalar = try unicodeEscape(at: start, string: string)
        decoded.append(contentsOf: String(Character(scalar)).utf8)
    }

    private mutating func unicodeEscape(at start: Int, string: Int) throws(ReadError) -> Unicode.Scalar {
        let first = try fourDigits(at: start, string: string)
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00 else { throw loneSurrogate(start) }
        for expected in [UInt8(ascii: "\\"), UInt8(ascii: "u")] {
            guard let byte = peek else { throw unclosedString(string) }
            guard byte == expected else { throw loneSurrogate(start) }
            position += 1
        }
        let second = try fourDigits(at: start, string: string)
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw loneSurrogate(start) }
        return scalar
    }

    private mutating func fourDigits(at start: Int, string: Int) throws(ReadError) -> UInt32 {
        var result: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek else { throw unclosedString(string) }
            guard let digit = StringEscape.hexDigit(byte) else {
                throw malformed("reader/escape", "\\u takes four hexadecimal digits", at: start)
            }
            result = result << 4 | UInt32(digit)
            position += 1
        }
        return result
    }

    // MARK: Fences

    /// A block of code in another language: a line ```` ```py ````, the code, a line ```` ``` ````.
    mutating func fence() throws(ReadError) -> Form {
        let start = position
        position += 3
        let language = try fenceLanguage(from: start)
        let content = position
        while position < bytes.count {
            if isAtLineStart, starts(with: "```"), isBlank(from: position + 3) {
                let code = bytes[content..<max(content, position - 1)]
                position += 3
                let items = [
                    Form(.name(language), Span(start, start + 3 + language.utf8.count)),
                    Form(.text(String(decoding: code, as: UTF8.self)), Span(content, position - 3)),
                ]
                return list(items, Span(start, position))
            }
            position += 1
        }
        throw incomplete("reader/unclosed", "the fence here is not closed", at: start, length: 3)
    }

    private mutating func fenceLanguage(from start: Int) throws(ReadError) -> String {
        let nameStart = position
        while let byte = peek, byte != 0x0A { position += 1 }
        let line = String(decoding: bytes[nameStart..<position], as: UTF8.self)
        let name = String(line.drop { $0 == " " }.prefix { $0 != " " && $0 != "\r" })
        let isName = !name.isEmpty && name.utf8.allSatisfy(Token.isName)
        if peek == nil, isName || name.isEmpty {
            throw incomplete("reader/unclosed", "the fence here is not closed", at: start, length: 3)
        }
        guard isName else {
            throw malformed("reader/fence", "a fence names its language, as in ```py", at: start)
        }
        position += 1
        return name
    }

    private func isBlank(from offset: Int) -> Bool {
        bytes[offset...].prefix { $0 != 0x0A }.allSatisfy(Token.isSpace)
    }
}
