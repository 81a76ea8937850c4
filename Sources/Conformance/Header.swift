import Language
import Wire

/// A header as the suite writes it: any field, also such as meta never sends.
struct Header {
    private var fields: [(name: String, value: Value)]

    init(_ op: String, id: Int? = nil, _ fields: [(String, Value)] = []) {
        self.fields = [("op", .text(op))] + (id.map { [("id", .int($0))] } ?? []) + fields.map { ($0.0, $0.1) }
    }

    /// For a kernel that reads JSON, or one that reads plain fields: a path is then its names with dots.
    func bytes(plain: Bool) -> [UInt8] {
        if plain { return PlainFields.encode(fields.flatMap { [$0.name, Self.plainText($0.value)] }) }
        let object = Object(Object.Entries(fields.map { (Key($0.name), $0.value) }) { $1 })
        return (try? JSON.bytes(.object(object))) ?? []
    }

    private static func plainText(_ value: Value) -> String {
        switch value {
        case .string(let text): text.string
        case .vector(let items): items.elements.map(plainText).joined(separator: ".")
        default: (try? JSON.text(value)) ?? ""
        }
    }
}

extension Value {
    static func texts(_ names: [String]) -> Value { .vector(Items(names.map { .text($0) })) }

    /// `["py",1,12]`
    static func triple(_ reference: Reference) -> Value {
        .vector(Items([.text(reference.owner), .int(reference.generation), .int(reference.number)]))
    }

    static func triples(_ references: [Reference]) -> Value { .vector(Items(references.map(triple))) }
}
