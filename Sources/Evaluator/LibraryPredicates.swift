import Language

extension Library {
    static func registerPredicates(in machine: Machine) {
        let kinds: [(String, String, (Value) -> Bool)] = [
            ("function?", "a function", { if case .function = $0 { true } else { false } }),
            ("object?", "an object", { if case .object = $0 { true } else { false } }),
            ("vector?", "a vector", { if case .vector = $0 { true } else { false } }),
            ("list?", "a list", { if case .list = $0 { true } else { false } }),
            ("string?", "a string", { if case .string = $0 { true } else { false } }),
            ("symbol?", "a symbol", { if case .symbol = $0 { true } else { false } }),
            ("keyword?", "a keyword", { if case .keyword = $0 { true } else { false } }),
            ("integer?", "an integer", { Arithmetic.integer($0) != nil }),
            ("float?", "a float", { if case .double = $0 { true } else { false } }),
            ("number?", "a number", { Arithmetic.double($0) != nil }),
            ("boolean?", "true or false", { if case .bool = $0 { true } else { false } }),
            ("null?", "null", { if case .null = $0 { true } else { false } }),
            ("error?", "an error", { if case .error = $0 { true } else { false } }),
        ]
        for (name, text, test) in kinds {
            machine.register(
                Builtin(
                    "(\(name) value)", arity: 1...1, lineage: .plain,
                    documentation: Documentation("Whether the value is \(text)."),
                    body: { arguments throws(Failure) in .bool(test(try arguments.data(0))) }))
        }
        registerTests(in: machine)
    }

    private static func registerTests(in machine: Machine) {
        machine.register(
            Builtin(
                "(empty? collection)", arity: 1...1, lineage: .plain,
                documentation: Documentation("Whether it has no items.", examples: ["(empty? []) => true"]),
                body: { arguments throws(Failure) in .bool(try arguments.sequence(0).isEmpty) }))
        machine.register(
            Builtin(
                "(not value)", arity: 1...1, lineage: .plain,
                documentation: Documentation("Whether the value is false.", examples: ["(not 0) => true"]),
                body: { arguments throws(Failure) in .bool(try !arguments[0].isTrue) }))
        machine.register(
            Builtin(
                "(identical? a b)", arity: 2...2, lineage: .plain,
                documentation: Documentation(
                    "Whether two values are equal and of one kind at every level.",
                    examples: ["(identical? 1 1.0) => false"]),
                body: { arguments throws(Failure) in .bool(try Value.identical(arguments[0], arguments[1])) }))
    }
}
