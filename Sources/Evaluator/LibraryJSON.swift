import Language

extension Library {
    static func registerJSON(in machine: Machine) {
        machine.register(
            Builtin(
                "(json.stringify value)", arity: 1...1,
                documentation: Documentation(
                    "The value as JSON text. eval-in and send-json deliver such a text as the value it stands for.",
                    examples: ["(json.stringify {a: [1 2.0]}) => \"{\\\"a\\\":[1,2.0]}\""]),
                body: { arguments throws(Failure) in
                    .string(Text(try JSON.text(try arguments.data(0)), isJSON: true))
                }))
        machine.register(
            Builtin(
                "(json.parse text)", arity: 1...1, lineage: .plain,
                documentation: Documentation(
                    "The value of a JSON text, exactly. A value that is no text is itself.",
                    examples: ["(json.parse \"[1, 2.0]\") => [1 2.0]"]),
                body: { [unowned machine] arguments throws(Failure) in
                    guard case .string(let text) = try arguments.data(0) else { return arguments[0] }
                    let value = try JSON.parse(text.string)
                    guard case .meta(let meta) = arguments[0] else { return value }
                    return machine.select(value, of: meta, path: "json.parse")
                }))
    }
}
