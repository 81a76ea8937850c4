import Language

/// Forms to nodes: names resolved, macros and the `meta` stage run, shapes checked.
final class Analyzer {
    let machine: Machine
    /// Whether the code belongs to the compile-time stage.
    var isMeta: Bool
    private(set) var function: FunctionScope
    private var scopes: [Scope] = []
    /// The targets of `recur`, innermost last; nil where a function begins.
    var loops: [LoopLabel?] = [nil]
    private var site: Location?
    /// Whether the next function stands for a part of the top level.
    var nextIsTopLevel = false

    private struct Scope {
        var variables: [String: Variable] = [:]
        let function: FunctionScope
    }

    init(machine: Machine, isMeta: Bool, site: Location?) {
        self.machine = machine
        self.isMeta = isMeta
        self.site = site
        function = FunctionScope(parent: nil, isTopLevel: true)
    }

    /// A top-level form as a function of no parameters.
    static func program(_ value: Value, machine: Machine, isMeta: Bool, site: Location?) throws(Raised) -> Lambda {
        let analyzer = Analyzer(machine: machine, isMeta: isMeta, site: site)
        let body = try analyzer.analyze(value)
        return Lambda(
            name: "", signature: "()", parameters: [], hasRest: false, scope: analyzer.function, body: body,
            isMeta: isMeta, returnsCode: false, site: site, graveyard: machine.graveyard)
    }

    // MARK: Forms

    func analyze(_ value: Value) throws(Raised) -> Node {
        machine.compileDepth += 1
        defer { machine.compileDepth -= 1 }
        guard machine.compileDepth <= Machine.compileLimit else { throw error("eval/depth", "code nests too deeply") }
        switch value {
        case .symbol(let symbol): return symbol.isData ? .constant(DataMark.unmark(value)) : try resolve(symbol.name)
        case .list(let items):
            return items.isData
                ? .constant(DataMark.unmark(value)) : try inside(items) { () throws(Raised) in try analyzeList(items) }
        case .vector(let items): return try inside(items) { () throws(Raised) in try analyzeVector(items) }
        case .object(let object): return try analyze(object)
        case .null, .bool, .int, .double, .big, .string, .keyword, .function, .error, .tagged, .meta, .cell:
            return .constant(value)
        }
    }

    /// Analyses item `index` of a sequence with its own place.
    func analyze(_ items: Items, _ index: Int) throws(Raised) -> Node {
        let outer = site
        defer { site = outer }
        if let origin = items.origin, index < origin.items.count {
            site = Location(source: origin.source, span: origin.items[index])
        }
        return try analyze(items.elements[index])
    }

    func analyze(_ items: Items, from index: Int) throws(Raised) -> [Node] {
        var nodes: [Node] = []
        for place in items.elements.indices.dropFirst(index) { nodes.append(try analyze(items, place)) }
        return nodes
    }

    private func inside(_ items: Items, _ body: () throws(Raised) -> Node) throws(Raised) -> Node {
        let outer = site
        defer { site = outer }
        if let origin = items.origin { site = Location(source: origin.source, span: origin.span) }
        return try body()
    }

    private func analyzeVector(_ items: Items) throws(Raised) -> Node {
        if items.elements.allSatisfy(Self.isConstant) { return .constant(DataMark.unmark(.vector(items))) }
        return .vector(try analyze(items, from: 0))
    }

    private func analyze(_ object: Object) throws(Raised) -> Node {
        if object["_type"] == nil, object.entries.values.allSatisfy(Self.isConstant) {
            return .constant(DataMark.unmark(.object(object)))
        }
        let values = Items(Array(object.entries.values), origin: object.origin)
        return .object(Array(object.entries.keys), try analyze(values, from: 0))
    }

    /// Whether the form evaluates to itself.
    static func isConstant(_ value: Value) -> Bool {
        switch value {
        case .symbol(let symbol): symbol.isData
        case .list(let items): items.isData
        case .vector(let items): items.elements.allSatisfy(isConstant)
        case .object(let object): object["_type"] == nil && object.entries.values.allSatisfy(isConstant)
        case .null, .bool, .int, .double, .big, .string, .keyword, .function, .error, .tagged, .meta, .cell: true
        }
    }

