import Language

/// A vector under construction, for loops of the library in the language: items are added in place, one at a time. Programs
/// never see one.
final class Builder: ControlFunction {
    private var items: [Value] = []

    init(capacity: Int) {
        items.reserveCapacity(min(capacity, Limit.items))
        super.init(name: "%builder", signature: "(%builder)")
    }

    var count: Int { items.count }

    func add(_ item: Value) {
        items.append(item)
    }

    /// The vector; the builder is empty afterwards.
    func finish() -> Value {
        defer { items = [] }
        return .vector(Items(items))
    }
}

extension Library {
    static func registerBuilder(in machine: Machine) {
        machine.register(
            Builtin("(%builder capacity)", arity: 1...1, lineage: .plain) { arguments throws(Failure) in
                .function(Builder(capacity: try arguments.size(0)))
            })
        machine.register(
            Builtin("(%add builder item)", arity: 2...2, lineage: .plain) { arguments throws(Failure) in
                try builder(arguments).add(arguments[1])
                return .null
            })
        machine.register(
            Builtin("(%add-all builder items)", arity: 2...2, lineage: .plain) { arguments throws(Failure) in
                let builder = try builder(arguments)
                for item in try arguments.sequence(1) { builder.add(item) }
                try Limit.check(builder.count, Limit.items, "items")
                return .null
            })
        machine.register(
            // The vector as a part of what its items were taken from.
            Builtin("(%built-of builder object)", arity: 2...2, lineage: .plain) {
                [unowned machine] arguments throws(Failure) in
                let items = try builder(arguments).finish()
                guard case .meta(let whole) = arguments[1] else { return items }
                return machine.select(items, of: whole, path: "items")
            })
        machine.register(
            Builtin("(%built builder)", arity: 1...1, lineage: .plain) { arguments throws(Failure) in
                try builder(arguments).finish()
            })
    }

    private static func builder(_ arguments: Arguments) throws(Failure) -> Builder {
        guard case .function(let function) = arguments[0], let builder = function as? Builder else {
            throw arguments.wrong(0, "a builder")
        }
        return builder
    }
}
