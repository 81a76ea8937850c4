import Evaluator
import Language
import Sessions
import Wire

/// What sessions ask of meta, and through it of each other.
extension Router {
    func serve(_ upcall: Upcall, _ body: [UInt8], session: String, generation: Int) {
        let problem = admit(upcall.references, from: session)
        let served = upcall.servedRequest.map(RequestID.init)
        let around = served.flatMap { waiting[$0] }.flatMap { $0.session == session ? $0 : nil }
        let strand = Strand(
            session: session, generation: generation, upcall: upcall.id, servedRequest: around == nil ? nil : served,
            isAsync: upcall.isAsync, parent: around?.strand)
        if strand.isAsync { promised[ObjectIdentifier(strand)] = strand } else { strands.append(strand) }
        do throws(Failure) {
            if let problem { throw Failure(problem.code, problem.message) }
            guard strand.depth <= Strand.deepest else {
                throw Failure("session/depth", "calls between runtimes nest more than \(Strand.deepest) deep")
            }
            if let served = strand.servedRequest, !strand.isAsync, takeInterrupt(of: served) {
                throw machine.failure(Machine.interrupted)
            }
            try carryOut(upcall, body, strand, around)
        } catch {
            answer(strand, .lost(machine.diagnostic(error)), from: "meta")
        }
    }

    private func carryOut(
        _ upcall: Upcall, _ body: [UInt8], _ strand: Strand, _ around: Waiting?
    ) throws(Failure) {
        if let target = try target(of: upcall, strand), !sessions.isPlain(strand.session),
            !sessions.isPlain(target.session)
        {
            var (request, body) = (target.request, body)
            if upcall.sharing.isShared, !takesBuffers(target.session) {
                let values = try encode(try handles.decode(body, upcall.references), for: target.session)
                (request.references, body) = (values.references, values.bytes)
            }
            return try submit(
                request, body: body, to: target.session,
                for: Waiting(
                    waiter: .upcall(strand), strand: strand, location: around?.location, session: target.session,
                    code: upcall.code ?? upcall.path?.joined(separator: ".") ?? "", parents: [], start: Clock.now))
        }
        let fiber = machine.fiber(name: "<\(strand.session)>", calling: try action(upcall, body, strand), [])
        fiber.context = strand
        strand.fiber = fiber
        start(fiber) { [unowned self] outcome in
            switch outcome {
            case .finished(let value): answer(strand, value)
            case .failed(let diagnostic): answer(strand, .lost(diagnostic), from: "meta")
            case .suspended, .yielded: break
            }
        }
    }

    // MARK: Straight through

    /// The session that can be asked just what meta is asked, so that the values pass unread; nil where meta itself,
    /// or a program's own dispatch, has a part in it.
    private func target(
        of upcall: Upcall, _ strand: Strand
    ) throws(Failure) -> (session: String, request: Request)? {
        if upcall.operation == .eval {
            guard let runtime = try named(upcall.language ?? ""), dispatch(runtime.session, "eval") == nil else {
                return nil
            }
            var request = Request.eval(upcall.code ?? "", name: nextName(in: runtime.session))
            request.holds = upcall.holds
            request.copies = upcall.copies
            request.references = upcall.references
            return (runtime.session, request)
        }
        if let reference = upcall.reference {
            guard reference.owner != HandleTable.meta else { return nil }
            try handles.check(reference, namedBy: strand.session)
            return (reference.owner, upcall.forwarded(to: reference.number))
        }
        guard
            upcall.operation != .call || dispatch(upcall.path?.first ?? "", "marshal") == nil,
            let path = upcall.path, path.count > 1, let runtime = try named(path[0])
        else { return nil }
        var request = upcall.forwarded(to: 0)
        request.reference = nil
        request.path = Array(path.dropFirst())
        return (runtime.session, request)
    }

    private func named(_ name: String) throws(Failure) -> Runtime? {
        guard case .function(let function)? = machine.builtins[name] else { return nil }
        return function as? Runtime
    }

    // MARK: Through meta

    /// What a fiber of meta does for an upcall, as a function without parameters.
    private func action(_ upcall: Upcall, _ body: [UInt8], _ strand: Strand) throws(Failure) -> Value {
        if let reference = upcall.reference {
            try handles.check(reference, namedBy: strand.session)
            return try action(upcall, body, strand, on: try handles.function(reference))
        }
        switch upcall.operation {
        case _ where sessions.isPlain(strand.session):
            return try action(upcall, ShellFields(body, kinds: upcall.kinds), strand)
        case .call:
            let given = try arguments(body, upcall.references)
            return try call(upcall.path ?? [], given)
        case .get:
            return try fetch(upcall.path ?? [])
        case .eval:
            let given = try bindings(body, upcall.references)
            return try evaluate(upcall.code ?? "", in: upcall.language ?? "meta", given, name: "<\(strand.session)>")
        default:
            throw Failure("runtime/unsupported", "meta does not answer \(upcall.operation.rawValue) here")
        }
    }

