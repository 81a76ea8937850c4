import Language

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

    /// A guess for the other languages: brackets and quotes that are open, a block of Python that has no blank line yet,
    /// a shell line that ends in a backslash.
    static func isComplete(_ text: String, in language: String) -> Bool {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let last = lines.last else { return true }
        if last.trimmed.isEmpty, lines.count > 1 { return true }
        if last.last == "\\" { return false }
        switch language {
        case "py": return !isOpen(text, comment: "#") && !opensBlock(lines)
        case "js": return !isOpen(text, comment: nil)
        default: return !isOpenShell(text)
        }
    }

    private static func opensBlock(_ lines: [Substring]) -> Bool {
        guard let last = lines.last else { return false }
        if last.trimmed.last == ":" { return true }
        return lines.count > 1 && (last.first == " " || last.first == "\t")
    }

    private static func isOpen(_ text: String, comment: Character?) -> Bool {
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
                if character == open || (character == "\n" && open != "`") { quote = nil }
            } else {
                switch character {
                case "\"", "'", "`": quote = character
                case "(", "[", "{": depth += 1
                case ")", "]", "}": depth -= 1
                default: isComment = character == comment
                }
            }
        }
        return depth > 0 || quote == "`" || text.components(of: "\"\"\"").isMultiple(of: 2)
    }

    private static func isOpenShell(_ text: String) -> Bool {
        var quote: Character?
        var isEscaped = false
        for character in text {
            if isEscaped {
                isEscaped = false
            } else if character == "\\", quote != "'" {
                isEscaped = true
            } else if let open = quote {
                if character == open { quote = nil }
            } else if character == "'" || character == "\"" {
                quote = character
            }
        }
        if quote != nil { return true }
        let words = text.split { " \t\n;".contains($0) }
        let opened = words.count { ["if", "case", "do", "{"].contains($0) }
        let closed = words.count { ["fi", "esac", "done", "}"].contains($0) }
        return opened > closed
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
