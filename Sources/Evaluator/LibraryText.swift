import Language

/// Texts whole: case, trimming, padding, pieces.
extension Library {
    static func registerText(in machine: Machine) {
        registerShape(in: machine)
        registerPieces(in: machine)
        registerNames(in: machine)
    }

    private static func registerShape(in machine: Machine) {
        machine.add("(upper text)", 1...1, "The text in capitals.", "(upper \"straße\") => \"STRASSE\"") {
            arguments throws(Failure) in .text(try arguments.string(0).uppercased())
        }
        machine.add("(lower text)", 1...1, "The text in small letters.", "(lower \"ÄB\") => \"äb\"") {
            arguments throws(Failure) in .text(try arguments.string(0).lowercased())
        }
        machine.add(
            "(trim text characters)", 1...2, "The text without white space, or those characters, at both ends.",
            "(trim \"  a b \") => \"a b\"", "(trim \"--x-\" \"-\") => \"x\""
        ) { arguments throws(Failure) in
            let text = try arguments.string(0)
            guard arguments.count == 2 else { return .text(text.trimmed) }
            let unwanted = Set(try arguments.onlyString(1).unicodeScalars)
            return .text(text.trimmed(where: unwanted.contains))
        }
        machine.add(
            "(pad-start text width fill)", 2...3, "The text, filled at its start to so many characters.",
            "(pad-start 7 3) => \"  7\"", "(pad-start \"7\" 3 \"0\") => \"007\""
        ) { arguments throws(Failure) in
            let (text, fill) = try padding(&arguments)
            return .text(fill + text)
        }
        machine.add(
            "(pad-end text width fill)", 2...3, "The text, filled at its end to so many characters.",
            "(pad-end \"ab\" 4) => \"ab  \""
        ) { arguments throws(Failure) in
            let (text, fill) = try padding(&arguments)
            return .text(text + fill)
        }
        machine.add(
            "(repeat value times)", 2...2, "A text so many times in a row; a vector of another value so many times.",
            "(repeat \"ab\" 3) => \"ababab\"", "(repeat 0 2) => [0 0]"
        ) { arguments throws(Failure) in
            let times = try arguments.size(1)
            guard case .string(let text) = try arguments.data(0) else {
                try Limit.check(times, Limit.items, "items")
                return .vector(Items(Array(repeating: arguments[0], count: times)))
            }
            _ = try Limit.product(text.string.utf8.count, times, Limit.bytes, "bytes")
            return .text(text.string.isEmpty ? "" : String(repeating: text.string, count: times))
        }
    }

    private static func padding(_ arguments: inout Arguments) throws(Failure) -> (text: String, fill: String) {
        let text = display(try arguments.data(0))
        let width = try arguments.size(1)
        let filling = arguments.count == 3 ? Array(try arguments.onlyString(2).unicodeScalars) : [" "]
        let missing = width - text.unicodeScalars.count
        guard missing > 0, !filling.isEmpty else { return (text, "") }
        try Limit.check(missing, Limit.bytes / 4, "characters")
        return (text, (0..<missing).lazy.map { filling[$0 % filling.count] }.text)
    }

    private static func registerPieces(in machine: Machine) {
        machine.add(
            "(split text separator limit)", 1...3,
            "The pieces between separators, at most limit of them; at white space without one; characters for \"\".",
            "(split \"a,b,,c\" \",\") => [\"a\" \"b\" \"\" \"c\"]", "(split \" a  b \") => [\"a\" \"b\"]",
            "(split \"k=v=w\" \"=\" 2) => [\"k\" \"v=w\"]"
        ) { arguments throws(Failure) in
            let text = try arguments.string(0)
            guard arguments.count > 1, case let given = try arguments.data(1), !given.isNull else {
                return .texts(text.unicodeScalars.split { $0.properties.isWhitespace }.map { $0.text })
            }
            let separator = try arguments.onlyString(1)
            let limit = arguments.count == 3 ? max(1, try arguments.size(2)) : .max
            guard !separator.isEmpty else { return .texts(text.unicodeScalars.map { String($0) }) }
            return .texts(TextSearch(separator).split(text, limit: limit))
        }
        machine.add(
            "(join collection separator)", 1...2,
            "The items' texts in a row with the separator between them. Takes the two in either order.",
            "(join [1 2 3] \", \") => \"1, 2, 3\"", "(join \"-\" [\"a\" \"b\"]) => \"a-b\""
        ) { arguments throws(Failure) in
            guard arguments.count == 2 else { return .text(try joined(&arguments, 0, "")) }
            if case .string(let separator) = try arguments.data(0) {
                guard case .string = try arguments.data(1) else {
                    return .text(try joined(&arguments, 1, separator.string))
                }
            }
            return .text(try joined(&arguments, 0, try arguments.onlyString(1)))
        }
        machine.add(
            "(lines text)", 1...1, "The text's lines, without their ends.",
            "(lines \"a\\nb\\r\\nc\\n\") => [\"a\" \"b\" \"c\"]"
        ) { arguments throws(Failure) in .texts(TextSearch.lines(try arguments.string(0))) }
    }

    private static func joined(
        _ arguments: inout Arguments, _ index: Int, _ separator: String
    ) throws(Failure) -> String {
        var text = ""
        for (place, item) in try arguments.sequence(index).enumerated() {
            if place > 0 { text += separator }
            text += try Self.text(try arguments.look(item))
            try Limit.check(text.utf8.count, Limit.bytes, "bytes")
        }
        return text
    }

    private static func registerNames(in machine: Machine) {
        machine.add("(name value)", 1...1, "The text of a symbol, keyword or string.", "(name :age) => \"age\"") {
            arguments throws(Failure) in .text(try arguments.string(0))
        }
        machine.add("(symbol text)", 1...1, "The symbol of that name.", "(symbol \"x\") => 'x", lineage: .plain) {
            arguments throws(Failure) in .name(try arguments.string(0))
        }
        machine.add("(keyword text)", 1...1, "The keyword of that name.", "(keyword \"x\") => :x", lineage: .plain) {
            arguments throws(Failure) in .keyword(Symbol(try arguments.string(0)))
        }
        machine.add(
            "(char-code text)", 1...1, "The number of the text's first Unicode scalar.", "(char-code \"A\") => 65"
        ) {
            arguments throws(Failure) in
            guard let scalar = try arguments.string(0).unicodeScalars.first else {
                throw arguments.wrong(0, "a text of at least one character")
            }
            return .int(Int(scalar.value))
        }
        machine.add("(from-char-code number)", 1...1, "The text of a Unicode scalar.", "(from-char-code 955) => \"λ\"")
        {
            arguments throws(Failure) in
            guard let code = UInt32(exactly: try arguments.integer(0)), let scalar = Unicode.Scalar(code) else {
                throw arguments.wrong(0, "a Unicode scalar's number")
            }
            return .text(String(scalar))
        }
    }
}

extension Value {
    static func texts(_ texts: [String]) -> Value {
        .vector(Items(texts.map(Value.text)))
    }

    var isNull: Bool {
        if case .null = self { true } else { false }
    }
}

extension String {
    /// Without white space at both ends.
    var trimmed: String { trimmed { $0.properties.isWhitespace } }

    func trimmed(where isUnwanted: (Unicode.Scalar) -> Bool) -> String {
        let scalars = unicodeScalars
        guard let first = scalars.firstIndex(where: { !isUnwanted($0) }),
            let last = scalars.lastIndex(where: { !isUnwanted($0) })
        else { return "" }
        return String(scalars[first...last])
    }
}
