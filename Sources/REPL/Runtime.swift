import Evaluator
import Kernels
import Language
import Sessions
import Wire

/// A runtime's name as a value: `(py "code")` runs source, `(py.math.sqrt 2)` calls a path, `py.math.pi` fetches it.
final class Runtime: ControlFunction {
    let session: String
    private unowned let router: Router

    init(session: String, router: Router) {
        self.session = session
        self.router = router
        super.init(
            name: session, signature: "(\(session) code …:name value)",
            documentation: session == "sh" ? Self.shellText : Self.text(session))
    }

    private static func text(_ session: String) -> Documentation {
        Documentation(
            "Runs source in the runtime, with values bound to names for that run: the value of the last expression. "
                + "(\(session).path.to.function …) calls a path, \(session).path fetches it.",
            examples: ["(\(session) \"1 + 1\")"])
    }

    private static let shellText = Documentation(
        "Runs a command line, with values bound to variables for that run: what it writes to standard output, less one "
            + "last newline. A status other than 0 is an error. (sh.command word … :flag value) runs one command.",
        examples: ["(sh \"echo hello | tr a-z A-Z\")"])

    /// Starts the session, so that those of one form start side by side. What fails is told at the first use.
    override func prepare() {
        try? router.sessions.start(session)
    }

    override func call(_ path: [String], _ arguments: inout Arguments, in fiber: Fiber) throws(Failure) -> Step {
        try call(path, try Given(arguments), in: fiber)
    }

    /// The call as the routing table has it.
    func call(_ path: [String], _ given: Given, in fiber: Fiber) throws(Failure) -> Step {
        guard let marshal = router.dispatch(session, "marshal") else { return try request(path, given, in: fiber) }
        var pairs = given.pairs
        // Source text is no argument: what marks its pair as true keeps it as it is.
        if path.isEmpty, let source = given.positional.first { pairs[0] = .vector(Items([.text("source"), source])) }
        return .call(
            router.library("%marshalled"), [marshal, .function(Primitive(self, path)), .vector(Items(pairs))])
    }

    /// The call itself, its arguments as they are to be sent.
    func request(_ path: [String], _ given: Given, in fiber: Fiber) throws(Failure) -> Step {
        guard path.isEmpty else { return try callPath(path, given, in: fiber) }
        guard case .string(let code)? = try given.positional.first?.unwrapped(), given.positional.count == 1 else {
            throw Failure(
                "eval/type",
                "\(session) takes source text, got \(given.positional.map(Describe.short).joined(separator: " "))",
                help:
                    "(\(session) \"code\" :name value) binds values to names; (eval-in \"\(session)\" x) delivers a value"
            )
        }
        if let custom = router.dispatch(session, "eval") { return .call(custom, given.positional) }
        return try eval(code.string, given, in: fiber)
    }

    // MARK: Requests

    func eval(_ code: String, _ given: Given, in fiber: Fiber) throws(Failure) -> Step {
        let request = Request.eval(code, name: router.nextName(in: session))
        guard sessions.isPlain(session) else {
            return try submit(request, try bindings(given.keywords), given, in: fiber)
        }
        var words = ShellWords()
        try words.addBindings(given.keywords)
        return try submit(
            request, Body(bytes: PlainFields.encode(words.words)), given, in: fiber, files: words.files)
    }

    /// Runs source, the result of which stays in the session: its handle.
    func hold(_ code: String, _ values: [(String, Value)], in fiber: Fiber) throws(Failure) -> Step {
        guard !sessions.isPlain(session) else {
            throw Failure("runtime/unsupported", "\(session) has no objects: what it makes is text")
        }
        var given = Given()
        given.keywords = values
        given.parents = values.compactMap { if case .meta(let meta) = $0.1 { meta.number } else { nil } }
        var request = Request.eval(code, name: router.nextName(in: session))
        request.holds = true
        return try submit(request, try bindings(values), given, in: fiber)
    }

    private func callPath(_ path: [String], _ given: Given, in fiber: Fiber) throws(Failure) -> Step {
        if sessions.isPlain(session) {
            var words = ShellWords()
            for (index, value) in given.positional.enumerated() { try words.add(value, at: "argument \(index + 1)") }
            try words.addFlags(given.keywords)
            return try submit(
                .call(path), Body(bytes: PlainFields.encode(words.words)), given, in: fiber,
                code: ShellWords.line(path, words.words), files: words.files)
        }
        return try submit(.call(path), try router.encode(given, for: session), given, in: fiber)
    }

    override func fetch(_ path: [String], in fiber: Fiber) throws(Failure) -> Step {
        try submit(.get(path), Body(), Given(), in: fiber)
    }

    override func assign(_ path: [String], _ value: Value, in fiber: Fiber) throws(Failure) -> Step {
        guard sessions.isPlain(session) else {
            return try submit(.set(path), try router.encode(value, for: session), Given(), in: fiber, result: value)
        }
        var words = ShellWords()
        try words.add(value, at: path.joined(separator: "."))
        router.files.append(words.files)
        return try submit(.set(path), Body(bytes: PlainFields.encode(words.words)), Given(), in: fiber, result: value)
    }

    func importModule(_ path: [String], as alias: String?, in fiber: Fiber) throws(Failure) -> Step {
        try submit(
            Request(.importModule, path: path, alias: alias), Body(), Given(), in: fiber)
    }

