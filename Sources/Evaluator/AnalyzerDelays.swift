import Language

/// Calls of functions that take some arguments as forms: `async`, `parallel`, `with-timeout`, `map-in`.
extension Analyzer {
    /// The nodes of such a call's arguments; nil for any other call.
    func delayed(_ items: Items) throws(Raised) -> [Node]? {
        guard case .symbol(let symbol) = items.elements[0], lookup(symbol.name) == nil,
            case .function(let function)? = machine.builtins[symbol.name], let control = function as? Control,
            control.forms != .evaluated, machine.isBuiltin(symbol.name)
        else { return nil }
        let count = items.elements.count
        switch control.forms {
        case .evaluated: return nil
        case .path: return count > 1 ? [try analyzeCallee(items, 1)] + (try analyze(items, from: 2)) : []
        case .quoted(let keyword):
            return try (1..<count).map { index throws(Raised) in
                guard case .keyword(let before) = items.elements[index - 1], before.name == keyword else {
                    return try analyze(items, index)
                }
                return .constant(DataMark.unmark(items.elements[index]))
            }
        case .each:
            var nodes: [Node] = []
            for index in 1..<count { nodes.append(try delay(items, index..<index + 1)) }
            return nodes
        case .body(let first):
            var nodes: [Node] = []
            for index in 1..<min(first, count) { nodes.append(try analyze(items, index)) }
            if count > first { nodes.append(try delay(items, first..<count)) }
            return nodes
        }
    }

    /// A function without parameters of these forms. At the top level what they define is global all the same.
    private func delay(_ items: Items, _ range: Range<Int>) throws(Raised) -> Node {
        let origin = items.origin.flatMap { origin in
            range.upperBound <= origin.items.count
                ? Origin(source: origin.source, span: origin.items[range.lowerBound], items: Array(origin.items[range]))
                : nil
        }
        nextIsTopLevel = isTopLevel
        return try lambda("", parameters: .null, Items(Array(items.elements[range]), origin: origin), from: 0)
    }
}
