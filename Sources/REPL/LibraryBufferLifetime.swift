import Buffers
import Evaluator
import Language
import Sessions

/// How long shared memory lives: what there is, who holds it, giving it back, keeping what an owner left.
extension Router {
    func registerBufferLifetime() {
        machine.register(
            Builtin(
                "(buffer.stats)", arity: 0...0, lineage: .plain,
                documentation: Documentation(
                    "What shared memory this meta uses: {segments bytes limit of}; of is a vector of {owner ref bytes holders}, "
                        + "where holders says how often each session was sent it, meta among them. What nobody holds waits to be used again.",
                    examples: ["(get (buffer.stats) :segments) => 0"])
            ) { [unowned self] _ in bufferReport() })
        machine.register(
            Builtin(
                "(buffer.release buffer)", arity: 1...1, lineage: .plain,
                documentation: Documentation(
                    "Gives an array back to its owner before its value goes; using it is an error then.",
                    examples: ["(buffer.release (buffer.from [1 2])) => null"])
            ) { [unowned self] arguments throws(Failure) in
                let buffer = try buffer(0, of: arguments)
                for lease in buffer.release() { handles.giveBack(lease) }
                sendReleases()
                return .null
            })
        addBuffer(
            "(adopt buffer)", 1...1,
            "The same items as an array of meta's own, which outlives its owner; also after that has gone, where meta has them mapped.",
            "(buffer.owner (adopt (buffer.from [1 2]))) => \"meta\""
        ) { [unowned self] arguments throws(Failure) in
            let buffer = try buffer(0, of: arguments)
            return .function(BufferObject(try buffer.keptArray(), type: buffer.typeName, router: self))
        }
    }

    private func bufferReport() -> Value {
        let holders = Dictionary(handles.rows().map { ($0.reference, $0) }) { first, _ in first }
        let files = buffers.report()
        let rows = files.map { file in
            var by = Object.Entries()
            if let row = holders[file.owner] {
                if row.isHeldByMeta { by["meta"] = .int(1) }
                for (session, times) in row.holders { by[Key(session)] = .int(times) }
            }
            return Value.object(
                Object([
                    "owner": .text(file.owner.owner), "ref": .int(file.owner.number), "bytes": .int(file.bytes),
                    "holders": .object(Object(by)),
                ]))
        }
        return .object(
            Object([
                "segments": .int(files.count), "bytes": .int(files.reduce(0) { $0 + $1.bytes }),
                "limit": .int(buffers.limit), "of": .vector(Items(rows)),
            ]))
    }

    /// A session has gone, and with it its segments.
    func endBuffers(of session: String, _ generation: Int) {
        keepSegments(of: session, generation)
        buffers.end(session, generation)
    }

    /// Maps what meta still refers to of a session that is going, so that it can be adopted.
    func keepSegments(of session: String, _ generation: Int) {
        for (number, name) in buffers.segments(of: session, generation) {
            let reference = Reference(owner: session, generation: generation, number: number)
            guard let lease = handles.lease(of: reference), lease.mapping == nil else { continue }
            lease.mapping = try? Mapping(segment: name, access: .readOnly)
        }
    }

    /// The bytes of a segment of meta's own that came back.
    func ownBytes(_ fields: Object, _ function: Function) throws(Failure) -> [UInt8] {
        guard let publication = function as? Publication else {
            throw Failure("wire/unreadable", "bytes in a segment name what is none")
        }
        guard case .int(let length)? = fields["length"] else {
            throw Failure("wire/unreadable", "bytes in a segment have a length")
        }
        var offset = 0
        if case .int(let number)? = fields["offset"] { offset = number }
        let layout = try ArrayLayout(.uint8, shape: [length], offset: offset)
        return try publication.part(layout).bytes()
    }
}
