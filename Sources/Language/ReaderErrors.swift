extension Reader {
    func malformed(
        _ code: String, _ message: String, at offset: Int, length: Int = 1, help: String? = nil
    ) -> ReadError {
        .malformed(Failure(code, message, help: help, span: Span(offset, offset + length)))
    }

    func incomplete(_ code: String, _ message: String, at offset: Int, length: Int = 1) -> ReadError {
        .incomplete(Failure(code, message, span: Span(offset, offset + length)))
    }

    func tooDeep(at offset: Int) -> ReadError {
        malformed("reader/depth", "forms nest deeper than \(Nesting.limit) levels", at: offset)
    }

    func unclosed(_ open: Int) -> ReadError {
        let place = source.place(of: open)
        let bracket = Character(Unicode.Scalar(bytes[open]))
        return incomplete(
            "reader/unclosed", "the \(bracket) at line \(place.line), column \(place.column) is not closed", at: open)
    }

    func unclosedString(_ start: Int) -> ReadError {
        let place = source.place(of: start)
        return incomplete(
            "reader/unclosed", "the string at line \(place.line), column \(place.column) is not closed", at: start)
    }

    func loneSurrogate(_ offset: Int) -> ReadError {
        malformed(
            "reader/surrogate", "a lone surrogate is not text", at: offset, length: 6,
            help: "write the pair, as in \\ud83d\\ude00, or the character itself")
    }

    func strayClose() -> ReadError {
        let bracket = Character(Unicode.Scalar(bytes[position]))
        let isQuoted = position > 0 && bytes[position - 1] == UInt8(ascii: "'")
        return malformed(
            "reader/close", "nothing is open that \(bracket) closes", at: position,
            help: isQuoted ? "a string takes double quotes: \"hi\" is one, 'hi is the symbol hi, quoted" : nil)
    }

    func mismatch(open: Int, close: UInt8) -> ReadError {
        let place = source.place(of: open)
        let (opened, wanted) = (Character(Unicode.Scalar(bytes[open])), Character(Unicode.Scalar(close)))
        let given = Character(Unicode.Scalar(bytes[position]))
        return malformed(
            "reader/mismatch",
            "the \(opened) at line \(place.line), column \(place.column) is closed by \(wanted), got \(given)",
            at: position)
    }

    func strayCharacter(at offset: Int) -> ReadError {
        let byte = bytes[offset]
        let help = byte == UInt8(ascii: "\\") ? "a backslash stands in strings only; a function is (fn (x) …)" : nil
        let name = byte < 0x20 || byte == 0x7F ? "control character \(byte)" : "\(Character(Unicode.Scalar(byte)))"
        return malformed("reader/character", "\(name) starts no form", at: offset, help: help)
    }

    /// White space beyond ASCII, controls and invisible characters: nobody sees them in a name.
    static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.value >= 0x80 else { return false }
        if scalar.properties.isWhitespace || "“”‘’".unicodeScalars.contains(scalar) { return true }
        switch scalar.properties.generalCategory {
        case .control, .format, .unassigned, .privateUse, .lineSeparator, .paragraphSeparator: return true
        default: return false
        }
    }

    func forbidden(_ scalar: Unicode.Scalar, in text: String, at start: Int) -> ReadError {
        let offset = text.unicodeScalars.prefix { $0 != scalar }.reduce(0) { $0 + UTF8.width($1) }
        let digits = String(scalar.value, radix: 16, uppercase: true)
        let code = "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        let isQuote = "“”‘’".unicodeScalars.contains(scalar)
        return malformed(
            "reader/character", "\(code) cannot stand in a name", at: start + offset, length: UTF8.width(scalar),
            help: isQuote ? "strings take straight quotes: \"…\"" : "it looks like a space or like nothing; delete it")
    }
}
