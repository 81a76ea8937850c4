import Language

extension Library {
    static func registerStrings(in machine: Machine) {
        machine.register(
            Builtin(
                "(str …values)", arity: 0...Int.max,
                documentation: Documentation(
                    "The values' texts, joined: strings as they are, null as nothing, others as their forms.",
                    examples: ["(str \"a\" 1 [2]) => \"a1[2]\""]),
                body: { arguments throws(Failure) in
                    var text = ""
                    for index in 0..<arguments.count { text += display(try arguments.data(index)) }
                    return .text(text)
                }))
    }

    /// A value as text for people: a string without quotes, null as nothing.
    public static func display(_ value: Value) -> String {
        switch value {
        case .null: ""
        case .string(let text): text.string
        case .symbol(let symbol), .keyword(let symbol): symbol.name
        case .meta(let meta): (try? meta.data()).map(display) ?? Printer.text(value)
        default: Printer.text(value)
        }
    }
}
