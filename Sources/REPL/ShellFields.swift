import Evaluator
import Language
import Wire

/// What a shell sends with an upcall: values as plain fields, each text unless its kind says otherwise.
struct ShellFields {
    private let body: [UInt8]
    private let kinds: [Character]

    /// - Parameter kinds: as in `Upcall.kinds`; nil: all are text.
    init(_ body: [UInt8], kinds: String?) {
        self.body = body
        self.kinds = Array(kinds ?? "")
    }

    /// The arguments of a call.
    func arguments() throws(Failure) -> Given {
        var given = Given()
        for (index, field) in try fields().enumerated() { given.positional.append(try value(field, index)) }
        return given
    }

    /// The one value of an assignment.
    func value() throws(Failure) -> Value {
        guard let field = try fields().first else { throw Failure("wire/unreadable", "an assignment has no value") }
        return try value(field, 0)
    }

    /// Source text, and behind it names and values in turn.
    func evaluation() throws(Failure) -> (code: String, Given) {
        let fields = try fields()
        guard let first = fields.first, case .string(let code) = try value(first, 0) else {
            throw Failure("value/utf8", "source text must be UTF-8")
        }
        var given = Given()
        for index in stride(from: 1, to: fields.count - 1, by: 2) {
            let name = String(decoding: fields[index], as: UTF8.self)
            given.keywords.append((name, try value(fields[index + 1], (index + 1) / 2)))
        }
        return (code.string, given)
    }

    private func fields() throws(Failure) -> [[UInt8]] {
        do {
            return try PlainFields.decode(body)
        } catch {
            throw Failure("wire/unreadable", error.message)
        }
    }

    /// - Parameter index: counts values, for `kinds` and for errors.
    private func value(_ field: [UInt8], _ index: Int) throws(Failure) -> Value {
        switch index < kinds.count ? kinds[index] : "t" {
        case "j": return try JSON.parse(field)
        case "b": return .bytes(try decoded(field))
        case "s":
            let bytes = try decoded(field)
            return String(validating: bytes, as: UTF8.self).map(Value.text) ?? .bytes(bytes)
        default:
            guard let text = String(validating: field, as: UTF8.self) else {
                throw Failure(
                    "value/utf8", "value \(index + 1) is not UTF-8",
                    help: "bytes go through standard input: … | meta call -b NAME -")
            }
            return .text(text)
        }
    }

    /// `base64` breaks its lines.
    private func decoded(_ field: [UInt8]) throws(Failure) -> [UInt8] {
        let text = String(decoding: field.filter { $0 > 32 }, as: UTF8.self)
        guard let bytes = Base64.decode(text) else { throw Failure("wire/unreadable", "standard input is not base64") }
        return bytes
    }

    /// What a shell gets for a value: text as it is, bytes as the path of a file, what has parts as JSON, and nothing
    /// for null.
    ///
    /// - Throws: `value/uncopyable` for what stays with its owner, `value/nul` for text with a NUL.
    static func answer(_ value: Value, _ words: inout ShellWords) throws(Failure) {
        let data = try value.unwrapped()
        switch data {
        case .null: return
        case .tagged(let tagged) where tagged.tag == .undefined: return
        case .vector, .list, .object: try words.add(json(data), at: "the answer")
        case .tagged(let tagged) where tagged.bytes == nil && ShellWords.text(data) == nil:
            try words.add(json(data), at: "the answer")
        default: try words.add(data, at: "the answer")
        }
    }

    private static func json(_ data: Value) throws(Failure) -> Value {
        let body = try Envelope.encode(data)
        return .text(String(decoding: body, as: UTF8.self))
    }
}
