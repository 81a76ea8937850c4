import Language

/// A vector under construction, for loops of the library in the language: items are added in place, one at a time. Programs
/// never see one.
final class Builder: ControlFunction {
    private var items: [Value] = []

    init(capacity: Int) {
        items.reserveCapacity(min(capacity, Limit.items))
        super.init(name: "%builder", signature: "(%builder)")
    }

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
