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
        machine.add(
            "(json.pretty value)", 1...1, "The value as JSON text over several lines, indented by two spaces.",
            "(json.pretty {a: [1 2]}) => \"{\\n  \\\"a\\\": [\\n    1,\\n    2\\n  ]\\n}\""
        ) { arguments throws(Failure) in
            .string(Text(try JSONLayout.text(try arguments.data(0)), isJSON: true))
        }
        machine.add(
            "(json.parse-lines text)", 1...1,
            "The values of a text with a JSON document on each line; empty lines count not.",
            "(json.parse-lines \"{\\\"a\\\":1}\\n[2]\\n\") => [{a: 1} [2]]"
        ) { arguments throws(Failure) in
            var values: [Value] = []
            for (index, line) in TextSearch.lines(try arguments.onlyString(0)).enumerated() where !line.trimmed.isEmpty
            {
                do throws(Failure) {
                    values.append(try JSON.parse(line))
                } catch {
                    throw Failure(error.code, "line \(index + 1): \(error.message)", help: error.help)
                }
            }
            return .vector(Items(values))
        }
    }
}

/// JSON over several lines, laid out from the compact text: what stands inside strings is left alone.
private enum JSONLayout {
    static func text(_ value: Value) throws(Failure) -> String {
        var output: [UInt8] = []
        var depth = 0
        var isString = false
        let bytes = try JSON.bytes(value)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            output.append(byte)
            if isString {
                if byte == UInt8(ascii: "\\"), index + 1 < bytes.count {
                    index += 1
                    output.append(bytes[index])
                }
                isString = byte != UInt8(ascii: "\"")
            } else if byte == UInt8(ascii: "\"") {
                isString = true
            } else {
                lay(byte, next: index + 1 < bytes.count ? bytes[index + 1] : 0, &depth, &output)
            }
            index += 1
            try Limit.check(output.count, Limit.bytes, "bytes")
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// What goes between a byte outside strings and the next one.
    private static func lay(_ byte: UInt8, next: UInt8, _ depth: inout Int, _ output: inout [UInt8]) {
        let isClosing = { (byte: UInt8) in byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}") }
        switch byte {
        case UInt8(ascii: ":"): output.append(UInt8(ascii: " "))
        case UInt8(ascii: ","): breakLine(depth, &output)
        case UInt8(ascii: "["), UInt8(ascii: "{"):
            depth += 1
            if !isClosing(next) { breakLine(depth, &output) }
        default: break
        }
        guard isClosing(next), depth > 0 else { return }
        depth -= 1
        if byte != UInt8(ascii: "["), byte != UInt8(ascii: "{") { breakLine(depth, &output) }
    }

    private static func breakLine(_ depth: Int, _ output: inout [UInt8]) {
        output.append(UInt8(ascii: "\n"))
        output += Array(repeating: UInt8(ascii: " "), count: 2 * depth)
    }
}
