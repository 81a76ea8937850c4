import Language

extension Library {
    static func registerProvenance(in machine: Machine) {
        machine.register(
            Builtin(
                "(unwrap value)", arity: 1...1, lineage: .plain,
                documentation: Documentation(
                    "The data of a MetaObject, without where it came from.",
                    examples: ["(unwrap (MetaObject \"py\" 5)) => 5"]),
                body: { arguments throws(Failure) in try arguments.data(0) }))
        machine.register(
            Builtin(
                "(source value)", arity: 1...1, lineage: .plain,
                documentation: Documentation(
                    "The session that made the value, meta for one that never crossed.",
                    examples: ["(source 1) => \"meta\""]),
                body: { arguments in
                    if case .meta(let meta) = arguments[0] { .text(meta.source) } else { .text("meta") }
                }))
        machine.register(
            Builtin(
                "(gensym stem)", arity: 0...1, lineage: .plain,
                documentation: Documentation(
                    "A symbol that no one else has.", examples: ["(symbol? (gensym)) => true"]),
                body: { [unowned machine] arguments throws(Failure) in
                    machine.gensym(arguments.count == 1 ? try arguments.string(0) : "g")
                }))
        machine.register(
            Builtin(
                "(throw value)", arity: 1...1, lineage: .plain,
                documentation: Documentation(
                    "Raises an error: a message, an object with code and message, or an error that was caught.",
                    examples: ["(try (throw \"no\") (catch e e.message)) => \"no\""]),
                body: { [unowned machine] arguments throws(Failure) in throw machine.thrown(arguments[0]) }))
    }
}
