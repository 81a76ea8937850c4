import Language

/// Macros, backquotes and the `meta` stage.
extension Analyzer {
    /// `(macro name (args) body…)`: defined at once, so that the forms behind it can use it.
    func analyzeMacro(_ items: Items) throws(Raised) -> Node {
        guard items.elements.count >= 4, case .symbol(let symbol) = items.elements[1] else {
            throw error("eval/form", "the shape of this form is (macro name (args) body…)")
        }
        let outer = isMeta
        defer { isMeta = outer }
        isMeta = true
        let node = try lambda(symbol.name, parameters: items.elements[2], items, from: 3, isMacro: true)
        guard case .function(let lambda) = node, lambda.scope.captures.isEmpty else {
            throw error("eval/form", "a macro cannot use local variables", help: "define it at the top level")
        }
        machine.globals.named(symbol.name).bindMacro(Closure(code: Emitter.code(lambda), captures: []))
        return .constant(.null)
    }

    /// `(meta …)`: runs now; the value of its last form stands in its place.
    func analyzeMeta(_ items: Items) throws(Raised) -> Node {
        var value = Value.null
        for index in items.elements.indices.dropFirst() {
            let site = items.origin.flatMap { origin in
                index < origin.items.count ? Location(source: origin.source, span: origin.items[index]) : nil
            }
            let lambda = try Analyzer.program(
                items.elements[index], machine: machine, isMeta: true, site: site ?? currentSite)
            value = try machine.callNow(Closure(code: Emitter.code(lambda), captures: []), [])
        }
        return .constant(value)
    }

    /// - Parameter depth: backquotes less unquotes around the form.
    func quasiquote(_ value: Value, depth: Int) throws(Raised) -> Node {
        switch value {
        case .list(let items):
            guard case .symbol(let head)? = items.elements.first, items.elements.count == 2 else {
                return try quasiquote(items, depth: depth, isList: true)
            }
            switch head.name {
            case "unquote" where depth == 1: return try analyze(items, 1)
            case "unquote", "unquote-splicing": return try nested(head.name, items.elements[1], depth: depth - 1)
            case "quasiquote": return try nested(head.name, items.elements[1], depth: depth + 1)
            default: return try quasiquote(items, depth: depth, isList: true)
            }
        case .vector(let items): return try quasiquote(items, depth: depth, isList: false)
        case .object(let object):
            var nodes: [Node] = []
            for part in object.entries.values { nodes.append(try quasiquote(part, depth: depth)) }
            return .object(Array(object.entries.keys), nodes)
        default: return .constant(DataMark.unmark(value))
        }
    }

    private func nested(_ name: String, _ value: Value, depth: Int) throws(Raised) -> Node {
        guard depth > 0 else { throw error("eval/form", ",@ splices into a list or vector") }
        return .list([.constant(.name(name)), try quasiquote(value, depth: depth)])
    }

    private func quasiquote(_ items: Items, depth: Int, isList: Bool) throws(Raised) -> Node {
        var segments: [Node] = []
        var plain: [Node] = []
        for value in items.elements {
            if depth == 1, let spliced = spliced(value) {
                if !plain.isEmpty { segments.append(.vector(plain)) }
                plain = []
                segments.append(try analyze(spliced))
            } else {
                plain.append(try quasiquote(value, depth: depth))
            }
        }
        if segments.isEmpty { return isList ? .list(plain) : .vector(plain) }
        if !plain.isEmpty { segments.append(.vector(plain)) }
        let join = try builtin(isList ? "%join-list" : "%join-vector")
        return .call(.constant(join), segments, keywords: 0, currentSite)
    }

    private func spliced(_ value: Value) -> Value? {
        guard case .list(let items) = value, items.elements.count == 2, case .symbol(let head) = items.elements[0],
            head.name == "unquote-splicing"
        else { return nil }
        return items.elements[1]
    }
}

extension Global {
    func bindMacro(_ closure: Closure) {
        macro = closure
    }
}
