import Language

extension Library {
    static func registerPredicates(in machine: Machine) {
        let kinds: [(String, String, String, (Value) -> Bool)] = [
            ("function?", "a function", "(function? map) => true", { isFunction($0) }),
            ("object?", "an object", "(object? {}) => true", { if case .object = $0 { true } else { false } }),
            ("vector?", "a vector", "(vector? [1]) => true", { if case .vector = $0 { true } else { false } }),
            ("list?", "a list", "(list? '(1)) => true", { if case .list = $0 { true } else { false } }),
            ("string?", "a string", "(string? \"a\") => true", { if case .string = $0 { true } else { false } }),
            ("symbol?", "a symbol", "(symbol? 'a) => true", { if case .symbol = $0 { true } else { false } }),
            ("keyword?", "a keyword", "(keyword? :a) => true", { if case .keyword = $0 { true } else { false } }),
            ("integer?", "an integer", "(integer? 1.0) => false", { Arithmetic.integer($0) != nil }),
            ("float?", "a float", "(float? 1.0) => true", { if case .double = $0 { true } else { false } }),
            ("number?", "a number", "(number? 1) => true", { Arithmetic.double($0) != nil }),
            ("boolean?", "true or false", "(boolean? null) => false", { if case .bool = $0 { true } else { false } }),
            ("null?", "null", "(null? null) => true", { if case .null = $0 { true } else { false } }),
            (
                "error?", "an error", "(error? (try (throw 1) (catch e e))) => true",
                { if case .error = $0 { true } else { false } }
            ),
        ]
        for (name, text, example, test) in kinds {
            machine.register(
                Builtin(
                    "(\(name) value)", arity: 1...1, lineage: .plain,
                    documentation: Documentation("Whether the value is \(text).", examples: [example]),
                    body: { arguments throws(Failure) in .bool(test(try arguments.data(0))) }))
        }
        for tag in Tag.allCases where tag != .undefined {
            machine.add(
                "(\(tag.kind)? value)", 1...1, "Whether the value is \(article(tag)).", "(\(tag.kind)? [1]) => false",
                lineage: .plain
            ) { arguments throws(Failure) in .bool(carries(try arguments.data(0), tag)) }
        }
        machine.add(
            "(undefined? value)", 1...1, "Whether the value is JavaScript's undefined, which is not null.",
            "(undefined? undefined) => true", "(undefined? null) => false", lineage: .plain
        ) { arguments throws(Failure) in .bool(carries(try arguments.data(0), .undefined)) }
        registerTests(in: machine)
    }

    private static func carries(_ value: Value, _ tag: Tag) -> Bool {
        if case .tagged(let tagged) = value { tagged.tag == tag } else { false }
    }

    private static func article(_ tag: Tag) -> String {
        switch tag {
        case .decimal: "a decimal number, exact as written"
        case .complex: "a complex number"
        case .fraction: "a fraction of two integers"
        case .bytes: "bytes"
        case .date: "a date"
        case .time: "a time of day"
        case .dateTime: "a date with a time of day"
        case .duration: "a length of time"
        case .tuple: "a tuple, as Python has them"
        case .set: "a set"
        case .map: "a map, whose keys are any values"
        case .undefined: "JavaScript's undefined"
        case .symbol: "a symbol of JavaScript"
        }
    }

    private static func isFunction(_ value: Value) -> Bool {
        guard case .function(let function) = value else { return false }
        return (function as? RemoteObject)?.isCallable ?? true
    }

    private static func registerTests(in machine: Machine) {
        machine.register(
            Builtin(
                "(empty? collection)", arity: 1...1, lineage: .plain,
                documentation: Documentation("Whether it has no items.", examples: ["(empty? []) => true"]),
                body: { arguments throws(Failure) in .bool(try arguments.stretch(0, atMost: 1).count == 0) }))
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
        machine.add("(even? integer)", 1...1, "Whether 2 divides it.", "(even? 4) => true", lineage: .plain) {
            arguments throws(Failure) in .bool(try arguments.bigInteger(0).isMultiple(of: 2))
        }
        machine.add("(odd? integer)", 1...1, "Whether 2 does not divide it.", "(odd? 3) => true", lineage: .plain) {
            arguments throws(Failure) in .bool(try !arguments.bigInteger(0).isMultiple(of: 2))
        }
        machine.add(
            "(nan? value)", 1...1, "Whether the value is the float that is not a number.", "(nan? 1.0) => false",
            lineage: .plain
        ) { arguments throws(Failure) in
            if case .double(let double) = try arguments.data(0) { .bool(double.isNaN) } else { .bool(false) }
        }
        machine.add(
            "(!= a b)", 2...2, "Whether two values are not equal.", "(!= 1 2) => true", lineage: .plain
        ) { arguments throws(Failure) in
            try arguments.leave(to: "%differ")
            return .bool(try !Value.equal(arguments[0], arguments[1]))
        }
        machine.add(
            "(type value)", 1...1, "The name of the value's kind.", "(type 1.5) => \"float\"",
            "(type {}) => \"object\"", lineage: .plain
        ) { arguments throws(Failure) in .text(Describe.kind(try arguments.data(0))) }
    }
}