    private func analyzeList(_ items: Items) throws(Raised) -> Node {
        guard let head = items.elements.first else { return .constant(.null) }
        switch head {
        case .keyword: return .constant(DataMark.unmark(.object(try record(items))))
        case .string: return try analyzeConcatenation(items)
        case .symbol(let symbol) where !symbol.isData:
            if lookup(symbol.name) == nil {
                if let form = SpecialForm(rawValue: symbol.name) { return try special(form, items) }
                if let macro = machine.globals.bound(symbol.name)?.macro { return try expand(macro, items) }
            }
            if symbol.name.hasPrefix("."), symbol.name.utf8.count > 1, !symbol.name.hasPrefix("..") {
                return try analyzeMethod(String(symbol.name.dropFirst()), items)
            }
            return try analyzeCall(items)
        default: return try analyzeCall(items)
        }
    }

    /// `(:k v …)`: an object of unevaluated forms.
    private func record(_ items: Items) throws(Raised) -> Object {
        guard items.elements.count.isMultiple(of: 2) else {
            let example = Describe.short(items.elements[0])
            throw error(
                "eval/record", "a list headed by a keyword is an object and needs a value for each key",
                help: "to read a member write (get obj \(example))")
        }
        var entries = Object.Entries()
        for index in stride(from: 0, to: items.elements.count, by: 2) {
            guard let name = items.elements[index].nameText else {
                throw error("eval/record", "an object's key is a name, got \(Describe.short(items.elements[index]))")
            }
            guard entries.updateValue(items.elements[index + 1], forKey: Key(name)) == nil else {
                throw error("eval/record", "duplicate key \(name)")
            }
        }
        return Object(entries)
    }

    private func analyzeConcatenation(_ items: Items) throws(Raised) -> Node {
        .call(.constant(try builtin("str")), try analyze(items, from: 0), keywords: 0, site)
    }

    private func analyzeMethod(_ name: String, _ items: Items) throws(Raised) -> Node {
        guard items.elements.count > 1 else {
            throw error("eval/arity", "(.\(name) obj …) needs the object it is a method of")
        }
        let arguments = [Node.constant(.text(name))] + (try analyze(items, from: 1))
        return .call(.constant(try builtin("%method")), arguments, keywords: literalKeywords(items) << 1, site)
    }

    private func analyzeCall(_ items: Items) throws(Raised) -> Node {
        let delayed = try delayed(items)
        let arguments = if let delayed { delayed } else { try analyze(items, from: 1) }
        if case .symbol(let symbol) = items.elements[0], let primitive = inlined(symbol.name, arguments) {
            return primitive
        }
        let callee = try analyzeCallee(items, 0)
        return .call(callee, arguments, keywords: literalKeywords(items), site)
    }

    /// Item `index` as what is called: a path behind a runtime is bound instead of fetched.
    func analyzeCallee(_ items: Items, _ index: Int) throws(Raised) -> Node {
        let node = try analyze(items, index)
        guard case .path(let root, let names, let exact, let site) = node else { return node }
        return .callee(root, names, exact: exact, site)
    }

    private func literalKeywords(_ items: Items) -> UInt64 {
        var mask: UInt64 = 0
        for (index, value) in items.elements.dropFirst().prefix(63).enumerated() {
            if case .keyword = value { mask |= 1 << UInt64(index) }
        }
        return mask
    }

    /// The operator's own instruction, while the name means the built-in.
    private func inlined(_ name: String, _ arguments: [Node]) -> Node? {
        guard let primitive = Primitive(rawValue: name), lookup(name) == nil,
            machine.isBuiltin(name)
        else { return nil }
        switch primitive {
        case .not, .raise: return arguments.count == 1 ? .primitive(primitive, arguments, site) : nil
        case .get, .spread: return arguments.count == 2 ? .primitive(primitive, arguments, site) : nil
        case .add, .multiply:
            guard arguments.count >= 2 else { return nil }
            return arguments.dropFirst(2).reduce(.primitive(primitive, Array(arguments.prefix(2)), site)) {
                .primitive(primitive, [$0, $1], site)
            }
        case .subtract, .less, .lessOrEqual, .greater, .greaterOrEqual, .equal:
            return arguments.count == 2 ? .primitive(primitive, arguments, site) : nil
        }
    }

