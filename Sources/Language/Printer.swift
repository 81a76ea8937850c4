/// Values as readable forms: what is printed reads back as an equal value, for all that has a readable form.
public struct Printer {
    private var output = ""
    private var quasiquotes = 0
    private let width: Int?
    /// Bytes past which nothing more is printed.
    private let limit: Int

    /// The form on one line.
    public static func text(_ value: Value) -> String {
        var printer = Printer(width: nil)
        printer.print(value)
        return printer.output
    }

    /// The form cut to `limit` characters, with a `…` for the rest.
    public static func text(_ value: Value, limit: Int) -> String {
        var printer = Printer(width: nil, limit: limit * 4)
        printer.print(value)
        let scalars = printer.output.unicodeScalars
        guard scalars.count > limit else { return printer.output }
        return String(String.UnicodeScalarView(scalars.prefix(limit - 1))) + "…"
    }

    /// The form laid out over lines where it is wider than `width` columns.
    public static func layout(_ value: Value, width: Int) -> String {
        var printer = Printer(width: width)
        printer.printBroken(value, indent: 0, trailing: 0)
        return printer.output
    }

    private init(width: Int?, limit: Int = .max) {
        self.width = width
        self.limit = limit
    }

    private mutating func print(_ value: Value) {
        guard output.utf8.count <= limit else { return }
        switch value {
        case .null: output += "null"
        case .bool(let flag): output += flag ? "true" : "false"
        case .int(let int): output += int.description
        case .big(let big): output += Numeral.text(big.value)
        case .double(let double): output += Self.text(of: double)
        case .string(let text): output += Self.quoted(text.string)
        case .symbol(let symbol): output += Self.sanitized(symbol.name)
        case .keyword(let keyword): output += ":" + Self.sanitized(keyword.name)
        case .list(let items): print(list: items)
        case .vector(let items): print(items, open: "[", close: "]")
        case .object(let object): print(object)
        case .function(let function): output += function.form
        case .error(let error): output += "#<error \(error.code): \(Self.sanitized(error.message))>"
        case .tagged(let tagged): print(tagged)
        case .meta(let meta): print(meta)
        case .cell(let cell): print(cell.value)
        }
    }

    private mutating func print(_ meta: MetaObject) {
        do throws(Failure) {
            print(try meta.data())
        } catch {
            output += "#<unreadable: \(Self.sanitized(error.message))>"
        }
    }

    private mutating func print(list: Items) {
        guard list.elements.count == 2, case .symbol(let head) = list.elements[0], let mark = Self.marks[head.name],
            quasiquotes + mark.level >= 0, !isGluedComma(mark.text, list.elements[1])
        else { return print(list, open: "(", close: ")") }
        output += mark.text
        quasiquotes += mark.level
        print(list.elements[1])
        quasiquotes -= mark.level
    }

    /// Whether the short form would put a comma right behind `,@`, which the reader refuses.
    private func isGluedComma(_ mark: String, _ inner: Value) -> Bool {
        guard mark == ",@", case .list(let items) = inner, items.elements.count == 2,
            case .symbol(let head) = items.elements[0]
        else { return false }
        return head.name == "unquote" || head.name == "unquote-splicing"
    }

    private mutating func print(_ items: Items, open: String, close: String) {
        output += open
        for (index, item) in items.elements.enumerated() {
            guard output.utf8.count <= limit else { return }
            if index > 0 { output += " " }
            print(item)
        }
        output += close
    }

    private mutating func print(_ object: Object) {
        output += "{"
        var isFirst = true
        for (key, value) in object.entries {
            guard output.utf8.count <= limit else { return }
            if !isFirst { output += " " }
            isFirst = false
            output += Self.key(key.string) + ": "
            print(value)
        }
        output += "}"
    }

    private mutating func print(_ tagged: Tagged) {
        if let form = tagged.form { return print(form) }
        output += "#<" + Self.sanitized(tagged.type)
        for (key, value) in tagged.fields.entries {
            output += " "
            if tagged.fields.entries.count > 1 { output += Self.key(key.string) + ": " }
            print(value)
        }
        output += ">"
    }

    // MARK: Layout

