/// What crosses of an array: the seed's record, and what attaching needs.
public struct BufferRecord {
    /// As its owner laid it out.
    public let layout: ArrayLayout
    /// The language of the array's owner.
    public let language: String
    /// Its owner's own type: `numpy.ndarray`, `Float64Array`.
    public let type: String
    /// The registered buffer type; nil for an array of none.
    public let name: String?
    public let isMutable: Bool
    /// Where the items are.
    public let place: Place

    public enum Place {
        /// With their owner, who has the array under this reference.
        case live(ReferenceRecord)
        /// In a segment of shared memory, which is an object of its owner's.
        case segment(Reference, name: String)
        /// In the record itself, in C order.
        case inline([UInt8])
    }

    public init(
        layout: ArrayLayout, language: String, type: String, name: String? = nil, isMutable: Bool = false, place: Place
    ) {
        self.layout = layout
        self.language = language
        self.type = type
        self.name = name
        self.isMutable = isMutable
        self.place = place
    }

    /// - Parameter reference: what the record names, already seen to be listed by its frame.
    /// - Throws: `wire/unreadable`, `buffer/format`, `buffer/range` for a record that is none.
    public init(_ fields: Object, _ reference: Reference?) throws(Failure) {
        let format = try ElementFormat(name: try Self.text("format", of: fields))
        let shape = try Self.integers("shape", of: fields) ?? []
        let strides = try Self.integers("strides", of: fields)
        language = try Self.text("language", of: fields)
        type = fields["type"]?.nameText ?? ""
        name = fields["name"]?.nameText
        if case .bool(true)? = fields["mutable"] { isMutable = true } else { isMutable = false }
        if case .string(let text)? = fields["base64"] {
            guard let bytes = Base64.decode(text.string) else { throw Self.unreadable("its base64 is not canonical") }
            layout = try ArrayLayout(format, shape: shape)
            guard bytes.count == layout.byteCount else {
                throw Self.unreadable("its shape takes \(layout.byteCount) bytes, and it has \(bytes.count)")
            }
            place = .inline(bytes)
            return
        }
        guard let reference else { throw Self.unreadable("it has neither bytes nor an owner") }
        guard case .string(let segment)? = fields["segment"] else {
            // From the lowest byte on, as only the owner knows where it lies.
            let low = zip(shape, strides ?? []).reduce(0) { $0 &+ ($1.1 < 0 && $1.0 > 0 ? ($1.0 &- 1) &* $1.1 : 0) }
            layout = try ArrayLayout(format, shape: shape, strides: strides, offset: max(0, 0 &- low))
            place = .live(
                ReferenceRecord(
                    reference: reference, type: type, repr: fields["repr"]?.nameText ?? "", isCallable: false))
            return
        }
        var offset = 0
        if case .int(let number)? = fields["offset"] { offset = number }
        layout = try ArrayLayout(format, shape: shape, strides: strides, offset: offset)
        place = .segment(reference, name: segment.string)
    }

    private static func text(_ name: String, of fields: Object) throws(Failure) -> String {
        guard case .string(let text)? = fields[name] else { throw unreadable("it has no \(name)") }
        return text.string
    }

    private static func integers(_ name: String, of fields: Object) throws(Failure) -> [Int]? {
        guard let field = fields[name] else { return nil }
        guard case .vector(let items) = field else { throw unreadable("its \(name) is no vector") }
        return try items.elements.map { item throws(Failure) in
            guard case .int(let number) = item else { throw unreadable("its \(name) holds what is no integer") }
            return number
        }
    }

    private static func unreadable(_ why: String) -> Failure {
        Failure("wire/unreadable", "a Buffer cannot be read: \(why)")
    }

    /// Which object it names: owner, generation and number; empty for one with its bytes in it.
    public var identity: String {
        switch place {
        case .live(let record): Self.identity(record.reference)
        case .segment(let reference, _): Self.identity(reference)
        case .inline: ""
        }
    }

    private static func identity(_ reference: Reference) -> String {
        "\(reference.owner)-\(reference.generation)-\(reference.number)"
    }

    // MARK: As text

    /// The record as JSON text.
    public func text() -> [UInt8] {
        var printer = JSONPrinter(tags: false)
        try? printer.print(.object(Object(fields)))
        return printer.output
    }

    public var fields: Object.Entries {
        var fields: Object.Entries = [
            "_type": .text("Buffer"), "buffer_id": .text(identity), "format": .text(layout.format.rawValue),
            "shape": .vector(Items(layout.shape.map(Value.int))), "language": .text(language), "type": .text(type),
        ]
        if !layout.isCOrder { fields["strides"] = .vector(Items(layout.strides.map(Value.int))) }
        if let name { fields["name"] = .text(name) }
        if isMutable { fields["mutable"] = .bool(true) }
        switch place {
        case .live(let record):
            Self.add(record.reference, to: &fields)
            fields["repr"] = .text(record.repr)
            fields["callable"] = .bool(false)
        case .segment(let reference, let name):
            Self.add(reference, to: &fields)
            fields["segment"] = .text(name)
            if layout.offset != 0 { fields["offset"] = .int(layout.offset) }
        case .inline(let bytes): fields["base64"] = .text(Base64.encode(bytes))
        }
        return fields
    }

    private static func add(_ reference: Reference, to fields: inout Object.Entries) {
        fields["owner"] = .text(reference.owner)
        fields["generation"] = .int(reference.generation)
        fields["ref"] = .int(reference.number)
    }
}