    /// Sends a value and takes it back as the runtime holds it.
    func deliver(_ value: Value, in fiber: Fiber) throws(Failure) -> Step {
        guard !sessions.isPlain(session) else {
            throw Failure(
                "value/uncopyable", "\(session) holds no values but text",
                help: "(sh:set \"name\" text) sets a variable")
        }
        var given = Given()
        given.keywords = [("__meta_value__", value)]
        if case .meta(let meta) = value { given.parents = [meta.number] }
        return try eval("__meta_value__", given, in: fiber)
    }

    /// How a shell command's end becomes a value.
    func shell(_ code: String, _ result: @escaping ShellResult, in fiber: Fiber) throws(Failure) -> Step {
        let name = router.nextName(in: session)
        let router = router
        let session = session
        return try router.submit(.eval(code, name: name), body: [], to: session, for: fiber) {
            outcome throws(Failure) in
            switch outcome {
            case .reply(let reply, _, let output, let tail, let entry):
                let value = try result(reply.status ?? 0, output ?? [], tail)
                return router.wrap(value, entry(Describe.summary(value)))
            case .failure(let error, let body): throw router.thrown(error, body, session: session)
            case .lost(let diagnostic): throw router.machine.failure(diagnostic)
            }
        }
    }

    typealias ShellResult = (_ status: Int, _ output: [UInt8], _ errorTail: String) throws(Failure) -> Value

    // MARK: Parts

    private var sessions: SessionTable { router.sessions }

    private func session(isLanguage name: String) -> Bool {
        sessions.language(of: session) == name
    }

    private func bindings(_ keywords: [(String, Value)]) throws(Failure) -> Body {
        guard !keywords.isEmpty else { return Body() }
        return try router.encode(
            .object(Object(Object.Entries(keywords.map { (Key($0.0), $0.1) }) { $1 })), for: session)
    }

    /// - Parameter files: what the request names, kept until it is answered.
    private func submit(
        _ request: Request, _ body: Body, _ given: Given, in fiber: Fiber, code: String? = nil,
        files: ByteFiles? = nil, result: Value? = nil
    ) throws(Failure) -> Step {
        let router = router
        let session = session
        var request = request
        request.references = body.references
        return try router.submit(request, body: body.bytes, to: session, for: fiber, parents: given.parents, code: code)
        {
            outcome throws(Failure) in
            defer { withExtendedLifetime(files) {} }
            switch outcome {
            case .reply(let reply, let body, let output, let tail, let entry):
                if let result { return result }
                return try router.value(of: reply, body, output, tail, entry)
            case .failure(let error, let body): throw router.thrown(error, body, session: session)
            case .lost(let diagnostic): throw router.machine.failure(diagnostic)
            }
        }
    }
}

/// The arguments of a foreign call: positional ones, the literal keywords, and the MetaObjects among them.
struct Given {
    var positional: [Value] = []
    var keywords: [(String, Value)] = []
    var parents: [Int] = []

    init() {}

    init(_ arguments: Arguments) throws(Failure) {
        var index = 0
        while index < arguments.count {
            let value = arguments[index]
            if index < 64, arguments.literalKeywords & (1 << UInt64(index)) != 0, case .keyword(let name) = value {
                guard index + 1 < arguments.count else {
                    throw Failure("eval/arity", "the keyword :\(name.name) has no value")
                }
                keywords.append((name.name, arguments[index + 1]))
                note(arguments[index + 1])
                index += 2
            } else {
                positional.append(value)
                note(value)
                index += 1
            }
        }
    }

    /// The arguments with whether each is the name of a keyword, as `%marshalled` takes them.
    var pairs: [Value] {
        var pairs = positional.map { Value.vector(Items([.bool(false), $0])) }
        for (name, value) in keywords {
            pairs.append(.vector(Items([.bool(true), .keyword(Symbol(name))])))
            pairs.append(.vector(Items([.bool(false), value])))
        }
        return pairs
    }

    private mutating func note(_ value: Value) {
        switch value {
        case .meta(let meta): parents.append(meta.number)
        case .vector(let items), .list(let items):
            for item in items.elements.prefix(64) {
                if case .meta(let meta) = item { parents.append(meta.number) }
            }
        default: break
        }
    }
}

/// A runtime's own function, past the dispatch table: what `py.eval` and a custom marshalling end in.
final class Primitive: ControlFunction {
    private let runtime: Runtime
    private let path: [String]

    init(_ runtime: Runtime, _ path: [String], name: String? = nil) {
        self.runtime = runtime
        self.path = path
        super.init(
            name: name ?? ([runtime.name] + path).joined(separator: "."), signature: "(\(name ?? runtime.name) …)")
    }

    /// Arguments are pairs `[is-keyword value]`, as `%marshalled` makes them.
    override func call(_ path: [String], _ arguments: inout Arguments, in fiber: Fiber) throws(Failure) -> Step {
        var given = Given()
        var name: String?
        for pair in try arguments.items(0) {
            guard case .vector(let parts) = pair, parts.elements.count == 2 else { continue }
            if case .bool(true) = parts.elements[0] {
                name = parts.elements[1].nameText
            } else if let key = name {
                given.keywords.append((key, parts.elements[1]))
                name = nil
            } else {
                given.positional.append(parts.elements[1])
            }
        }
        return try runtime.request(self.path, given, in: fiber)
    }
}
