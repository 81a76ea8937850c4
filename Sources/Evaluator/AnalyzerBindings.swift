import Language

/// Where a form stands in its parent.
struct Slot {
    let items: Items
    let index: Int
}

/// Bindings, definitions and functions.
extension Analyzer {
    // MARK: Definitions

    /// `(def name value)`, `(def name (args) body…)`, `(def (name args…) body…)`, `(var a 1 b 2)`.
    func analyzeDefinitions(_ form: SpecialForm, _ items: Items) throws(Raised) -> Node {
        try require(items.elements.count >= 3, "(\(form.rawValue) name value)")
        if case .list(let head) = items.elements[1] { return try analyzeFunctionDefinition(head, items) }
        if form == .def, items.elements.count >= 4, isParameters(items.elements[2]) {
            return try define(
                try name(items, 1),
                { name throws(Raised) in
                    try self.lambda(name, parameters: items.elements[2], items, from: 3)
                })
        }
        try require(!items.elements.count.isMultiple(of: 2), "(\(form.rawValue) name value) or (def name (args) body…)")
        if form == .def { noteBody(items) }
        var nodes: [Node] = []
        for index in stride(from: 1, to: items.elements.count, by: 2) {
            if case .symbol(let symbol) = items.elements[index] {
                nodes.append(try define(symbol.name) { _ throws(Raised) in try self.analyze(items, index + 1) })
            } else {
                nodes.append(try defineParts(items.elements[index], try analyze(items, index + 1)))
            }
        }
        return nodes.count == 1 ? nodes[0] : .sequence(nodes)
    }

    private func analyzeFunctionDefinition(_ head: Items, _ items: Items) throws(Raised) -> Node {
        guard case .symbol(let symbol)? = head.elements.first else {
            throw error("eval/form", "the shape of this form is (def (name args…) body…)")
        }
        let parameters = Value.list(Items(Array(head.elements.dropFirst())))
        return try define(symbol.name) { name throws(Raised) in
            try self.lambda(name, parameters: parameters, items, from: 2)
        }
    }

    /// Remembers `(def f (x))`: an error of its call can say what was meant.
    private func noteBody(_ items: Items) {
        guard isTopLevel, items.elements.count == 3, case .symbol(let symbol) = items.elements[1] else { return }
        machine.bodiless.remove(symbol.name)
        switch items.elements[2] {
        case .null: machine.bodiless.insert(symbol.name)
        case .list(let list) where list.elements.allSatisfy({ if case .symbol = $0 { true } else { false } }):
            machine.bodiless.insert(symbol.name)
        default: break
        }
    }

    private func isParameters(_ value: Value) -> Bool {
        switch value {
        case .null, .list, .vector: true
        default: false
        }
    }

    private func name(_ items: Items, _ index: Int) throws(Raised) -> String {
        guard case .symbol(let symbol) = items.elements[index] else {
            throw error("eval/form", "a name stands here, got \(Describe.short(items.elements[index]))")
        }
        return symbol.name
    }

    /// Inside a function a definition is the function's own; elsewhere it is global.
    private func define(_ name: String, _ value: (String) throws(Raised) -> Node) throws(Raised) -> Node {
        guard SpecialForm(rawValue: name) == nil else {
            throw error("eval/form", "\(name) is a form of the language and cannot be defined")
        }
        if isTopLevel {
            let node = try value(name)
            return .sequence([.define(machine.globals.named(name), node), .constant(.null)])
        }
        let variable = localDefinition(name)
        return .sequence([.assign(variable, try value(name)), .constant(.null)])
    }

    private func localDefinition(_ name: String) -> Variable {
        let known = lookup(name)
        let variable = known?.owner === function ? known ?? stray(name) : stray(name)
        variable.isAssigned = true
        return variable
    }

    private func defineParts(_ pattern: Value, _ value: Node) throws(Raised) -> Node {
        let locals =
            isTopLevel
            ? [:]
            : Dictionary(
                Self.names(in: pattern).map { ($0, localDefinition($0)) }, uniquingKeysWith: { first, _ in first })
        return try assignParts(pattern, value) { name, value in
            locals[name].map { .assign($0, value) } ?? .define(machine.globals.named(name), value)
        }
    }

    /// Takes the value apart and gives each name its part.
    private func assignParts(
        _ pattern: Value, _ value: Node, _ assign: (String, Node) throws(Raised) -> Node
    ) throws(Raised) -> Node {
        let bindings = try scoped { () throws(Raised) -> [Binding] in try destructure(pattern, value) }
        var nodes: [Node] = []
        for binding in bindings where !binding.variable.name.hasPrefix("%") {
            nodes.append(try assign(binding.variable.name, .local(binding.variable)))
        }
        return wrap(bindings, .sequence(nodes + [.constant(.null)]))
    }

    // MARK: Let

