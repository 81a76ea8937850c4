import Buffers
import Evaluator
import Language
import Wire

/// Bytes or a text that a session left in shared memory, not looked into: they go on to other sessions as they came.
/// They are mapped at once, so they stay whatever becomes of the session.
final class LongContents: ReferenceBook {
    private let layout: ArrayLayout
    private let storage: Storage
    private let isText: Bool

    init(_ layout: ArrayLayout, _ storage: Storage, isText: Bool) {
        self.layout = layout
        self.storage = storage
        self.isText = isText
    }

    /// What the ledger keeps of them: as much as it shows.
    func summary() throws(Failure) -> String {
        let start = try ArrayLayout(.uint8, shape: [min(layout.byteCount, 160)], offset: layout.offset)
        let bytes = try NumericArray(start, storage).bytes()
        return Describe.summary(isText ? .text(String(decoding: bytes, as: UTF8.self)) : .bytes(bytes))
    }

    func bytes(_ fields: Object, _ reference: Reference) throws(Failure) -> [UInt8] {
        try NumericArray(layout, storage).bytes()
    }

    func value(of record: ReferenceRecord) throws(Failure) -> Value { throw Self.nested }
    func value(of record: BufferRecord) throws(Failure) -> Value { throw Self.nested }
    func value(of record: TableRecord) throws(Failure) -> Value { throw Self.nested }

    private static var nested: Failure { Failure("wire/unreadable", "bytes in a segment hold no other values") }
}

extension Router {
    /// What a body is when it is nothing else than bytes or a text in a segment of a session's; nil for any other.
    func longContents(_ body: [UInt8], _ reply: Reply) throws(Failure) -> LongContents? {
        guard reply.sharing == Sharing(isShared: true), reply.references.count == 1,
            case .object(let fields) = try JSON.parse(body), case .string(let type)? = fields["_type"],
            ["Bytes", "Text"].contains(type.string)
        else { return nil }
        let reference = reply.references[0]
        guard reference.owner != HandleTable.meta, fields["owner"]?.nameText == reference.owner,
            case .int(reference.generation)? = fields["generation"], case .int(reference.number)? = fields["ref"]
        else { return nil }
        let (layout, mapping) = try contents(fields, reference, handles.lease(of: reference))
        return LongContents(layout, Storage(mapping), isText: type.string == "Text")
    }
}
