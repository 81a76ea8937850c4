import Language
import Sessions
import Wire

/// What holds for every message, in whatever case it comes.
enum Rules {
    static func check(_ incoming: Probe.Incoming, isPlain: Bool) throws(Complaint) {
        let body = incoming.body
        switch incoming.message {
        case .hello: guard body.isEmpty else { throw .broken("hello has a body") }
        case .reply(let reply):
            guard !isPlain else { return }
            guard !body.isEmpty else { throw .broken("a ret must carry one value, its body is empty") }
            try checkBody(body, listed: reply.references, and: reply.iterator)
        case .failure(let error):
            guard !isPlain else { return }
            guard error.code.contains("/") else { throw .broken("an err must carry a code such as runtime/raised") }
            if !body.isEmpty || !error.references.isEmpty || error.original != nil {
                try checkBody(body.isEmpty ? Array("null".utf8) : body, listed: error.references, and: error.original)
            }
        case .upcall(let upcall):
            guard incoming.line == .upcalls else { throw .broken("a request of the kernel came on descriptor 3") }
            // The object that is asked is named in the header alone: that is no sending.
            try checkBody(body.isEmpty ? Array("null".utf8) : body, listed: upcall.references, and: nil)
        case .output, .release: break
        }
    }

    /// One JSON text whose objects are all listed in the header, each once, and nothing else is.
    private static func checkBody(
        _ body: [UInt8], listed: [Reference], and further: Reference?
    ) throws(Complaint) {
        let value: Value
        do throws(Failure) {
            value = try JSON.parse(body)
        } catch {
            throw .broken("the body is not one JSON text: \(error.message)")
        }
        var named: Set<Reference> = Set(References.all(in: value))
        if let further { named.insert(further) }
        guard Set(listed).count == listed.count else { throw .broken("refs lists an object twice") }
        for reference in named where !listed.contains(reference) {
            throw .broken("the header's refs lack [\(reference.owner) \(reference.generation) \(reference.number)]")
        }
        for reference in listed where !named.contains(reference) {
            throw .broken(
                "the header's refs list [\(reference.owner) \(reference.generation) \(reference.number)], which the message does not name"
            )
        }
    }
}

/// The objects that a body names.
enum References {
    static func all(in value: Value) -> [Reference] {
        switch value {
        case .vector(let items): return items.elements.flatMap { all(in: $0) }
        case .object(let object):
            let inner = object.entries.values.flatMap { all(in: $0) }
            return [reference(of: object)].compactMap { $0 } + inner
        default: return []
        }
    }

    /// The object that a record is about.
    static func reference(of object: Object) -> Reference? {
        guard case .string(let type)? = object["_type"], ["Ref", "Buffer", "Bytes", "Text"].contains(type.string),
            case .string(let owner)? = object["owner"],
            case .int(let generation)? = object["generation"], case .int(let number)? = object["ref"]
        else { return nil }
        return Reference(owner: owner.string, generation: generation, number: number)
    }

    /// The record of type Ref for an object that is not the kernel's.
    static func record(_ reference: Reference, callable: Bool = true) -> String {
        """
        {"_type":"Ref","owner":"\(reference.owner)","generation":\(reference.generation),"ref":\(reference.number),\
        "type":"function","repr":"f","callable":\(callable)}
        """
    }
}