    func analyzeLet(_ items: Items) throws(Raised) -> Node {
        let pairs = try bindingPairs(items, "(let (name value …) body…)")
        return try scoped { () throws(Raised) -> Node in
            var bindings: [Binding] = []
            for (pattern, place) in pairs {
                bindings += try destructure(pattern, try analyze(place.items, place.index))
            }
            return wrap(bindings, try analyzeBody(items, from: 2))
        }
    }

    /// The pairs of `(name value …)`, `[name value …]` or `((name value) …)`.
    func bindingPairs(_ items: Items, _ shape: String) throws(Raised) -> [(Value, Slot)] {
        try require(items.elements.count >= 2, shape)
        let bindings: Items
        switch items.elements[1] {
        case .null: return []
        case .list(let list), .vector(let list): bindings = list
        default: throw error("eval/form", "the shape of this form is \(shape)")
        }
        if let pairs = nestedPairs(bindings) { return pairs }
        try require(bindings.elements.count.isMultiple(of: 2), shape)
        return stride(from: 0, to: bindings.elements.count, by: 2).map {
            (bindings.elements[$0], Slot(items: bindings, index: $0 + 1))
        }
    }

    private func nestedPairs(_ bindings: Items) -> [(Value, Slot)]? {
        var pairs: [(Value, Slot)] = []
        for value in bindings.elements {
            guard case .list(let pair) = value, pair.elements.count == 2, case .symbol = pair.elements[0] else {
                return nil
            }
            pairs.append((pair.elements[0], Slot(items: pair, index: 1)))
        }
        return pairs
    }

    struct Binding {
        let variable: Variable
        let value: Node
    }

    func wrap(_ bindings: [Binding], _ body: Node) -> Node {
        bindings.reversed().reduce(body) { .bind($1.variable, $1.value, body: $0) }
    }

    /// The bindings that take `value` apart along a pattern: a name, `[a b ...rest]`, `{key name}` or `{key}`-less pairs.
    func destructure(_ pattern: Value, _ value: Node) throws(Raised) -> [Binding] {
        switch pattern {
        case .symbol(let symbol): return [Binding(variable: declare(symbol.name), value: value)]
        case .vector(let items): return try destructure(items, value)
        case .object(let object):
            let whole = Binding(variable: declare("%whole"), value: value)
            var bindings = [whole]
            for (key, part) in object.entries {
                bindings += try destructure(part, member(whole.variable, .text(key.string)))
            }
            return bindings
        default:
            throw error(
                "eval/form", "a name or a pattern stands here, got \(Describe.short(pattern))",
                help: "[a b ...rest] takes a vector apart, {key name} an object")
        }
    }

    private func destructure(_ items: Items, _ value: Node) throws(Raised) -> [Binding] {
        let hasRest = items.elements.contains {
            if case .symbol(let name) = $0 { Self.restName(name.name) != nil } else { false }
        }
        let wanted = hasRest ? Limit.items + 1 : items.elements.count
        let spread: Node = .primitive(.spread, [value, .constant(.int(wanted))], currentSite)
        let whole = Binding(variable: declare("%whole"), value: spread)
        var bindings = [whole]
        for (index, part) in items.elements.enumerated() {
            if case .symbol(let symbol) = part, let rest = Self.restName(symbol.name) {
                let drop = try builtin("drop")
                let node: Node = .call(
                    .constant(drop), [.constant(.int(index)), .local(whole.variable)], keywords: 0, currentSite)
                bindings.append(Binding(variable: declare(rest), value: node))
                break
            }
            bindings += try destructure(part, member(whole.variable, .int(index)))
        }
        return bindings
    }

    private func member(_ whole: Variable, _ key: Value) -> Node {
        .primitive(.get, [.local(whole), .constant(key)], currentSite)
    }

    static func restName(_ name: String) -> String? {
        name.hasPrefix("...") && name.utf8.count > 3 ? String(name.dropFirst(3)) : nil
    }

    // MARK: Set

    /// `(set name v)`, `(set o.k v)`, `(set (get o k…) v)`.
    func analyzeSet(_ items: Items) throws(Raised) -> Node {
        try require(items.elements.count == 3, "(set place value)")
        let value = try analyze(items, 2)
        switch items.elements[1] {
        case .symbol(let symbol): return try assign(symbol.name, value)
        case .list(let place):
            guard case .symbol(let head)? = place.elements.first, head.name == "get", place.elements.count >= 3,
                case .symbol(let base) = place.elements[1]
            else {
                throw error(
                    "eval/place",
                    "a place is a name, name.key or (get name key …), got \(Describe.short(items.elements[1]))")
            }
            return try put(base.name, try analyze(place, from: 2), value)
        case .vector, .object: return try assignParts(items.elements[1], value, assign)
        default:
            throw error(
                "eval/place",
                "a place is a name, name.key or (get name key …), got \(Describe.short(items.elements[1]))")
        }
    }

    private func assign(_ name: String, _ value: Node) throws(Raised) -> Node {
        if let variable = assignable(name) { return .assign(variable, value) }
        let parts = Self.split(name)
        if parts.count > 1, machine.globals.bound(name) == nil {
            return try put(parts[0], parts.dropFirst().map { .constant(.name($0)) }, value)
        }
        return .assignGlobal(machine.globals.named(name), value, currentSite)
    }

