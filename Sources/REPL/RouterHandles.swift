import Evaluator
import Language
import Sessions
import Wire

/// Values on their way to a session: the frame's body, and what it lists.
struct Body {
    var bytes: [UInt8] = []
    var references: [Reference] = []
}

extension HandleTable {
    /// - Throws: `wire/unreadable`.
    func decode(_ body: [UInt8], _ references: [Reference]) throws(Failure) -> Value {
        try Envelope.decode(body, references: references, book: self)
    }

    /// The body as a session sent it, not looked into.
    ///
    /// - Parameter book: who reads it when it is looked into; nil: the table itself.
    func parcel(
        _ body: [UInt8], _ references: [Reference], _ sharing: Sharing, book: (any ReferenceBook)? = nil
    ) -> Parcel {
        Parcel(body: body, references: references, sharing: sharing, lease: leases(references), book: book ?? self)
    }
}

extension Router {
    func makeHandles() -> HandleTable {
        HandleTable(
            router: self, generation: { [unowned self] in sessions.generation(of: $0) },
            makeHandle: { [unowned self] in Handle($0, $1, router: self) })
    }

    // MARK: Outwards

    /// The value as a session's kernel reads it.
    ///
    /// - Throws: `value/uncopyable` for what that session cannot take, `session/stale-handle`.
    func encode(_ value: Value, for session: String) throws(Failure) -> Body {
        // Whether it takes references is known when it has said hello; one that has not is asked to be what it can be.
        let takes = sessions.operations(of: session)?.contains("release") ?? true
        let book = takes ? Sending(handles, to: session, takesBuffers: takesBuffers(session)) : nil
        let (bytes, references) = try Envelope.encode(value, book: book)
        if let lacking = book?.lacking, !lacking.isEmpty { throw lacks(lacking) }
        // What nobody has looked into may be stale by now.
        for reference in references { try handles.check(reference) }
        return Body(bytes: bytes, references: references)
    }

    /// A call's arguments, the keywords as that runtime takes them.
    ///
    /// - Parameter isEach: whether each positional argument is one call's.
    func encode(_ given: Given, for session: String, isEach: Bool = false) throws(Failure) -> Body {
        var positional = given.positional
        var keywords = Object.Entries()
        if sessions.language(of: session) != "js" {
            for (name, value) in given.keywords { keywords[Key(name.replacing("-", with: "_"))] = value }
        } else if isEach {
            for (name, value) in given.keywords { keywords[Key(name)] = value }
        } else if !given.keywords.isEmpty {
            positional.append(.object(Object(Object.Entries(given.keywords.map { (Key($0.0), $0.1) }) { $1 })))
        }
        do throws(Failure) {
            return try encode(.vector(Items([.vector(Items(positional)), .object(Object(keywords))])), for: session)
        } catch {
            // The path begins at the arguments: `[1].x` is in the second one, `.x` in the keyword.
            let isPositional = error.message.contains(" at [0][")
            let (whole, part) = isPositional ? (" at [0][", " at [") : (" at [1].", " at .")
            throw Failure(error.code, error.message.replacing(whole, with: part), help: error.help)
        }
    }

    // MARK: Inwards

    /// `[items rest]` as the machine takes it.
    func items(_ reply: Reply, _ body: [UInt8], _ entry: (String) -> Ledger.Entry) throws(Failure) -> Value {
        let items = try value(of: reply, body, nil, "", entry)
        guard reply.more == true else { return .vector(Items([items, .null])) }
        guard let iterator = reply.iterator, reply.references.contains(iterator) else {
            throw Failure("wire/unreadable", "there are more items, and the reply does not list who has them")
        }
        let record = ReferenceRecord(reference: iterator, type: "iterator", repr: "", isCallable: false)
        return .vector(Items([items, try handles.value(of: record)]))
    }

    /// Takes note of what a frame lists.
    ///
    /// - Returns: The error in the place of what the frame says, when it lists what its session cannot name.
    func admit(_ references: [Reference], from session: String) -> ErrorHeader? {
        do throws(Failure) {
            try handles.receive(references, from: session)
            return nil
        } catch {
            return ErrorHeader(code: error.code, message: error.message)
        }
    }

    // MARK: Releases

    /// Tells owners what nobody holds any more.
    ///
    /// - Parameter count: how many objects of an owner make it worth telling.
    func sendReleases(atLeast count: Int = 1) {
        for (owner, releases) in handles.takeReleases(atLeast: count) { tell(owner, releases) }
    }

    /// In front of a request to the owner.
    func sendReleases(to owner: String) {
        let releases = handles.takeReleases(for: owner)
        if !releases.isEmpty { tell(owner, releases) }
    }

    private func tell(_ owner: String, _ releases: [Release]) {
        guard let generation = sessions.generation(of: owner) else { return }
        sessions.release(releases, session: owner, generation: generation)
    }

    /// A session is done with objects of others.
    func take(_ releases: [Release], of session: String, generation: Int) {
        guard sessions.generation(of: session) == generation else { return }
        for release in releases { handles.release(release, by: session) }
    }
}
