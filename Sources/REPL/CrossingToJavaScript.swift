import BigInt
import Evaluator
import Language

/// How values arrive in JavaScript.
enum CrossingToJavaScript {
    static func arrival(_ value: Value) -> Crossing.Arrival {
        switch value {
        case .null: return .exact("null")
        case .bool: return .exact("boolean")
        case .int(let int): return int.magnitude <= safe ? .exact("number") : .exact("BigInt")
        case .big: return .exact("BigInt")
        case .double(let double): return number(double)
        case .string: return .exact("string")
        case .symbol, .keyword: return .exact("string", "a name crosses as its text, which is = to it")
        case .list, .vector: return .exact("Array")
        case .object(let object):
            return isReordered(object.entries.keys.map(\.string))
                ? .exact("Map", "an Object would reorder its keys; it comes home as an object") : .exact("Object")
        case .error(let error):
            let isOwn = error.session == "js" && builtinErrors.contains(error.type)
            return .exact(isOwn ? error.type : "meta.Error")
        case .tagged(let tagged): return arrival(tagged)
        case .function(let function): return array(function)
        case .meta, .cell: return .exact("")
        }
    }

    private static func array(_ function: Function) -> Crossing.Arrival {
        guard let buffer = function as? BufferObject else { return .exact("") }
        guard buffer.layout.isCOrder, let type = arrays[buffer.layout.format] else {
            return .exact(
                "meta.View", "its items in shared memory; a TypedArray would have them in another order or format")
        }
        return .exact(type, "its items in shared memory, with a shape")
    }

    private static let arrays: [ElementFormat: String] = [
        .bool: "Uint8Array", .int8: "Int8Array", .int16: "Int16Array", .int32: "Int32Array", .int64: "BigInt64Array",
        .uint8: "Uint8Array", .uint16: "Uint16Array", .uint32: "Uint32Array", .uint64: "BigUint64Array",
        .float32: "Float32Array", .float64: "Float64Array",
    ]

    private static let safe: UInt = 1 << 53 - 1

    private static func number(_ double: Double) -> Crossing.Arrival {
        let isSafe =
            abs(double) <= Double(safe) && double.rounded() == double && !(double == 0 && double.sign == .minus)
        guard isSafe else { return .exact("number") }
        return Crossing.Arrival(
            outcome: .merged, type: "number", note: "JavaScript has one kind: home comes an integer")
    }

    private static func arrival(_ tagged: Tagged) -> Crossing.Arrival {
        switch tagged.tag {
        case .bytes?: .exact("Uint8Array")
        case .undefined?: .exact("undefined")
        case .symbol?: .exact("symbol")
        case .dateTime?:
            isInstant(tagged)
                ? .exact("Date", "the same instant") : .tagged("a Date is an instant in UTC with milliseconds")
        case .set?: hasTwins(tagged.items ?? []) ? .tagged("items that are one in JavaScript") : .exact("Set")
        case .map?:
            hasTwins(tagged.entries?.map(\.key) ?? []) ? .tagged("keys that are one in JavaScript") : .exact("Map")
        case .tuple?, .decimal?, .fraction?, .complex?, .date?, .time?, .duration?:
            .tagged("JavaScript has no such type")
        case nil: .tagged("a type that meta does not know")
        }
    }

    private static let builtinErrors: Set = [
        "Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError",
    ]

    /// Whether an Object would have these keys in another order: it has its indexes first, from the smallest on.
    private static func isReordered(_ keys: [String]) -> Bool {
        var last: UInt32?
        var isBehindTexts = false
        for key in keys {
            guard let number = UInt32(key), number < .max, String(number) == key else {
                isBehindTexts = true
                continue
            }
            if isBehindTexts || last.map({ number <= $0 }) ?? false { return true }
            last = number
        }
        return false
    }

    private static func isInstant(_ tagged: Tagged) -> Bool {
        guard tagged.fields.entries.count == 1, case .string(let text)? = tagged.fields["value"] else { return false }
        var rest = Substring(text.string)
        guard let zone = ["Z", "+00:00"].first(where: rest.hasSuffix) else { return false }
        rest = rest.dropLast(zone.count)
        guard rest.first?.isNumber == true, !rest.hasSuffix(":60") else { return false }
        let parts = rest.split(separator: ".", omittingEmptySubsequences: false)
        guard parts[0].utf8.count == 19, parts.count <= 2 else { return false }
        return parts.count == 1 || parts[1].utf8.count == 3 || parts[1].utf8.count == 6 && parts[1].hasSuffix("000")
    }

    /// Whether two are one key of a Map: equal primitives, or one object.
    private static func hasTwins(_ keys: [Value]) -> Bool {
        var seen: Set<String> = []
        return keys.contains { key in identity(key).map { !seen.insert($0).inserted } ?? false }
    }

    /// One text for what is the same primitive; nil for what is an object of its own.
    private static func identity(_ value: Value) -> String? {
        switch (try? value.unwrapped()) ?? value {
        case .null: return "null"
        case .bool(let flag): return "\(flag)"
        case .int(let int): return int.magnitude <= safe ? "number \(int)" : "bigint \(int)"
        case .big(let big): return "bigint \(big.value)"
        case .double(let double):
            return Int(exactly: double).map { $0.magnitude <= safe ? "number \($0)" : nil } ?? "float \(double)"
        case .string(let text): return "text \(text.string)"
        case .symbol(let name), .keyword(let name): return "text \(name.name)"
        case .tagged(let tagged) where tagged.tag == .undefined: return "undefined"
        case .tagged(let tagged) where tagged.tag == .symbol: return "symbol \(Printer.text(.tagged(tagged)))"
        case .function(let function): return "object \(ObjectIdentifier(function))"
        case .list, .vector, .object, .error, .tagged, .meta, .cell: return nil
        }
    }
}
