import Language

/// The special forms.
extension Analyzer {
    func special(_ form: SpecialForm, _ items: Items) throws(Raised) -> Node {
        let count = items.elements.count - 1
        switch form {
        case .quote:
            try require(count == 1, "(quote form)")
            return .constant(DataMark.unmark(items.elements[1]))
        case .quasiquote:
            try require(count == 1, "(quasiquote form)")
            return try quasiquote(items.elements[1], depth: 1)
        case .if: return try analyzeIf(items)
        case .when, .unless: return try analyzeWhen(items, isWhen: form == .when)
        case .cond: return try analyzeCond(items)
        case .case: return try analyzeCase(items)
        case .and, .or: return try analyzeEither(items, isAnd: form == .and)
        case .do: return try analyzeBody(items, from: 1)
        case .def, .var: return try analyzeDefinitions(form, items)
        case .let: return try analyzeLet(items)
        case .set: return try analyzeSet(items)
        case .fn, .lambda, .arrow: return try analyzeFunction(items)
        case .each: return try analyzeEach(items)
        case .while: return try analyzeWhile(items)
        case .loop: return try analyzeLoop(items)
        case .recur: return try analyzeRecur(items)
        case .try: return try analyzeTry(items)
        case .catch, .finally: throw error("eval/form", "\(form.rawValue) stands inside (try …) only")
        case .macro: return try analyzeMacro(items)
        case .meta: return try analyzeMeta(items)
        case .threadFirst, .pipe: return try analyzeThread(items, isFirst: true)
        case .threadLast: return try analyzeThread(items, isFirst: false)
        }
    }

    func require(_ condition: Bool, _ shape: String) throws(Raised) {
        guard condition else { throw error("eval/form", "the shape of this form is \(shape)") }
    }

    // MARK: Branches

    /// `(if test then … else)`: as many pairs as wanted, then the other case.
    private func analyzeIf(_ items: Items) throws(Raised) -> Node {
        let count = items.elements.count
        guard count >= 3 else { throw error("eval/form", "the shape of this form is (if test then else)") }
        if count == 4, isInfix(items), let hint = infix(items.elements[2]) {
            throw error("eval/form", "an operator stands where the result should be", help: hint(items))
        }
        let hasElse = count.isMultiple(of: 2)
        var node: Node = hasElse ? try analyze(items, count - 1) : .constant(.null)
        var index = hasElse ? count - 3 : count - 2
        while index >= 1 {
            let (test, then) = (try analyze(items, index), try analyze(items, index + 1))
            node = .branch(test, then, node)
            index -= 2
        }
        return node
    }

    /// An operator in the middle is a habit from other languages, unless a name behind it may be a function too.
    private func isInfix(_ items: Items) -> Bool {
        if let origin = items.origin, origin.source.text(of: origin.span).hasPrefix("if(") { return true }
        if case .symbol = items.elements[3] { return false }
        return true
    }

    /// `if(x > 1)`: an operator in the middle.
    private func infix(_ value: Value) -> ((Items) -> String)? {
        guard case .symbol(let symbol) = value,
            ["<", ">", "<=", ">=", "=", "==", "!=", "+", "-", "*", "/"].contains(symbol.name),
            lookup(symbol.name) == nil
        else { return nil }
        return { items in
            let (left, right) = (Describe.short(items.elements[1]), Describe.short(items.elements[3]))
            let name = symbol.name == "==" ? "=" : symbol.name
            return "the operator comes first: (if (\(name) \(left) \(right)) then else)"
        }
    }

    private func analyzeWhen(_ items: Items, isWhen: Bool) throws(Raised) -> Node {
        try require(items.elements.count >= 2, isWhen ? "(when test body…)" : "(unless test body…)")
        let test = try analyze(items, 1)
        let body = try analyzeBody(items, from: 2)
        return isWhen ? .branch(test, body, .constant(.null)) : .branch(test, .constant(.null), body)
    }

