import BigInt
import Language

/// Values of types that JSON lacks: made, and turned into others.
extension Library {
    static func registerTagged(in machine: Machine) {
        machine.register(value: .tagged(.undefined, [:]), as: "undefined")
        registerBytes(in: machine)
        registerContainers(in: machine)
        registerExactNumbers(in: machine)
    }

    private static func registerBytes(in machine: Machine) {
        machine.add(
            "(bytes value)", 1...1,
            "Bytes: a text's in UTF-8, or those of a collection of integers from 0 to 255. (str b) is their text again.",
            "(count (bytes \"héllo\")) => 6", "(get (bytes [1 2 255]) -1) => 255", "(str (bytes [104 105])) => \"hi\""
        ) { arguments throws(Failure) in
            let value = try arguments.data(0)
            if case .string(let text) = value { return .bytes(Array(text.string.utf8)) }
            if case .tagged(let tagged) = value, tagged.tag == .bytes { return value }
            var bytes: [UInt8] = []
            for item in try arguments.sequence(0) {
                guard case .int(let int) = try arguments.look(item), let byte = UInt8(exactly: int) else {
                    throw arguments.wrong(0, "a text, or integers from 0 to 255")
                }
                bytes.append(byte)
            }
            return .bytes(bytes)
        }
        machine.add(
            "(base64.encode value)", 1...1, "The base64 text (RFC 4648) of bytes, or of a text's bytes.",
            "(base64.encode (bytes [0 255])) => \"AP8=\""
        ) { arguments throws(Failure) in
            if case .string(let text) = try arguments.data(0) { return .text(Base64.encode(Array(text.string.utf8))) }
            guard case .tagged(let tagged) = try arguments.data(0), let bytes = tagged.bytes else {
                throw arguments.wrong(0, "bytes or a text")
            }
            return .text(Base64.encode(bytes))
        }
        machine.add(
            "(base64.decode text)", 1...1, "The bytes of a base64 text with its padding.",
            "(base64.decode \"aGk=\") => (bytes \"hi\")"
        ) { arguments throws(Failure) in
            guard let bytes = Base64.decode(try arguments.onlyString(0)) else {
                throw Failure("value/base64", "\(Describe.short(arguments[0])) is not base64 with its padding")
            }
            return .bytes(bytes)
        }
    }

    private static func registerContainers(in machine: Machine) {
        machine.add(
            "(tuple …items)", 0...Int.max, "A tuple, which reaches Python as one.", "(get (tuple 1 2) 0) => 1",
            "(vec (tuple 1 2)) => [1 2]", lineage: .plain
        ) { arguments throws(Failure) in .tuple(arguments.all) }
        machine.add(
            "(set-of …items)", 0...Int.max, "A set of the arguments; of equal ones the first counts.",
            "(= (set-of 1 2) (set-of 2 1 1)) => true", "(contains? (set-of 1 2) 2) => true", lineage: .plain
        ) { arguments throws(Failure) in
            var seen: Set<ValueKey> = []
            return .tagged(.set, ["items": .vector(Items(arguments.all.filter { seen.insert(ValueKey($0)).inserted }))])
        }
        machine.add(
            "(map-of …keys-and-values)", 0...Int.max,
            "A map of keys, which may be any values, each followed by its value; of equal keys the last value counts.",
            "(get (map-of 1 \"one\" [2] \"two\") [2]) => \"two\"", lineage: .plain
        ) { arguments throws(Failure) in
            guard arguments.count.isMultiple(of: 2) else {
                throw Failure("eval/arity", "map-of takes keys and values in pairs, got \(arguments.count) arguments")
            }
            var places: [ValueKey: Int] = [:]
            var entries: [Value] = []
            for index in stride(from: 0, to: arguments.count, by: 2) {
                let place = places[ValueKey(arguments[index])] ?? entries.count
                let key = place < entries.count ? Stretch.pairKey(entries[place]) : arguments[index]
                let pair = Value.vector(Items([key, arguments[index + 1]]))
                if place < entries.count { entries[place] = pair } else { entries.append(pair) }
                places[ValueKey(key)] = place
            }
            return .tagged(.map, ["entries": .vector(Items(entries))])
        }
        machine.add(
            "(vec collection)", 1...1,
            "The items of a collection as a vector: of a tuple, a set, bytes, a map its pairs.",
            "(vec (bytes \"hi\")) => [104 105]", "(vec (map-of 1 2)) => [[1 2]]"
        ) { arguments throws(Failure) in .vector(Items(try arguments.sequence(0))) }
        machine.add(
            "(contains? collection item)", 2...2,
            "Whether a set, vector, tuple, list or bytes has the item, a map or object the key, a text the text.",
            "(contains? (set-of \"a\") \"a\") => true", "(contains? {a: 1} :a) => true", "(contains? [1 2] 3) => false",
            lineage: .plain
        ) { arguments throws(Failure) in .bool(try contains(&arguments)) }
    }

