import Evaluator
import Language

/// Values as words of a shell command: text, never source. Bytes and arrays are a file's path.
struct ShellWords {
    private(set) var words: [[UInt8]] = []
    /// What must live as long as the words are used.
    let files = ByteFiles()

    /// Adds a value as a word.
    ///
    /// - Parameter place: what errors call it: `argument 2`, `:name`.
    /// - Throws: `value/uncopyable` for what is no text, `value/nul` for text with a NUL, `file/write`.
    mutating func add(_ value: Value, at place: String) throws(Failure) {
        words.append(try word(value, place))
    }

    /// `:all true` is `--all`, `:n 3` is `-n 3`, `:name [a b]` is repeated; false and null are left out.
    mutating func addFlags(_ keywords: [(String, Value)]) throws(Failure) {
        for (name, value) in keywords {
            let flag = Array((name.unicodeScalars.count == 1 ? "-" : "--").utf8) + Array(name.utf8)
            switch try value.unwrapped() {
            case .null, .bool(false): continue
            case .bool(true): words.append(flag)
            case .vector(let items), .list(let items):
                for (index, item) in items.elements.enumerated() {
                    words += [flag, try word(item, ":\(name)[\(index)]")]
                }
            default: words += [flag, try word(value, ":\(name)")]
            }
        }
    }

    /// Adds names, each followed by its value.
    mutating func addBindings(_ keywords: [(String, Value)]) throws(Failure) {
        for (name, value) in keywords { words += [Array(name.utf8), try word(value, ":\(name)")] }
    }

    private func word(_ value: Value, _ place: String) throws(Failure) -> [UInt8] {
        let data = try value.unwrapped()
        if case .tagged(let tagged) = data, let bytes = tagged.bytes { return Array(try files.path(of: bytes).utf8) }
        if case .function(let function) = data, let buffer = function as? BufferObject {
            return Array(try buffer.path(files).utf8)
        }
        if case .function(let function) = data, let table = function as? TableObject {
            throw Failure(
                "value/uncopyable", "the shell takes text and numbers, got \(table.form) at \(place)",
                help: "write it to a file and give its path, or (json.stringify (fetch t))")
        }
        guard let text = Self.text(data) else {
            throw Failure(
                "value/uncopyable",
                "the shell takes text and numbers, got \(Printer.text(data, limit: 40)) at \(place)",
                help: Self.help(data))
        }
        guard !text.utf8.contains(0) else {
            throw Failure("value/nul", "a shell word cannot hold a NUL, got \(Describe.short(data)) at \(place)")
        }
        return Array(text.utf8)
    }

    /// The text of what the shell can have; nil for bytes and for what it cannot.
    static func text(_ data: Value) -> String? {
        switch data {
        case .string, .symbol, .keyword: data.nameText
        case .int, .double, .big, .bool: Printer.text(data)
        case .tagged(let tagged): tagged.text
        case .error(let error): error.message
        case .null, .list, .vector, .object, .function, .meta, .cell: nil
        }
    }

    private static func help(_ data: Value) -> String {
        if case .null = data {
            return "null is what an absent key, index or argument gives; (or x \"\") puts text in its place"
        }
        if (try? RemoteObject.find(in: data)) ?? nil != nil {
            return "(fetch x) gives what an object of a runtime holds, as data; (str x) is its text"
        }
        return "(apply sh.command xs) gives each item as a word; (json.stringify x) is text"
    }

    /// The command as lineage shows it: for people, not for a shell. A long one is cut.
    static func line(_ path: [String], _ words: [[UInt8]]) -> String {
        let texts = words.prefix(50).map { String(decoding: $0.prefix(500), as: UTF8.self) }
        return ([path.joined(separator: ".")] + texts).joined(separator: " ")
    }
}