    /// `(cond test result … :else result)`, or clauses `(test body…)` as Scheme writes them.
    private func analyzeCond(_ items: Items) throws(Raised) -> Node {
        guard items.elements.count > 1 else { return .constant(.null) }
        if items.elements.dropFirst().allSatisfy(isClause) { return try analyzeClauses(items) }
        try require(!items.elements.count.isMultiple(of: 2), "(cond test result … :else result)")
        var node: Node = .constant(.null)
        for index in stride(from: items.elements.count - 2, to: 0, by: -2) {
            let (test, result) = (try analyzeTest(items, index), try analyze(items, index + 1))
            node = .branch(test, result, node)
        }
        return node
    }

    /// Whether the form can only be a clause `(test body…)`: it begins with a list or with `else`.
    private func isClause(_ value: Value) -> Bool {
        guard case .list(let clause) = value else { return false }
        guard let first = clause.elements.first else { return false }
        if case .list = first { return true }
        return isElse(first) && lookup("else") == nil
    }

    private func analyzeClauses(_ items: Items) throws(Raised) -> Node {
        var node: Node = .constant(.null)
        for value in items.elements.dropFirst().reversed() {
            guard case .list(let clause) = value else { continue }
            node = .branch(try analyzeTest(clause, 0), try analyzeBody(clause, from: 1), node)
        }
        return node
    }

    private func analyzeTest(_ items: Items, _ index: Int) throws(Raised) -> Node {
        if case .symbol(let symbol) = items.elements[index], symbol.name == "else", lookup("else") == nil {
            return .constant(.bool(true))
        }
        return try analyze(items, index)
    }

    /// `(case x a result [b c] result … else)`: compares with `=`; a vector lists several; one form at the end is the rest.
    private func analyzeCase(_ items: Items) throws(Raised) -> Node {
        try require(items.elements.count >= 3, "(case value literal result … otherwise)")
        return try scoped { () throws(Raised) -> Node in
            let subject = try analyze(items, 1)
            let variable = declare("%case")
            let clauses = items.elements.count - 2
            var node: Node = clauses.isMultiple(of: 2) ? .constant(.null) : try analyze(items, items.elements.count - 1)
            let last = clauses.isMultiple(of: 2) ? items.elements.count - 2 : items.elements.count - 3
            for index in stride(from: last, to: 1, by: -2) {
                let result = try analyze(items, index + 1)
                let isRest = index == last && clauses.isMultiple(of: 2) && isElse(items.elements[index])
                node = isRest ? result : .branch(test(items.elements[index], variable), result, node)
            }
            return .bind(variable, subject, body: node)
        }
    }

    private func isElse(_ value: Value) -> Bool {
        switch value {
        case .symbol(let symbol), .keyword(let symbol): symbol.name == "else"
        default: false
        }
    }

    private func test(_ literal: Value, _ subject: Variable) -> Node {
        guard case .vector(let choices) = literal else {
            return .primitive(.equal, [.local(subject), .constant(literal)], currentSite)
        }
        return .either(
            choices.elements.map { .primitive(.equal, [.local(subject), .constant($0)], currentSite) }, isAnd: false)
    }

    private func analyzeEither(_ items: Items, isAnd: Bool) throws(Raised) -> Node {
        let nodes = try analyze(items, from: 1)
        if nodes.isEmpty { return .constant(.bool(isAnd)) }
        return nodes.count == 1 ? nodes[0] : .either(nodes, isAnd: isAnd)
    }

    // MARK: Sequences

    /// Forms from `index` on, one after the other; in a function the names they define are its own from the start.
    func analyzeBody(_ items: Items, from index: Int) throws(Raised) -> Node {
        let names = isTopLevel ? [] : hoisted(items, from: index).filter { lookup($0)?.owner !== function }
        guard !names.isEmpty else { return try analyzeForms(items, from: index) }
        return try scoped { () throws(Raised) -> Node in
            let bindings = names.map { Binding(variable: declare($0), value: .constant(.null)) }
            return wrap(bindings, try analyzeForms(items, from: index))
        }
    }