    private static func contains(_ arguments: inout Arguments) throws(Failure) -> Bool {
        let item = try arguments.data(1)
        switch try arguments.data(0) {
        case .object(let object):
            return item.nameText.map { object[$0] != nil } ?? false
        case .tagged(let tagged) where tagged.tag == .set || tagged.tag == .map:
            return tagged.places[ValueKey(item)] != nil
        case .string(let text):
            guard let part = item.nameText else { throw arguments.wrong(1, "a text") }
            return TextSearch(part).first(in: Array(text.string.utf8)) != nil
        default:
            for other in try arguments.sequence(0) where try Value.equal(other, item) { return true }
            return false
        }
    }

    private static func registerExactNumbers(in machine: Machine) {
        machine.add(
            "(decimal value)", 1...1,
            "A decimal number of a text or an integer, exact as written. Meta carries and compares it; Python computes with it.",
            "(= (decimal \"0.10\") (decimal \"0.1\")) => true", "(str (decimal \"0.10\")) => \"0.10\""
        ) { arguments throws(Failure) in
            let value = try arguments.data(0)
            switch value {
            case .int, .big: return .tagged(.decimal, ["value": .text(Printer.text(value))])
            default: return try tagged(.decimal, &arguments)
            }
        }
        machine.add(
            "(complex re im)", 1...2, "A complex number of its parts.", "(get (complex 1 2) :im) => 2.0"
        ) { arguments throws(Failure) in
            let im = arguments.count == 2 ? try arguments.double(1) : 0
            return .tagged(.complex, ["re": .double(try arguments.double(0)), "im": .double(im)])
        }
        machine.add(
            "(fraction numerator denominator)", 2...2, "A fraction of two integers, in its lowest terms.",
            "(str (fraction 2 -6)) => \"-1/3\""
        ) { arguments throws(Failure) in
            let (over, under) = (try arguments.bigInteger(0), try arguments.bigInteger(1))
            guard !under.isZero else { throw arguments.wrong(1, "an integer other than zero") }
            let divisor = over.greatestCommonDivisor(with: under) * (under.sign == .minus ? -1 : 1)
            let text = [over / divisor, under / divisor].map { Printer.text(.integer($0)) }.joined(separator: "/")
            return .tagged(.fraction, ["value": .text(text)])
        }
        machine.add(
            "(js-symbol name)", 1...1, "The symbol that JavaScript knows as Symbol.for(name).",
            "(= (js-symbol \"a\") (js-symbol \"a\")) => true"
        ) { arguments throws(Failure) in .tagged(.symbol, ["value": .text(try arguments.string(0))]) }
    }

    /// The value of a tag that the first argument's text writes.
    static func tagged(_ tag: Tag, _ arguments: inout Arguments) throws(Failure) -> Value {
        let value = try arguments.data(0)
        if case .tagged(let tagged) = value, tagged.tag == tag { return value }
        let fields: Object.Entries = ["value": .text(try arguments.onlyString(0))]
        guard tag.problem(fields) == nil else {
            throw Failure("value/malformed", "\(Describe.short(value)) is not a \(tag.kind)", help: tag.example)
        }
        return .tagged(tag, fields)
    }
}

extension Machine {
    /// Adds a built-in value that is no function.
    func register(value: Value, as name: String) {
        builtins[name] = value
        globals.define(name, value)
    }
}

extension Stretch {
    /// The key of a `[key value]` pair.
    fileprivate static func pairKey(_ pair: Value) -> Value {
        if case .vector(let items) = pair { items.elements.first ?? .null } else { .null }
    }
}

extension Tag {
    fileprivate var example: String? {
        switch self {
        case .decimal: "(decimal \"0.10\")"
        case .date: "(date \"2026-01-31\")"
        case .time: "(time \"14:30:00\")"
        case .dateTime: "(datetime \"2026-01-31T14:30:00+01:00\")"
        case .duration: "(duration \"PT1H30M\"), or seconds: (duration 5400)"
        default: nil
        }
    }
}