    // MARK: Macros

    private func expand(_ macro: Closure, _ items: Items) throws(Raised) -> Node {
        try analyze(try expansion(macro, items))
    }

    func expansion(_ macro: Closure, _ items: Items) throws(Raised) -> Value {
        do throws(Raised) {
            return try machine.callNow(macro, Array(items.elements.dropFirst()))
        } catch {
            let diagnostic = machine.take(error)
            if let site { diagnostic.append(frame: machine.frame(macro.name, site)) }
            throw machine.raise(diagnostic)
        }
    }

    // MARK: Names

    func resolve(_ name: String) throws(Raised) -> Node {
        let names = Self.split(name)
        for scope in scopes.reversed() {
            if let variable = scope.variables[name] { return use(variable, scope.function) }
            if names.count > 1, let root = scope.variables[names[0]] {
                return .path(use(root, scope.function), Array(names.dropFirst()), exact: nil, site)
            }
        }
        if names.count > 1 {
            let exact = isHidden(name, by: names[0]) ? nil : machine.globals.named(name)
            return .path(.global(machine.globals.named(names[0]), site), Array(names.dropFirst()), exact: exact, site)
        }
        return .global(machine.globals.named(name), site)
    }

    /// Whether a program's own global stands in front of the library's dotted name: after `(def table {rows: 3})` the rows of
    /// `table.rows` are that object's. The library is the outermost scope.
    private func isHidden(_ name: String, by root: String) -> Bool {
        machine.globals.bound(root)?.value != nil && !machine.isBuiltin(root) && machine.isBuiltin(name)
    }

    /// `a.b.c` in its parts; a name without an inner dot, or with an empty part, is one part.
    static func split(_ name: String) -> [String] {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        return parts.count > 1 && parts.allSatisfy({ !$0.isEmpty }) ? parts : [name]
    }

    /// The variable of that name in the scopes around.
    func lookup(_ name: String) -> Variable? {
        for scope in scopes.reversed() {
            if let variable = scope.variables[name] { return variable }
        }
        return nil
    }

    private func use(_ variable: Variable, _ owner: FunctionScope) -> Node {
        var scope: FunctionScope? = function
        while let current = scope, current !== owner {
            current.capture(variable)
            scope = current.parent
        }
        return .local(variable)
    }

    func assignable(_ name: String) -> Variable? {
        guard let variable = lookup(name) else { return nil }
        _ = use(variable, variable.owner)
        variable.isAssigned = true
        return variable
    }

    var isTopLevel: Bool { function.isTopLevel }

    func declare(_ name: String) -> Variable {
        let variable = Variable(name: name, owner: function)
        if scopes.isEmpty { scopes.append(Scope(function: function)) }
        scopes[scopes.count - 1].variables[name] = variable
        return variable
    }

    /// A variable of the whole function, bound before its body.
    func stray(_ name: String) -> Variable {
        let variable = Variable(name: name, owner: function)
        function.strays.append(variable)
        if let base = scopes.firstIndex(where: { $0.function === function }) { scopes[base].variables[name] = variable }
        return variable
    }

    func scoped<T>(_ body: () throws(Raised) -> T) throws(Raised) -> T {
        scopes.append(Scope(function: function))
        defer { scopes.removeLast() }
        return try body()
    }

    func inFunction<T>(_ body: (FunctionScope) throws(Raised) -> T) throws(Raised) -> T {
        let outer = function
        function = FunctionScope(parent: outer, isTopLevel: nextIsTopLevel)
        nextIsTopLevel = false
        loops.append(nil)
        defer {
            function = outer
            loops.removeLast()
        }
        return try scoped { () throws(Raised) -> T in try body(function) }
    }

    // MARK: Errors and helpers

    var currentSite: Location? { site }

    func error(_ code: String, _ message: String, help: String? = nil) -> Raised {
        machine.raise(
            Diagnostic(Failure(code, message, help: help), source: site?.source, span: site?.span))
    }

    func builtin(_ name: String) throws(Raised) -> Value {
        guard let value = machine.builtins[name] else { throw error("eval/unbound", "\(name) is not built in") }
        return value
    }
}
