/// What crosses of an object that stays with its owner.
public struct ReferenceRecord: Sendable, Equatable {
    public let reference: Reference
    /// The type as its language's users say it.
    public let type: String
    /// A short text of the object.
    public let repr: String
    public let isCallable: Bool

    /// A longer type or text is cut: the owner may be a hostile process.
    public init(reference: Reference, type: String, repr: String, isCallable: Bool) {
        self.reference = reference
        self.type = Self.cut(type)
        self.repr = Self.cut(repr)
        self.isCallable = isCallable
    }

    private static let limit = 200

    private static func cut(_ text: String) -> String {
        guard text.utf8.count > limit else { return text }
        let scalars = text.unicodeScalars
        guard scalars.count > limit else { return text }
        return String(String.UnicodeScalarView(scalars.prefix(limit - 1))) + "…"
    }

    /// `<py numpy.ndarray array([1, 2])>`; nothing in it moves a cursor.
    public var form: String {
        let parts = [reference.owner, type, repr].filter { !$0.isEmpty }.joined(separator: " ")
        return "<" + Printer.sanitizedLine(parts) + ">"
    }
}

/// Knows what stands here for an object that has crossed by reference.
public protocol ReferenceBook: AnyObject {
    func value(of record: ReferenceRecord) throws(Failure) -> Value
    /// The array that a record stands for. The frame lists the record's reference.
    func value(of record: BufferRecord) throws(Failure) -> Value
    /// The table that a record stands for. The frame lists the record's reference, and those of its columns.
    func value(of record: TableRecord) throws(Failure) -> Value
    /// The bytes that a record of them says lie in a segment, which is the reference that the frame lists.
    func bytes(_ fields: Object, _ reference: Reference) throws(Failure) -> [UInt8]
}

/// Knows what crosses of the objects in a value that is on its way out.
public protocol OutgoingBook: AnyObject {
    /// - Throws: `value/uncopyable` for a function that cannot cross.
    func record(of function: Function) throws(Failure) -> ReferenceRecord
    /// What crosses of an array or a table; nil for a function that is none, and for one that crosses by its record.
    func buffer(of function: Function) throws(Failure) -> BufferText?
    /// Whether a body that is not plain may cross as it came, not looked into.
    func passes(_ parcel: Parcel) -> Bool
}

/// An array or a table as it crosses: its record as JSON text, and the segments that this names.
public struct BufferText {
    public let text: [UInt8]
    public let references: [Reference]

    public init(text: [UInt8], references: [Reference] = []) {
        self.text = text
        self.references = references
    }
}

/// The references that a frame lists, and who knows them.
struct ListedReferences {
    let listed: Set<Reference>
    let book: any ReferenceBook

    /// - Throws: `wire/unreadable` for a record that is none, or whose object the frame does not list.
    func value(_ fields: Object) throws(Failure) -> Value {
        guard let reference = try reference(fields) else {
            throw Failure("wire/unreadable", "a Ref has an owner, a generation and a ref")
        }
        var isCallable = false
        if case .bool(let flag)? = fields["callable"] { isCallable = flag }
        return try book.value(
            of: ReferenceRecord(
                reference: reference, type: fields["type"]?.nameText ?? "", repr: fields["repr"]?.nameText ?? "",
                isCallable: isCallable))
    }

    func buffer(_ fields: Object) throws(Failure) -> Value {
        try book.value(of: try BufferRecord(fields, try reference(fields)))
    }

    func table(_ fields: Object) throws(Failure) -> Value {
        try book.value(of: try TableRecord(fields, try reference(fields)))
    }

    /// - Throws: as `value`; `buffer/stale` and others where the segment cannot be read.
    func bytes(_ fields: Object) throws(Failure) -> [UInt8] {
        guard let reference = try reference(fields) else {
            throw Failure("wire/unreadable", "bytes in a segment have an owner, a generation and a ref")
        }
        return try book.bytes(fields, reference)
    }

    /// nil where the record names none.
    private func reference(_ fields: Object) throws(Failure) -> Reference? {
        guard case .string(let owner)? = fields["owner"], case .int(let generation)? = fields["generation"],
            case .int(let number)? = fields["ref"]
        else { return nil }
        let reference = Reference(owner: owner.string, generation: generation, number: number)
        guard listed.contains(reference) else {
            throw Failure("wire/unreadable", "it refers to \(reference.text), which its frame does not list")
        }
        return reference
    }
}

extension Reference {
    /// How errors speak of it: `object 12 of py`.
    public var text: String {
        "object \(number) of \(Printer.sanitizedLine(owner))"
    }
}
