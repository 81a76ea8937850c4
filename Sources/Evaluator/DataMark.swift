import Language

/// What a caller hands to a meta-level function is data in the code that function returns.
enum DataMark {
    static func mark(_ value: Value) -> Value {
        guard needsMark(value) else { return value }
        switch value {
        case .symbol(let symbol): return .symbol(Symbol(symbol.name, isData: true))
        case .list(let items): return .list(Items(items.elements.map(mark), isData: true))
        case .vector(let items): return .vector(Items(items.elements.map(mark)))
        case .object(let object): return .object(Object(object.entries.mapValues(mark)))
        default: return value
        }
    }

    private static func needsMark(_ value: Value) -> Bool {
        switch value {
        case .symbol(let symbol): !symbol.isData
        case .list(let items): !items.isData
        case .vector(let items): items.elements.contains(where: needsMark)
        case .object(let object): object.entries.values.contains(where: needsMark)
        default: false
        }
    }

    /// The value as programs see it: a mark means something in code only.
    static func unmark(_ value: Value) -> Value {
        guard isMarked(value) else { return value }
        switch value {
        case .symbol(let symbol): return .symbol(Symbol(symbol.name))
        case .list(let items): return .list(Items(items.elements.map(unmark), origin: items.origin))
        case .vector(let items): return .vector(Items(items.elements.map(unmark), origin: items.origin))
        case .object(let object): return .object(Object(object.entries.mapValues(unmark), origin: object.origin))
        default: return value
        }
    }

    private static func isMarked(_ value: Value) -> Bool {
        switch value {
        case .symbol(let symbol): symbol.isData
        case .list(let items): items.isData || items.elements.contains(where: isMarked)
        case .vector(let items): items.elements.contains(where: isMarked)
        case .object(let object): object.entries.values.contains(where: isMarked)
        default: false
        }
    }
}