    /// What a shell asks, whose values are plain fields.
    private func action(_ upcall: Upcall, _ fields: ShellFields, _ strand: Strand) throws(Failure) -> Value {
        switch upcall.operation {
        case .call: return try call(upcall.path ?? [], try fields.arguments())
        case .get: return try fetch(upcall.path ?? [])
        case .set: return try assign(upcall.path ?? [], try fields.value())
        case .eval:
            let (code, given) = try fields.evaluation()
            return try evaluate(code, in: upcall.language ?? "meta", given, name: "<\(strand.session)>")
        default: throw Failure("runtime/unsupported", "meta does not answer \(upcall.operation.rawValue) here")
        }
    }

    private func call(_ path: [String], _ given: Given) throws(Failure) -> Value {
        guard let root = path.first else { throw Failure("runtime/missing", "a path needs at least one name") }
        if let runtime = try named(root) {
            return Self.action { fiber throws(Failure) in
                try runtime.call(Array(path.dropFirst()), given, in: fiber)
            }
        }
        return Self.call(try global(path), given)
    }

    /// What a session asks of a function of meta that it was sent.
    private func action(
        _ upcall: Upcall, _ body: [UInt8], _ strand: Strand, on function: Function
    ) throws(Failure) -> Value {
        switch upcall.operation {
        case .call where upcall.path?.isEmpty ?? true:
            return Self.call(.function(function), try arguments(body, upcall.references))
        case .equal:
            let other = try handles.decode(body, upcall.references)
            return Self.action { _ throws(Failure) in .value(.bool(try Value.equal(.function(function), other))) }
        case .inspect:
            let documentation = machine.documentation(of: function.name)?.documentation.text
            let report = Value.object(
                Object([
                    "type": .text("function"), "repr": .text(function.signature), "callable": .bool(true),
                    "length": .null, "members": .vector(Items([])), "doc": documentation.map(Value.text) ?? .null,
                ]))
            return Self.action { _ in .value(report) }
        default:
            throw Failure(
                "runtime/unsupported", "a function of meta can be called, compared and inspected, not asked for more")
        }
    }

    private static func call(_ function: Value, _ given: Given) -> Value {
        var values = given.positional
        for (name, value) in given.keywords { values += [.keyword(Symbol(name)), value] }
        return action { _ in .call(function, values) }
    }

    private func fetch(_ path: [String]) throws(Failure) -> Value {
        if let root = path.first, let runtime = try named(root) {
            return Self.action { fiber throws(Failure) in try runtime.fetch(Array(path.dropFirst()), in: fiber) }
        }
        let value = try global(path)
        return Self.action { _ in .value(value) }
    }

    private func assign(_ path: [String], _ value: Value) throws(Failure) -> Value {
        guard let root = path.first, let runtime = try named(root) else {
            throw Failure(
                "eval/place", "a name of a runtime's can be set, such as py.x, got \(path.joined(separator: "."))")
        }
        return Self.action { fiber throws(Failure) in
            try runtime.assign(Array(path.dropFirst()), value, in: fiber)
        }
    }

    private func evaluate(_ code: String, in language: String, _ given: Given, name: String) throws(Failure) -> Value {
        if let runtime = try named(language) {
            var given = given
            given.positional = [.text(code)]
            return Self.action { [given] fiber throws(Failure) in try runtime.call([], given, in: fiber) }
        }
        guard language == "meta" else {
            throw Failure("session/unknown", "there is no runtime \(language)")
        }
        guard given.keywords.isEmpty else {
            throw Failure("eval/keyword", "text of meta takes no values by name; call a function of meta with them")
        }
        let source = Source(name: name, text: code)
        do throws(ReadError) {
            return machine.sequence(try Reader.read(source), source: source)
        } catch {
            throw machine.failure(Diagnostic(error.failure, source: source))
        }
    }

    private static func action(_ body: @escaping (Fiber) throws(Failure) -> Step) -> Value {
        .function(Control("(call)", arity: 0...0) { _, fiber throws(Failure) in try body(fiber) })
    }

    private func global(_ path: [String]) throws(Failure) -> Value {
        let name = path.joined(separator: ".")
        guard let value = machine.globals.bound(name)?.value else {
            throw Failure("runtime/missing", "there is no runtime and no name of meta called \(name)")
        }
        return value
    }

    // MARK: Values

