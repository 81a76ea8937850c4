import Language

extension Library {
    static func registerStrings(in machine: Machine) {
        machine.register(
            Builtin(
                "(str …values)", arity: 0...Int.max,
                documentation: Documentation(
                    "The values' texts, joined: strings as they are, bytes as the UTF-8 they are, null as nothing, others as their forms.",
                    examples: ["(str \"a\" 1 [2]) => \"a1[2]\"", "(str (bytes \"é\")) => \"é\""]),
                body: { arguments throws(Failure) in
                    var text = ""
                    for index in 0..<arguments.count { text += try Self.text(try arguments.data(index)) }
                    return .text(text)
                }))
    }

    /// A value as a program's text: as people see it, but bytes as what they say.
    ///
    /// - Throws: `value/utf8` for bytes that are no text.
    static func text(_ value: Value) throws(Failure) -> String {
        guard case .tagged(let tagged) = value, let bytes = tagged.bytes else { return display(value) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure(
                "value/utf8", "\(Describe.short(value)) are not UTF-8",
                help: "(vec b) gives the numbers, (base64.encode b) a text for any bytes")
        }
        return text
    }

    /// A value as text for people: a string without quotes, null as nothing.
    public static func display(_ value: Value) -> String {
        switch value {
        case .null: ""
        case .string(let text): text.string
        case .symbol(let symbol), .keyword(let symbol): symbol.name
        case .tagged(let tagged): tagged.text ?? Printer.text(value)
        case .meta(let meta): (try? meta.data()).map(display) ?? Printer.text(value)
        default: Printer.text(value)
        }
    }
}
