import Evaluator
import Kernels
import Language
import Sessions
import Wire

/// The runtimes as names of the language, and the seed's functions over them.
extension Router {
    func registerRuntimes() {
        machine.extend(with: Self.definitions)
        var table = Object.Entries()
        for language in KernelLanguage.all {
            let runtime = register(session: language.name, aliases: language.aliases)
            table[Key(language.name)] = .object(
                Object([
                    "eval": machine.globals.named(runtime.name + ".eval").value ?? .null,
                    "marshal": machine.globals.named(runtime.name + ".serialize").value ?? .null,
                ]))
        }
        machine.globals.define("runtime-dispatch", .object(Object(table)))
        registerSeed()
        registerManagement()
        registerDefinitions()
        registerShell()
        registerProvenance()
        registerFutures()
        registerHandles()
        registerCrossing()
        registerBuffers()
    }

    /// Makes a session a name of the language, with its own members.
    @discardableResult
    func register(session: String, aliases: [String] = []) -> Runtime {
        let runtime = Runtime(session: session, router: self)
        let members = members(of: runtime)
        for name in [session] + aliases {
            machine.register(runtime, as: name)
            for (suffix, function) in members { machine.register(function, as: name + suffix) }
        }
        return runtime
    }

    private func members(of runtime: Runtime) -> [(String, Function)] {
        let name = runtime.session
        return [
            (
                ".eval",
                Control("(\(name).eval code …:name value)", arity: 1...Int.max) { arguments, fiber throws(Failure) in
                    let given = try Given(arguments)
                    guard case .string(let code)? = try given.positional.first?.unwrapped() else {
                        return try runtime.deliver(arguments[0], in: fiber)
                    }
                    return try runtime.eval(code.string, given, in: fiber)
                }
            ),
            (
                ".serialize",
                Builtin("(\(name).serialize value)", arity: 1...1) { arguments throws(Failure) in
                    let body = try Envelope.encode(try arguments.data(0))
                    return .string(Text(String(decoding: body, as: UTF8.self), isJSON: true))
                }
            ),
            (
                ":get",
                Control("(\(name):get \"name\")", arity: 1...1) { arguments, fiber throws(Failure) in
                    try runtime.fetch(Self.path(try arguments.string(0)), in: fiber)
                }
            ),
            (
                ":set",
                Control("(\(name):set \"name\" value)", arity: 2...2) { arguments, fiber throws(Failure) in
                    try runtime.assign(Self.path(try arguments.string(0)), arguments[1], in: fiber)
                }
            ),
            (
                ":ref",
                Control(
                    "(\(name):ref code …:name value)", arity: 1...Int.max,
                    documentation: Documentation(
                        "Runs source as (\(name) code) does, and leaves the result where it is: its handle.",
                        examples: ["(\(name):ref \"[1, 2]\")"])
                ) { arguments, fiber throws(Failure) in
                    let given = try Given(arguments)
                    guard case .string(let code)? = try given.positional.first?.unwrapped() else {
                        throw arguments.wrong(0, "source text")
                    }
                    return try runtime.hold(code.string, given.keywords, in: fiber)
                }
            ),
            (
                ":import",
                Control("(\(name):import \"module\" :as \"name\")", arity: 1...3) { arguments, fiber throws(Failure) in
                    let alias = arguments.count == 3 ? try arguments.string(2) : nil
                    return try runtime.importModule(Self.path(try arguments.string(0)), as: alias, in: fiber)
                }
            ),
        ]
    }

    private static func path(_ name: String) -> [String] {
        name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    }

    // MARK: Dispatch

    /// The user's own function in the routing table, nil where the table has the built-in or nothing.
    func dispatch(_ session: String, _ key: String) -> Value? {
        guard case .object(let table)? = try? machine.globals.named("runtime-dispatch").value?.unwrapped(),
            case .object(let row)? = try? table[session]?.unwrapped(), let entry = row[key],
            case .function(let function) = entry
        else { return nil }
        let builtin = machine.builtins["\(session).\(key == "marshal" ? "serialize" : key)"]
        if case .function(let original)? = builtin, original === function { return nil }
        return entry
    }

    func library(_ name: String) -> Value {
        machine.globals.named(name).value ?? .null
    }

    /// The runtime a program names: by its value, or by a text, symbol or keyword.
    func runtime(_ value: Value) throws(Failure) -> Runtime {
        if case .function(let function) = value, let runtime = function as? Runtime { return runtime }
        let data = try value.unwrapped()
        guard let name = data.nameText else {
            throw Failure("eval/type", "a runtime is named by a text such as \"py\", got \(Describe.short(data))")
        }
        guard case .function(let function)? = machine.builtins[name], let runtime = function as? Runtime else {
            let names = sessions.runtimes.map(\.name).joined(separator: ", ")
            throw Failure("session/unknown", "there is no runtime \(name); there are \(names)")
        }
        return runtime
    }