    private func arguments(_ body: [UInt8], _ references: [Reference]) throws(Failure) -> Given {
        var given = Given()
        guard case .vector(let parts) = try handles.decode(body, references), parts.elements.count == 2,
            case .vector(let positional) = parts.elements[0], case .object(let keywords) = parts.elements[1]
        else { throw Failure("wire/unreadable", "a call's body is [[arguments…],{keywords…}]") }
        given.positional = positional.elements
        given.keywords = keywords.entries.map { ($0.key.string, $0.value) }
        return given
    }

    private func bindings(_ body: [UInt8], _ references: [Reference]) throws(Failure) -> Given {
        var given = Given()
        guard !body.isEmpty else { return given }
        guard case .object(let entries) = try handles.decode(body, references) else {
            throw Failure("wire/unreadable", "the values of an evaluation are an object")
        }
        given.keywords = entries.entries.map { ($0.key.string, $0.value) }
        return given
    }

    // MARK: Answers

    private func answer(_ strand: Strand, _ value: Value) {
        do throws(Failure) {
            var reply = Reply(re: strand.upcall)
            if sessions.isPlain(strand.session) {
                return try send(reply, try plain(value), to: strand)
            }
            let body = try encode(value, for: strand.session)
            reply.references = body.references
            try send(reply, body.bytes, to: strand)
        } catch {
            guard let fetching = prerequisite(of: error) else {
                return answer(strand, .lost(machine.diagnostic(error)), from: "meta")
            }
            let fiber = machine.fiber(name: "<\(strand.session)>", calling: .function(fetching), [])
            fiber.context = strand
            strand.fiber = fiber
            start(fiber) { [unowned self] outcome in
                switch outcome {
                case .finished: answer(strand, value)
                case .failed(let diagnostic): answer(strand, .lost(diagnostic), from: "meta")
                case .suspended, .yielded: break
                }
            }
        }
    }

    /// A shell's answer; the file of bytes stays, as nobody says when the shell is done with it.
    private func plain(_ value: Value) throws(Failure) -> [UInt8] {
        var words = ShellWords()
        try ShellFields.answer(value, &words)
        files.append(words.files)
        return PlainFields.encode(words.words)
    }

    /// Answers an upcall with how a request ended.
    func answer(_ strand: Strand, _ outcome: Outcome, from session: String) {
        do throws(Failure) {
            switch outcome {
            case .reply(var reply, let body, _, _, _):
                reply.re = strand.upcall
                reply.elapsed = nil
                try send(reply, body, to: strand)
            case .failure(var error, let body):
                error.re = strand.upcall
                error.language = error.language ?? sessions.language(of: session)
                try send(error, body, to: strand)
            case .lost(let diagnostic):
                var (header, body) = message(of: diagnostic, for: strand.session)
                header.re = strand.upcall
                try send(header, body, to: strand)
            }
        } catch {
            // What does not fit into a frame is an error that does.
            var (header, _) = message(of: machine.diagnostic(error), for: strand.session)
            header.re = strand.upcall
            header.references = []
            header.original = nil
            try? send(header, [], to: strand)
        }
    }

    private func send(_ reply: Reply, _ body: [UInt8], to strand: Strand) throws(Failure) {
        let header = reply.header(plain: sessions.isPlain(strand.session))
        try send(header, body, naming: reply.references, to: strand)
    }

    private func send(_ error: ErrorHeader, _ body: [UInt8], to strand: Strand) throws(Failure) {
        let isPlain = sessions.isPlain(strand.session)
        try send(error.header(plain: isPlain), isPlain ? [] : body, naming: error.references, to: strand)
    }

    private func send(
        _ header: [UInt8], _ body: [UInt8], naming references: [Reference], to strand: Strand
    ) throws(Failure) {
        // What it waits with for the answer may want the room of what others have done with.
        sendReleases(to: strand.session)
        do throws(SessionError) {
            let isSent = try sessions.answer(
                session: strand.session, generation: strand.generation, header: header, body: body)
            // A session that has gone meanwhile, or is another now, holds nothing of it.
            handles.send(isSent ? references : [], to: strand.session)
        } catch {
            throw Failure(error.code, error.message)
        }
        strand.isOpen = false
        if strand.isAsync {
            promised[ObjectIdentifier(strand)] = nil
        } else if let index = strands.lastIndex(where: { $0 === strand }) {
            strands.remove(at: index)
        }
        if !queues.isEmpty { pump(strand.session) }
    }

    /// Nobody waits for these answers any more.
    func abandonStrands(of session: String, _ generation: Int) {
        for strand in strands + promised.values where strand.session == session && strand.generation == generation {
            stop(strand)
            strand.isOpen = false
        }
        strands.removeAll { !$0.isOpen }
        promised = promised.filter(\.value.isOpen)
    }
}
