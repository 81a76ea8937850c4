import Language

/// Values as words of a shell command: text, never source.
enum ShellWords {
    /// - Throws: `value/uncopyable` for what is no text, `value/nul` for text with a NUL.
    static func word(_ value: Value) throws(Failure) -> [UInt8] {
        let data = try value.unwrapped()
        let text: String
        switch data {
        case .string, .symbol, .keyword: text = data.nameText ?? ""
        case .int, .double, .big, .bool: text = Printer.text(data)
        case .null, .list, .vector, .object, .function, .error, .tagged, .meta, .cell:
            throw Failure(
                "value/uncopyable", "the shell takes text and numbers, got \(Printer.text(data, limit: 40))",
                help: help(data))
        }
        guard !text.utf8.contains(0) else { throw Failure("value/nul", "a shell word cannot hold a NUL") }
        return Array(text.utf8)
    }

    private static func help(_ data: Value) -> String {
        if case .null = data {
            return "null is what an absent key, index or argument gives; (or x \"\") puts text in its place"
        }
        return "(apply sh.command xs) gives each item as a word; (json.stringify x) is text"
    }

    /// The command as lineage shows it: for people, not for a shell. A long one is cut.
    static func line(_ path: [String], _ words: [[UInt8]]) -> String {
        let texts = words.prefix(50).map { String(decoding: $0.prefix(500), as: UTF8.self) }
        return ([path.joined(separator: ".")] + texts).joined(separator: " ")
    }

    /// `:all true` is `--all`, `:n 3` is `-n 3`, `:name [a b]` is repeated; false and null are left out.
    static func flags(_ keywords: [(String, Value)]) throws(Failure) -> [[UInt8]] {
        var words: [[UInt8]] = []
        for (name, value) in keywords {
            let flag = Array((name.unicodeScalars.count == 1 ? "-" : "--").utf8) + Array(name.utf8)
            switch try value.unwrapped() {
            case .null, .bool(false): continue
            case .bool(true): words.append(flag)
            case .vector(let items), .list(let items):
                for item in items.elements { words += [flag, try word(item)] }
            default: words += [flag, try word(value)]
            }
        }
        return words
    }
}
