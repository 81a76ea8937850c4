import Language

/// The functions that are there from the start: in Swift, registered at once, and in the language, compiled on first use.
public enum Library {
    static func register(in machine: Machine) {
        registerNumbers(in: machine)
        registerStrings(in: machine)
        registerCollections(in: machine)
        registerPredicates(in: machine)
        registerJSON(in: machine)
        registerProvenance(in: machine)
        registerControl(in: machine)
    }

    /// The names of the functions written in the language.
    static var names: [String] { Array(chunks.keys) }

    /// A function written in the language: its text, what it does and its examples.
    struct Chunk {
        let source: String
        let documentation: Documentation
    }

    /// By name. A chunk is `;;` lines of documentation, `;; >` lines of examples, and a definition.
    static let chunks = parse(definitions)

    static func parse(_ definitions: String) -> [String: Chunk] {
        var result: [String: Chunk] = [:]
        for text in definitions.split(separator: "\n\n") {
            let lines = text.split(separator: "\n")
            let comments = lines.prefix { $0.hasPrefix(";;") }.map { $0.dropFirst(2).drop { $0 == " " } }
            let source = lines.dropFirst(comments.count).joined(separator: "\n")
            let name = source.dropFirst("(def ".count).prefix { $0 != " " && $0 != "\n" }
            let documentation = Documentation(
                comments.filter { !$0.hasPrefix("> ") }.joined(separator: " "),
                examples: comments.filter { $0.hasPrefix("> ") }.map { String($0.dropFirst(2)) })
            result[String(name)] = Chunk(source: source, documentation: documentation)
        }
        return result
    }
}

extension Machine {
    /// Adds definitions in the language, compiled when they are first wanted; in the form of `Library.definitions`.
    public func extend(with definitions: String) {
        extensions.merge(Library.parse(definitions)) { $1 }
    }

    /// The names of the functions written in the language.
    public var libraryNames: [String] { Library.names + extensions.keys + providers.keys }

    private func chunk(_ name: String) -> Library.Chunk? {
        Library.chunks[name] ?? extensions[name]
    }

    /// Compiles a library function that is wanted for the first time.
    func library(_ name: String) -> Value? {
        if let provider = providers.removeValue(forKey: name) { return provider() }
        guard let chunk = chunk(name) else { return nil }
        let source = Source(name: "<library \(name)>", text: chunk.source)
        guard let form = try? Reader.read(source).first, case .list(let items) = form.value,
            let node = try? Analyzer(machine: self, isMeta: true, site: Location(source: source, span: form.span))
                .lambda(name, parameters: items.elements[2], items, from: 3),
            case .function(let lambda) = node
        else { return nil }
        let value = Value.function(Closure(code: Emitter.code(lambda), captures: []))
        builtins[name] = value
        return value
    }

    /// What `(doc name)` shows: signature, text, examples.
    public func documentation(of name: String) -> (signature: String, documentation: Documentation)? {
        guard let value = globals.bound(name)?.value ?? builtins[name], case .function(let function) = value else {
            return nil
        }
        if let builtin = function as? Builtin, let text = builtin.documentation { return (builtin.signature, text) }
        if let control = function as? ControlFunction, let text = control.documentation {
            return (control.signature, text)
        }
        guard isBuiltin(name), let chunk = chunk(name) else { return nil }
        return (function.signature, chunk.documentation)
    }
}