    private func analyzeForms(_ items: Items, from index: Int) throws(Raised) -> Node {
        if index >= items.elements.count { return .constant(.null) }
        if index == items.elements.count - 1 { return try analyze(items, index) }
        return .sequence(try analyze(items, from: index))
    }

    private func analyzeThread(_ items: Items, isFirst: Bool) throws(Raised) -> Node {
        try require(items.elements.count >= 2, isFirst ? "(-> x form…)" : "(->> x form…)")
        var value = items.elements[1]
        for step in items.elements.dropFirst(2) {
            // A keyword stands for what reads that key, as it does for map and filter.
            if case .keyword = step {
                value = .list(Items([.name("get"), value, step]))
                continue
            }
            guard case .list(let call) = step, !call.elements.isEmpty, !isFunctionForm(call) else {
                value = .list(Items([step, value]))
                continue
            }
            var parts = call.elements
            parts.insert(value, at: isFirst ? 1 : parts.count)
            let origin = call.origin.map { threaded($0, at: isFirst ? 1 : parts.count - 1) }
            value = .list(Items(parts, origin: origin))
        }
        return try analyze(value)
    }

    private func isFunctionForm(_ call: Items) -> Bool {
        guard case .symbol(let head) = call.elements[0] else { return false }
        return ["fn", "lambda", "=>"].contains(head.name) && lookup(head.name) == nil
    }

    private func threaded(_ origin: Origin, at index: Int) -> Origin {
        var spans = origin.items
        spans.insert(origin.span, at: min(index, spans.count))
        return Origin(source: origin.source, span: origin.span, items: spans)
    }

    // MARK: Loops

    /// `(each x xs body…)`, `(each (x i) xs body…)`; with two arguments the function `each`.
    private func analyzeEach(_ items: Items) throws(Raised) -> Node {
        if items.elements.count == 3 {
            return .call(
                .global(machine.globals.named("%each"), currentSite), try analyze(items, from: 1), keywords: 0,
                currentSite)
        }
        try require(items.elements.count >= 4, "(each x collection body…)")
        var patterns = [items.elements[1]]
        if case .list(let pair) = items.elements[1] { patterns = pair.elements }
        try require((1...2).contains(patterns.count), "(each (item index) collection body…)")
        let collection = try analyze(items, 2)
        loops.append(nil)
        defer { loops.removeLast() }
        return try scoped { () throws(Raised) -> Node in
            let (chunk, before, rest) = (declare("%chunk"), declare("%before"), declare("%rest"))
            let label = LoopLabel()
            label.variables = [chunk, before]
            let (sequence, count) = (declare("%items"), declare("%count"))
            let turns = try eachItem(patterns, items, sequence, count, before)
            let further: Node = .primitive(.add, [.local(before), .local(count)], nil)
            let next: Node = .recur([try call("%chunk", .local(rest)), further], label, nil)
            let ending: Node = .bind(
                rest, part(1, of: chunk), body: .branch(.local(rest), next, .constant(.null)))
            let whole: Node = .bind(
                sequence, try call("%items", part(0, of: chunk)),
                body: .bind(count, try call("count", .local(sequence)), body: .sequence([turns, ending])))
            return .loop(
                [chunk, before], [try call("%chunk", collection), .constant(.int(0))], body: whole, label)
        }
    }

    private func call(_ name: String, _ argument: Node) throws(Raised) -> Node {
        .call(.constant(try builtin(name)), [argument], keywords: 0, currentSite)
    }

    private func part(_ index: Int, of variable: Variable) -> Node {
        .primitive(.get, [.local(variable), .constant(.int(index))], nil)
    }