    // MARK: The seed's functions

    private func registerSeed() {
        let evalIn = Control(
            "(eval-in lang x)", arity: 2...2,
            documentation: Documentation(
                "Runs source text in a runtime; delivers any other value, and JSON text made by json.stringify, as a value.",
                examples: ["(eval-in py \"1 + 1\")", "(eval-in js [1 2 3])"])
        ) { [unowned self] arguments, fiber throws(Failure) in
            try evaluate(arguments[1], in: try runtime(arguments[0]), fiber)
        }
        machine.register(evalIn)
        machine.register(
            Control(
                "(send-json lang value)", arity: 2...2,
                documentation: Documentation(
                    "Delivers a value to a runtime; the result is the value as it holds it.",
                    examples: ["(send-json py {a: 1})"])
            ) { [unowned self] arguments, fiber throws(Failure) in
                try deliver(arguments[1], to: try runtime(arguments[0]), fiber)
            })
        machine.register(
            Control(
                "(receive-json lang result)", arity: 2...2,
                documentation: Documentation(
                    "What a runtime sent: a MetaObject, or JSON text to be read as one.",
                    examples: ["(receive-json py \"[1, 2]\") => [1 2]"])
            ) { [unowned self] arguments, _ throws(Failure) in
                let runtime = try runtime(arguments[0])
                return .value(try received(arguments[1], from: runtime.session))
            })
        machine.register(
            Builtin(
                "(MetaObject source data)", arity: 2...2, lineage: .plain,
                documentation: Documentation(
                    "A value with its source. It computes and prints as its data.",
                    examples: ["(source (MetaObject \"py\" 5)) => \"py\""])
            ) { [unowned self] arguments throws(Failure) in
                machine.constructed(source: try arguments.string(0), data: arguments[1])
            })
    }

    private func evaluate(_ value: Value, in runtime: Runtime, _ fiber: Fiber) throws(Failure) -> Step {
        switch try value.unwrapped() {
        case .string(let text) where text.isJSON: return try deliver(try JSON.parse(text.string), to: runtime, fiber)
        case .string(let text):
            if let custom = dispatch(runtime.session, "eval") { return .call(custom, [value]) }
            return try runtime.eval(text.string, Given(), in: fiber)
        case .list, .symbol:
            throw Failure(
                "eval/render", "a form cannot be rendered to \(runtime.session) yet, got \(Describe.short(value))",
                help: "give source text: (eval-in \"\(runtime.session)\" \"code\")")
        default: return try deliver(value, to: runtime, fiber)
        }
    }

    private func deliver(_ value: Value, to runtime: Runtime, _ fiber: Fiber) throws(Failure) -> Step {
        var value = value
        if case .string(let text) = try value.unwrapped(), text.isJSON { value = try JSON.parse(text.string) }
        if let marshal = dispatch(runtime.session, "marshal") {
            let target = Value.function(Delivery(runtime, router: self))
            return .call(library("%then"), [target, marshal, value])
        }
        if let custom = dispatch(runtime.session, "eval") { return .call(custom, [value]) }
        return try runtime.deliver(value, in: fiber)
    }

    private func received(_ value: Value, from session: String) throws(Failure) -> Value {
        if case .meta(let meta) = value {
            guard case .string(let text) = try meta.data() else { return value }
            return machine.select(try JSON.parse(text.string), of: meta, path: "json.parse")
        }
        guard case .string(let text) = value else { return machine.constructed(source: session, data: value) }
        return machine.constructed(source: session, data: try JSON.parse(text.string))
    }

    static let definitions = #"""
        (def %marshalled (marshal target pairs)
          (target (map (fn (pair) (if (get pair 0) pair [false (marshal (get pair 1))])) pairs)))

        (def %print-documentation (handle)
          (print (str handle "\n" (or (%documentation handle) "it has no documentation"))))

        (def %then (target f value)
          (target (f value)))
        """#
}

/// Delivers what a program's own marshalling made.
private final class Delivery: ControlFunction {
    private let runtime: Runtime
    private unowned let router: Router

    init(_ runtime: Runtime, router: Router) {
        self.runtime = runtime
        self.router = router
        super.init(name: "deliver", signature: "(deliver value)")
    }

    override func call(_ path: [String], _ arguments: inout Arguments, in fiber: Fiber) throws(Failure) -> Step {
        var value = arguments[0]
        if case .string(let text) = try value.unwrapped(), text.isJSON { value = try JSON.parse(text.string) }
        if let custom = router.dispatch(runtime.session, "eval") { return .call(custom, [value]) }
        return try runtime.deliver(value, in: fiber)
    }
}
