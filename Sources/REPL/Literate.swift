import Language

/// Markdown files whose fenced blocks run.
enum Literate {
    private static let ownLanguages: Set = ["meta", "sibilant", "lisp"]
    private static let shells: Set = ["sh", "bash", "shell"]
    private static let runtimes: Set = ["py", "python", "js", "node", "sh", "bash", "shell", "rs", "rust"]

    /// A block as a program. Line numbers are the file's.
    struct Block {
        let source: Source
        /// Whether its value is what it printed: a shell's.
        let printsValue: Bool
    }

    /// The blocks that run, in order.
    static func blocks(_ source: Source) -> [Block] {
        var blocks: [Block] = []
        var open: (language: String, line: Int, text: [String])?
        let lines = source.bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let text = withoutIdentifier(String(decoding: line.last == 0x0D ? line.dropLast() : line, as: UTF8.self))
            guard text.drop(while: { $0 == " " }).hasPrefix("```") else {
                open?.text.append(text)
                continue
            }
            if let block = open {
                if let program = program(block.language, block.text, name: source.name, line: block.line) {
                    blocks.append(Block(source: program, printsValue: shells.contains(block.language)))
                }
                open = nil
            } else {
                let language = text.drop { $0 == " " || $0 == "`" }.prefix { $0.isLetter || $0.isNumber }
                open = (String(language), index + 2, [])
            }
        }
        return blocks
    }

    private static func program(_ language: String, _ lines: [String], name: String, line: Int) -> Source? {
        let text = lines.joined(separator: "\n")
        if ownLanguages.contains(language) { return Source(name: name, text: text, firstLine: line) }
        guard runtimes.contains(language) else { return nil }
        return Source(name: name, text: "```\(language)\n\(text)\n```\n", firstLine: line - 1)
    }

    /// The line without an Obsidian block identifier at its end (`^ref-1a2b-3-0`).
    private static func withoutIdentifier(_ text: String) -> String {
        guard let mark = text.lastIndex(of: "^"), text[mark...].hasPrefix("^ref-"),
            text[mark...].dropFirst().allSatisfy({ $0.isLetter || $0.isNumber || $0 == "-" })
        else { return text }
        var kept = text[..<mark]
        while kept.last == " " { kept.removeLast() }
        return String(kept)
    }
}