    private mutating func printBroken(_ value: Value, indent: Int, trailing: Int) {
        guard let width, indent + trailing + Self.text(value).unicodeScalars.count > width,
            case .some(let data) = try? value.unwrapped()
        else { return print(value) }
        switch data {
        case .vector(let items): printBroken(items, open: "[", close: "]", indent: indent + 1, trailing: trailing)
        case .list(let items): printBroken(items, open: "(", close: ")", indent: indent + 1, trailing: trailing)
        case .object(let object): printBroken(object, indent: indent + 1, trailing: trailing)
        case .tagged(let tagged):
            guard case .list(let items)? = tagged.form else { return print(data) }
            printBroken(items, open: "(", close: ")", indent: indent + 1, trailing: trailing)
        default: print(data)
        }
    }

    private mutating func printBroken(_ items: Items, open: String, close: String, indent: Int, trailing: Int) {
        output += open
        if items.elements.allSatisfy(\.isAtom) {
            fill(items.elements, indent: indent, trailing: trailing + 1)
            output += close
            return
        }
        for (index, item) in items.elements.enumerated() {
            if index > 0 { breakLine(indent) }
            let isLast = index == items.elements.count - 1
            printBroken(item, indent: indent, trailing: isLast ? trailing + 1 : 0)
        }
        output += close
    }

    /// As many items on a line as fit.
    private mutating func fill(_ items: [Value], indent: Int, trailing: Int) {
        var column = indent
        for (index, item) in items.enumerated() {
            let text = Self.text(item)
            let length = text.unicodeScalars.count + (index == items.count - 1 ? trailing : 0)
            if index > 0, column + 1 + length > width ?? .max {
                breakLine(indent)
                column = indent
            } else if index > 0 {
                output += " "
                column += 1
            }
            output += text
            column += length
        }
    }

    private mutating func printBroken(_ object: Object, indent: Int, trailing: Int) {
        output += "{"
        for (index, entry) in object.entries.elements.enumerated() {
            if index > 0 { breakLine(indent) }
            let key = Self.key(entry.key.string) + ": "
            output += key
            let isLast = index == object.entries.count - 1
            let column = indent + key.unicodeScalars.count
            printBroken(entry.value, indent: column, trailing: isLast ? trailing + 1 : 0)
        }
        output += "}"
    }

    private mutating func breakLine(_ indent: Int) {
        output += "\n" + String(repeating: " ", count: indent)
    }

    // MARK: Atoms

    /// The short forms, and how each changes the count of backquotes around what follows.
    private static let marks: [String: (text: String, level: Int)] = [
        "quote": ("'", 0), "quasiquote": ("`", 1), "unquote": (",", -1), "unquote-splicing": (",@", -1),
    ]

    static func text(of double: Double) -> String {
        if double.isNaN { return "NaN" }
        if double.isInfinite { return double < 0 ? "-Infinity" : "Infinity" }
        return double.description
    }

    /// An object's key: bare where the reader takes it so.
    static func key(_ key: String) -> String {
        Token.isBareKey(key) ? key : quoted(key)
    }

    /// The text in double quotes; control characters, and what reorders or hides text, as escapes.
    public static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            default:
                if isUnsafe(scalar) {
                    result += escape(scalar)
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }

    /// The text with control characters as escapes, so that data moves no cursor. Line feeds and tabs stay.
    public static func sanitized(_ text: String) -> String {
        escaped(text) { isUnsafe($0) && $0 != "\n" && $0 != "\t" }
    }

    /// As `sanitized`, on one line.
    public static func sanitizedLine(_ text: String) -> String {
        escaped(text, isUnsafe)
    }

    private static func escaped(_ text: String, _ escapes: (Unicode.Scalar) -> Bool) -> String {
        guard text.unicodeScalars.contains(where: escapes) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if escapes(scalar) {
                result += escape(scalar)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// C0 and C1 controls, and the bidirectional overrides (Unicode TR 36).
    private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x202A...0x202E, 0x2066...0x2069, 0x2028, 0x2029: true
        default: false
        }
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16)
        return "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}

extension Value {
    fileprivate var isAtom: Bool {
        switch self {
        case .list, .vector, .object, .tagged: false
        case .meta(let meta): (try? meta.data())?.isAtom ?? true
        default: true
        }
    }
}
