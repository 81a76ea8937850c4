import Language
import Wire

/// Whether Enter runs what was typed.
enum Completeness {
    /// The reader's word on meta text; nil when it is complete or can never be.
    static func open(_ text: String) -> String? {
        let source = Source(name: "<prompt>", text: text + "\n")
        do throws(ReadError) {
            _ = try Reader.read(source)
            return nil
        } catch {
            guard case .incomplete(let failure) = error else { return nil }
            return "unclosed: " + failure.message
        }
    }

    /// Asks the language itself where it can tell, and guesses otherwise.
    static func isComplete(_ text: String, in session: String, router: Router) -> Bool {
        switch session {
        case "py": return isCompletePython(text, router)
        case "sh": return isCompleteShell(text, router)
        default: return !OpenText.javaScript(text)
        }
    }

    // MARK: Python

    /// As Python's own prompt has it: brackets and quotes are closed, and a block ends at a blank line.
    private static func isCompletePython(_ text: String, _ router: Router) -> Bool {
        if isInsideBlock(text) { return false }
        // What is unfinished compiles to None.
        let request = Request.eval(
            "__import__('codeop').compile_command(__meta_text__, '<stdin>', 'exec') is None", name: "<prompt>")
        guard let body = try? Envelope.encode(.object(Object(["__meta_text__": .text(text)]))) else { return true }
        switch router.ask(request, body: body, of: "py") {
        case .answered(let answer): return answer.body != Array("true".utf8)
        // `async with` and the like are errors to codeop, which knows no await at the top.
        case .refused: return !(text.contains("async ") && opensBlock(text))
        case .silent: return !OpenText.python(text) && !opensBlock(text)
        }
    }

    private static func isInsideBlock(_ text: String) -> Bool {
        guard let end = text.lastIndex(of: "\n") else { return false }
        let last = text[text.index(after: end)...]
        return !last.trimmed.isEmpty && (last.first == " " || last.first == "\t")
    }

    private static func opensBlock(_ text: String) -> Bool {
        let end = text.lastIndex(of: "\n").map { text.index(after: $0) } ?? text.startIndex
        return text[end...].trimmed.last == ":"
    }

    // MARK: The shell

    /// What `bash -n` says in English when a text stops too early.
    private static let unfinished = ["unexpected end of file", "unexpected EOF", "delimited by end-of-file"]

    private static func isCompleteShell(_ text: String, _ router: Router) -> Bool {
        if text.reversed().prefix(while: { $0 == "\\" }).count.isMultiple(of: 2) == false { return false }
        let words = ["LC_ALL=C", "bash", "-c", "bash -n -c \"$1\" 2>&1; :", "bash", text].map { Array($0.utf8) }
        guard !text.utf8.contains(0),
            case .answered(let answer) = router.ask(.call(["env"]), body: PlainFields.encode(words), of: "sh")
        else { return !OpenText.shell(text) }
        let said = String(decoding: answer.output, as: UTF8.self)
        return !unfinished.contains { said.contains($0) }
    }
}

/// Guesses at brackets and quotes that are open, for when the language cannot be asked.
enum OpenText {
    static func python(_ text: String) -> Bool {
        text.last == "\\" || isOpen(text, comment: "#", multiline: "")
            || ["\"\"\"", "'''"].contains { text.components(of: $0).isMultiple(of: 2) }
    }

    static func javaScript(_ text: String) -> Bool {
        isOpen(withoutComments(text), comment: nil, multiline: "`")
    }

    static func shell(_ text: String) -> Bool {
        text.last == "\\" || isOpen(text, comment: nil, multiline: "'\"")
    }

    /// Drops `// …` and `/* … */` in front of which no quote is open on the line; an open `/*` becomes an open bracket.
    private static func withoutComments(_ text: String) -> String {
        var kept = ""
        var rest = text[...]
        while let character = rest.first {
            if rest.hasPrefix("//"), kept.last != ":" {
                rest = rest.drop { $0 != "\n" }
            } else if rest.hasPrefix("/*") {
                guard let end = rest.dropFirst(2).firstRange(of: "*/") else { return kept + "(" }
                rest = rest[end.upperBound...]
            } else {
                kept.append(character)
                rest.removeFirst()
            }
        }
        return kept
    }

    /// - Parameter multiline: the quotes that a line's end does not close.
    private static func isOpen(_ text: String, comment: Character?, multiline: String) -> Bool {
        var depth = 0
        var quote: Character?
        var isEscaped = false
        var isComment = false
        for character in text {
            if isComment {
                isComment = character != "\n"
            } else if isEscaped {
                isEscaped = false
            } else if let open = quote {
                if character == "\\" { isEscaped = true }
                if character == open || (character == "\n" && !multiline.contains(open)) { quote = nil }
            } else {
                switch character {
                case "\"", "'", "`": quote = character
                case "(", "[", "{": depth += 1
                case ")", "]", "}": depth -= 1
                default: isComment = character == comment
                }
            }
        }
        return depth > 0 || quote.map { multiline.contains($0) } ?? false
    }
}

extension String {
    /// How many parts the separator cuts the text into.
    fileprivate func components(of separator: String) -> Int {
        var count = 1
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