    /// The body for every item of a vector, the first of which is number `before` of all.
    private func eachItem(
        _ patterns: [Value], _ items: Items, _ sequence: Variable, _ count: Variable, _ before: Variable
    ) throws(Raised) -> Node {
        try scoped { () throws(Raised) -> Node in
            let index = declare("%index")
            let label = LoopLabel()
            label.variables = [index]
            let body = try scoped { () throws(Raised) -> Node in
                var bindings = try destructure(
                    patterns[0], .primitive(.get, [.local(sequence), .local(index)], currentSite))
                if patterns.count == 2 {
                    bindings += try destructure(patterns[1], .primitive(.add, [.local(before), .local(index)], nil))
                }
                return wrap(bindings, try analyzeBody(items, from: 3))
            }
            let next: Node = .recur([.primitive(.add, [.local(index), .constant(.int(1))], nil)], label, nil)
            let turn: Node = .branch(
                .primitive(.less, [.local(index), .local(count)], nil), .sequence([body, next]), .constant(.null))
            return .loop([index], [.constant(.int(0))], body: turn, label)
        }
    }

    private func analyzeWhile(_ items: Items) throws(Raised) -> Node {
        try require(items.elements.count >= 2, "(while test body…)")
        let test = try analyze(items, 1)
        loops.append(nil)
        defer { loops.removeLast() }
        return .whileLoop(test, body: try scoped { () throws(Raised) -> Node in try analyzeBody(items, from: 2) })
    }

    private func analyzeLoop(_ items: Items) throws(Raised) -> Node {
        let pairs = try bindingPairs(items, "(loop (name value …) body…)")
        return try scoped { () throws(Raised) -> Node in
            var (variables, values): ([Variable], [Node]) = ([], [])
            for (pattern, place) in pairs {
                guard case .symbol(let symbol) = pattern else {
                    throw error("eval/form", "loop binds names, got \(Describe.short(pattern))")
                }
                values.append(try analyze(place.items, place.index))
                variables.append(declare(symbol.name))
            }
            let label = LoopLabel()
            label.variables = variables
            loops.append(label)
            defer { loops.removeLast() }
            return .loop(variables, values, body: try analyzeBody(items, from: 2), label)
        }
    }

    private func analyzeRecur(_ items: Items) throws(Raised) -> Node {
        guard case .some(.some(let label)) = loops.last else {
            throw error("eval/recur", "recur stands inside (loop …) only", help: "a function calls itself by its name")
        }
        let values = try analyze(items, from: 1)
        guard values.count == label.variables.count else {
            throw error(
                "eval/arity",
                "arity mismatch: this loop has \(label.variables.count) variables, recur gives \(values.count)")
        }
        return .recur(values, label, currentSite)
    }

    // MARK: Errors

    /// `(try body… (catch e …) (finally …))`.
    private func analyzeTry(_ items: Items) throws(Raised) -> Node {
        var body: [Int] = []
        var (catcher, cleanup): (Items?, Items?) = (nil, nil)
        for index in items.elements.indices.dropFirst() {
            guard case .list(let clause) = items.elements[index], case .symbol(let head)? = clause.elements.first else {
                body.append(index)
                continue
            }
            switch head.name {
            case "catch": catcher = clause
            case "finally": cleanup = clause
            default: body.append(index)
            }
        }
        var nodes: [Node] = []
        for index in body { nodes.append(try analyze(items, index)) }
        var node: Node = nodes.isEmpty ? .constant(.null) : nodes.count == 1 ? nodes[0] : .sequence(nodes)
        if let catcher { node = try analyzeCatch(catcher, body: node) }
        guard let cleanup else { return node }
        return try scoped { () throws(Raised) -> Node in
            let variable = declare("%error")
            return .ensure(node, variable, cleanup: try analyzeBody(cleanup, from: 1))
        }
    }

    private func analyzeCatch(_ clause: Items, body: Node) throws(Raised) -> Node {
        guard clause.elements.count >= 2, case .symbol(let symbol) = clause.elements[1] else {
            throw error("eval/form", "the shape of this form is (catch e body…)")
        }
        return try scoped { () throws(Raised) -> Node in
            let variable = declare(symbol.name)
            return .attempt(body, variable, handler: try analyzeBody(clause, from: 2))
        }
    }
}