    private func put(_ name: String, _ keys: [Node], _ value: Node) throws(Raised) -> Node {
        if let variable = assignable(name) { return .put(.local(variable), keys, value, currentSite) }
        let parts = Self.split(name)
        let inner: [Node] = parts.dropFirst().map { .constant(.name($0)) }
        if let variable = assignable(parts[0]) { return .put(.local(variable), inner + keys, value, currentSite) }
        return .put(.global(machine.globals.named(parts[0])), inner + keys, value, currentSite)
    }

    // MARK: Functions

    /// `(fn (a b ...rest) body…)`, `(fn name (a) body…)`.
    func analyzeFunction(_ items: Items) throws(Raised) -> Node {
        if items.elements.count >= 4, case .symbol(let symbol) = items.elements[1], isParameters(items.elements[2]) {
            return try scoped { () throws(Raised) -> Node in
                let variable = declare(symbol.name)
                variable.isAssigned = true
                let function = try lambda(symbol.name, parameters: items.elements[2], items, from: 3)
                return .bind(
                    variable, .constant(.null), body: .sequence([.assign(variable, function), .local(variable)]))
            }
        }
        try require(items.elements.count >= 2 && isParameters(items.elements[1]), "(fn (a b ...rest) body…)")
        return try lambda("", parameters: items.elements[1], items, from: 2)
    }

    func lambda(
        _ name: String, parameters: Value, _ items: Items, from index: Int, isMacro: Bool = false
    ) throws(Raised) -> Node {
        let patterns = (try? parameters.unwrapped()).flatMap(Collections.items) ?? []
        return try inFunction { scope throws(Raised) in
            var (variables, bindings, hasRest): ([Variable], [Binding], Bool) = ([], [], false)
            for (position, pattern) in patterns.enumerated() {
                if case .symbol(let symbol) = pattern {
                    let rest = Self.restName(symbol.name)
                    if rest != nil, position != patterns.count - 1 {
                        throw error("eval/form", "\(symbol.name) takes the rest and stands last")
                    }
                    hasRest = rest != nil
                    variables.append(declare(rest ?? symbol.name))
                } else {
                    variables.append(declare("%\(position)"))
                }
            }
            for (position, pattern) in patterns.enumerated() {
                if case .symbol = pattern { continue }
                bindings += try destructure(pattern, .local(variables[position]))
            }
            let body = try analyzeBody(items, from: index)
            bindings += scope.strays.map { Binding(variable: $0, value: .constant(.null)) }
            let lambda = Lambda(
                name: name, signature: signature(name, patterns), parameters: variables, hasRest: hasRest, scope: scope,
                body: wrap(bindings, body), isMeta: isMeta, returnsCode: !isMacro && Self.isCode(items.elements.last),
                site: currentSite, graveyard: machine.graveyard)
            return .function(lambda)
        }
    }

    private func signature(_ name: String, _ patterns: [Value]) -> String {
        "(" + ([name.isEmpty ? "fn" : name] + patterns.map(Printer.text)).joined(separator: " ") + ")"
    }

    /// The names that a body defines: they are its own before the first form runs. Branches have no names of their own.
    func hoisted(_ items: Items, from index: Int) -> [String] {
        var names: [String] = []
        for value in items.elements.dropFirst(index) {
            guard case .list(let form) = value, !form.isData, case .symbol(let head)? = form.elements.first else {
                continue
            }
            switch head.name {
            case "def", "var": names += defined(by: form)
            case "do", "when", "unless", "if", "cond", "case", "try": names += hoisted(form, from: 1)
            default: continue
            }
        }
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }

    private func defined(by form: Items) -> [String] {
        guard form.elements.count >= 3 else { return [] }
        if case .list(let shape) = form.elements[1] { return shape.elements.first.map(Self.names) ?? [] }
        if form.elements.count > 3, isParameters(form.elements[2]), case .symbol(let symbol) = form.elements[1] {
            return [symbol.name]
        }
        return stride(from: 1, to: form.elements.count, by: 2).flatMap { Self.names(in: form.elements[$0]) }
    }

    /// The names that a pattern binds.
    private static func names(in pattern: Value) -> [String] {
        switch pattern {
        case .symbol(let symbol): [restName(symbol.name) ?? symbol.name]
        case .vector(let items): items.elements.flatMap(names)
        case .object(let object): object.entries.values.flatMap(names)
        default: []
        }
    }

    /// Whether a form in tail position is a backquote, behind `let`, `do` and branches too.
    static func isCode(_ value: Value?) -> Bool {
        guard case .list(let items)? = value, case .symbol(let head)? = items.elements.first else { return false }
        switch head.name {
        case "quasiquote": return true
        case "let", "do", "when", "unless": return isCode(items.elements.last)
        case "if", "cond": return items.elements.dropFirst().contains { isCode($0) }
        default: return false
        }
    }
}
