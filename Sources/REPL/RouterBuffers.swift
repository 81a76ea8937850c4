import Buffers
import Evaluator
import Language
import Wire

/// Arrays on their way: contents that are asked for, published and attached.
extension Router {
    static let lackingCode = "buffer/unpublished"

    /// Whether a session reads segments. Before it has said hello: whether its language's kernel can.
    func takesBuffers(_ session: String) -> Bool {
        if let way = sessions.buffers(of: session) { return way != "none" }
        return ["py", "js"].contains(sessions.language(of: session) ?? "")
    }

    // MARK: Contents that are elsewhere

    /// The failure of what needs contents that are with their owner; `fetching` gives what brings them.
    func lacks(_ objects: [any OwnedContents]) -> Failure {
        lacking = objects
        return Failure(Self.lackingCode, "the contents of an array are still with its owner")
    }

    /// What must be called before that what failed is tried again.
    func prerequisite(of failure: Failure) -> ControlFunction? {
        guard failure.code == Self.lackingCode, !lacking.isEmpty else { return nil }
        let objects = lacking
        lacking = []
        return Control("(publish)", arity: 0...0) { [unowned self] _, fiber throws(Failure) in
            guard objects.count > 1 else { return try publish(objects[0], in: fiber) { .null } }
            return .call(
                library("%publish-all"),
                [.vector(Items(objects.map { (object: RemoteObject) in Value.function(object) }))])
        }
    }

    func registerPublication() {
        machine.prerequisite = { [unowned self] in prerequisite(of: $0) }
        machine.extend(
            with: "(def %publish-all (buffers) (loop (i 0) (when (< i (count buffers)) "
                + "(%publish (get buffers i)) (recur (+ i 1)))))")
        machine.register(
            Control("(%publish buffer)", arity: 1...1) { [unowned self] arguments, fiber throws(Failure) in
                guard let object = try RemoteObject.find(in: arguments[0]) as? any OwnedContents else {
                    throw arguments.wrong(0, "a buffer or a table")
                }
                return try publish(object, in: fiber) { .null }
            })
    }

    /// Asks the owner for the contents of an array or a table; the fiber goes on with what `finish` makes of it then.
    func publish(
        _ object: any OwnedContents, in fiber: Fiber, _ finish: @escaping () throws(Failure) -> Value
    ) throws(Failure) -> Step {
        guard object.isLive, let handle = object.handle else { return .value(try finish()) }
        let table = handles
        return try handle.ask(Request(.publish), Body(), fiber) { reply, body, _ throws(Failure) in
            guard case .function(let published) = try table.decode(body, reply.references) else {
                throw Failure("wire/unreadable", "an array's contents are a Buffer, a table's a Table")
            }
            try object.pin(published)
            return try finish()
        }
    }

    // MARK: Contents that are here

    /// The memory of a segment.
    ///
    /// - Throws: `buffer/stale`, `buffer/forged`, `buffer/range`.
    func mapping(of lease: Lease, _ name: String, isMutable: Bool) throws(Failure) -> Mapping {
        try checkContents(lease)
        if let mapping = lease.mapping { return mapping }
        let mapping = try Mapping(segment: name, access: isMutable ? .shared : .readOnly)
        lease.mapping = mapping
        return mapping
    }

    /// - Throws: `buffer/stale` when nobody vouches for the contents any more.
    func checkContents(_ lease: Lease) throws(Failure) {
        do throws(Failure) {
            try handles.check(lease)
        } catch {
            let help = lease.mapping == nil || lease.isReleased ? error.help : "(adopt b) keeps its contents"
            throw Failure("buffer/stale", error.message.replacing("the handle", with: "the buffer"), help: help)
        }
    }

    /// A new segment with an array's contents.
    func publish(_ array: NumericArray) throws(Failure) -> Publication {
        let contents = try array.inCOrder()
        return try handles.published { number throws(Failure) in
            try buffers.publish(contents, number: number)
        }
    }

    // MARK: Records that arrive

    /// The array that a record stands for.
    func buffer(_ record: BufferRecord, _ handle: Handle?, _ lease: Lease?) throws(Failure) -> BufferObject {
        switch record.place {
        case .live(let object):
            return BufferObject(record, .live, handle: handle, owner: object.reference.owner, router: self)
        case .inline(let bytes):
            let array = try NumericArray(record.layout, bytes: bytes)
            return BufferObject(record, .memory(array), owner: HandleTable.meta, router: self)
        case .segment(let reference, let name):
            guard buffers.isName(name, of: reference) else {
                throw Failure(
                    "buffer/forged", "\(Printer.quoted(String(name.prefix(80)))) is no segment of \(reference.text)")
            }
            if reference.owner == HandleTable.meta, let own = try handles.function(reference) as? Publication {
                return BufferObject(
                    record, .memory(try own.part(record.layout)), owner: reference.owner, router: self)
            }
            guard let lease else { throw Failure("wire/unreadable", "\(reference.text) is no segment") }
            return BufferObject(
                record, .segment(lease, name: name), owner: reference.owner, router: self)
        }
    }

    /// The bytes of a `Bytes` or `Text` in a segment.
    func bytes(_ fields: Object, _ reference: Reference, _ lease: Lease?) throws(Failure) -> [UInt8] {
        let (layout, mapping) = try contents(fields, reference, lease)
        return try NumericArray(layout, Storage(mapping)).bytes()
    }

    /// Where the bytes of a `Bytes` or `Text` lie.
    func contents(
        _ fields: Object, _ reference: Reference, _ lease: Lease?
    ) throws(Failure) -> (ArrayLayout, Mapping) {
        guard case .string(let name)? = fields["segment"], case .int(let length)? = fields["length"] else {
            throw Failure("wire/unreadable", "bytes in a segment have a segment and a length")
        }
        var offset = 0
        if case .int(let number)? = fields["offset"] { offset = number }
        let layout = try ArrayLayout(.uint8, shape: [length], offset: offset)
        guard buffers.isName(name.string, of: reference), let lease else {
            throw Failure(
                "buffer/forged", "\(Printer.quoted(String(name.string.prefix(80)))) is no segment of \(reference.text)")
        }
        return (layout, try mapping(of: lease, name.string, isMutable: false))
    }
}
