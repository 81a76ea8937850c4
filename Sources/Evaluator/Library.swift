import Language

/// The functions that are there from the start: in Swift, registered at once, and in the language, compiled on first use.
public enum Library {
    static func register(in machine: Machine) {
        registerNumbers(in: machine)
        registerRounding(in: machine)
        registerNumerals(in: machine)
        registerStrings(in: machine)
        registerText(in: machine)
        registerTextSearch(in: machine)
        registerFormat(in: machine)
        registerCollections(in: machine)
        registerSequences(in: machine)
        registerOrder(in: machine)
        registerObjects(in: machine)
        registerPredicates(in: machine)
        registerTagged(in: machine)
        registerCalendar(in: machine)
        registerJSON(in: machine)
        registerProvenance(in: machine)
        registerBuilder(in: machine)
        registerControl(in: machine)
        registerDocumentation(in: machine)
        registerRemoteObjects(in: machine)
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
        extensionTexts.append(definitions)
    }

    /// The names of the functions written in the language.
    public var libraryNames: [String] { Library.names + extensions.keys + providers.keys }

    /// The added definitions by name, parsed when a name is first looked for.
    private var extensions: [String: Library.Chunk] {
        for text in extensionTexts { parsedExtensions.merge(Library.parse(text)) { $1 } }
        extensionTexts = []
        return parsedExtensions
    }

    private func chunk(_ name: String) -> Library.Chunk? {
        Library.chunks[name] ?? extensions[name]
    }

    /// Compiles a library function that is wanted for the first time.
    func library(_ name: String) -> Value? {
        if let provider = providers.removeValue(forKey: name) { return provider() }
        guard let chunk = chunk(name) else { return nil }
        if let known = builtins[name] { return known }
        let source = Source(name: "<library \(name)>", text: chunk.source)
        guard let form = try? Reader.read(source).first,
            case .list(let items) = closed(form.value, except: LocalNames.names(in: form.value).union([name])),
            let node = try? Analyzer(machine: self, isMeta: true, site: Location(source: source, span: form.span))
                .lambda(name, parameters: items.elements[2], items, from: 3),
            case .function(let lambda) = node
        else { return nil }
        let value = Value.function(Closure(code: Emitter.code(lambda), captures: []))
        builtins[name] = value
        return value
    }

    /// The form with the library's own functions in the place of their names, so that it means the same whatever a
    /// program defines. The operators keep their names while these are the built-in ones: they have instructions.
    private func closed(_ form: Value, except locals: Set<String>) -> Value {
        switch form {
        case .symbol(let symbol):
            if locals.contains(symbol.name) || SpecialForm(rawValue: symbol.name) != nil { return form }
            if Primitive(rawValue: symbol.name) != nil, isBuiltin(symbol.name) { return form }
            return builtins[symbol.name] ?? library(symbol.name) ?? form
        case .list(let items):
            return .list(Items(items.elements.map { closed($0, except: locals) }, origin: items.origin))
        case .vector(let items):
            return .vector(Items(items.elements.map { closed($0, except: locals) }, origin: items.origin))
        default: return form
        }
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

/// The names that a library function's text binds anywhere: its own, its parameters, its variables.
private enum LocalNames {
    static func names(in form: Value) -> Set<String> {
        guard case .list(let items) = form else { return [] }
        var names: Set<String> = []
        for item in items.elements { names.formUnion(Self.names(in: item)) }
        guard case .symbol(let head)? = items.elements.first else { return names }
        switch head.name {
        case "fn": names.formUnion(every(1, in: items, at: 1))
        case "def": names.formUnion(every(1, in: items, at: 2))
        case "let", "loop": names.formUnion(every(2, in: items, at: 1))
        default: break
        }
        return names
    }

    /// Every first or every second name of the list at that place.
    private static func every(_ step: Int, in items: Items, at place: Int) -> [String] {
        guard place < items.elements.count, case .list(let bindings) = items.elements[place] else { return [] }
        return stride(from: 0, to: bindings.elements.count, by: step).compactMap { index in
            guard case .symbol(let symbol) = bindings.elements[index] else { return nil }
            return symbol.name.hasPrefix("...") ? String(symbol.name.dropFirst(3)) : symbol.name
        }
    }
}
