import Evaluator
import Language
import Sessions

/// Sessions seen and steered by programs.
extension Router {
    func registerManagement() {
        machine.register(
            Builtin(
                "(runtimes)", arity: 0...0, lineage: .plain,
                documentation: Documentation(
                    "The sessions there are, as objects: name, language, state, interpreter, version, pid, memory in bytes, "
                        + "buffers (how it takes arrays: map, copy or none).",
                    examples: ["(includes? (map :name (runtimes)) \"py\") => true"])
            ) { [unowned self] _ in .vector(Items(sessions.runtimes.map(Self.row))) })
        steer("restart", "Ends a runtime and starts it anew; what it held is gone.") {
            sessions, name throws(SessionError) in
            try sessions.restart(name)
        }
        steer("stop", "Ends a runtime; its next use starts it anew.") { sessions, name throws(SessionError) in
            try sessions.stop(name)
        }
        machine.register(
            Control(
                "(spawn lang …:as name :command path :env {…} :cwd path :memory bytes :timeout seconds)",
                arity: 1...Int.max,
                documentation: Documentation(
                    "Makes a further session of a language under a name of its own; its first use starts it.",
                    examples: ["(spawn 'py :as \"py2\")"])
            ) { [unowned self] arguments, _ throws(Failure) in
                .value(try spawn(try Given(arguments)))
            })
        machine.register(
            Control(
                "(doc name)", arity: 1...1,
                documentation: Documentation(
                    "Prints what a function does: its shape, a text, examples; of a handle what its own language says.",
                    examples: ["(doc map)"])
            ) { [unowned self] arguments, _ throws(Failure) in
                if try Handle.behind(arguments[0]) != nil {
                    return .call(library("%print-documentation"), [arguments[0]])
                }
                console.program(Array((try documentation(try Self.name(&arguments)) + "\n").utf8))
                return .value(.null)
            })
        machine.register(
            Builtin(
                "(print …values)", arity: 0...Int.max, lineage: .plain,
                documentation: Documentation(
                    "Prints the values with spaces between them; strings without quotes.",
                    examples: ["(print \"n is\" 3)"])
            ) { [unowned self] arguments throws(Failure) in
                var words: [String] = []
                for index in 0..<arguments.count { words.append(Library.display(try arguments.data(index))) }
                console.program(Array((words.joined(separator: " ") + "\n").utf8))
                return .null
            })
    }

    private static func name(_ arguments: inout Arguments) throws(Failure) -> String {
        if case .function(let function) = arguments[0] { return function.name }
        return try arguments.string(0)
    }

    /// The text of `doc`.
    ///
    /// - Throws: `eval/unbound` for a name nobody has documented.
    func documentation(_ name: String) throws(Failure) -> String {
        guard let (signature, text) = machine.documentation(of: name) else {
            guard case .function(let function)? = machine.globals.bound(name)?.value else {
                throw Failure("eval/unbound", "there is no function \(name)")
            }
            return function.signature
        }
        let examples = text.examples.map { "    " + $0 }
        return ([signature, "  " + text.text] + examples).joined(separator: "\n")
    }

    private func steer(
        _ name: String, _ text: String, _ action: @escaping (SessionTable, String) throws(SessionError) -> Void
    ) {
        machine.register(
            Builtin(
                "(\(name) lang)", arity: 1...1, lineage: .plain,
                documentation: Documentation(text, examples: ["(\(name) 'py)"])
            ) {
                [unowned self] arguments throws(Failure) in
                let runtime = try runtime(arguments[0])
                if let generation = sessions.generation(of: runtime.session) {
                    keepSegments(of: runtime.session, generation)
                }
                do throws(SessionError) {
                    try action(sessions, runtime.session)
                } catch {
                    throw Failure(error.code, error.message, help: error.help.first)
                }
                return .null
            })
    }

    private func spawn(_ given: Given) throws(Failure) -> Value {
        guard let first = given.positional.first else {
            throw Failure("eval/arity", "spawn takes a language, as in (spawn 'py :as \"py2\")")
        }
        let base = try runtime(first)
        var launch = Launch.language(base.session)
        var name: String?
        var timeout: Swift.Duration?
        for (key, value) in given.keywords {
            switch (key, try value.unwrapped()) {
            case ("as", let text): name = text.nameText
            case ("command", .string(let path)): launch.kernel = .language(base.session, interpreter: [path.string])
            case ("command", .vector(let words)):
                launch.kernel = .language(base.session, interpreter: words.elements.compactMap(\.nameText))
            case ("cwd", .string(let path)): launch.directory = path.string
            case ("timeout", let seconds):
                guard let limit = Self.seconds(seconds) else { throw Self.notTaken(key, value) }
                timeout = limit
            case ("memory", .int(let bytes)) where bytes > 0: launch.memoryLimit = UInt64(bytes)
            case ("env", .object(let variables)):
                for (key, value) in variables.entries {
                    launch.environment[key.string] = .some(try value.unwrapped().nameText)
                }
            default:
                throw Self.notTaken(key, value)
            }
        }
        if let name { timeouts[name] = timeout }
        guard let name, !name.isEmpty else {
            throw Failure("eval/arity", "spawn needs a name: (spawn 'py :as \"py2\")")
        }
        sessions.define(name, launch)
        register(session: name)
        return .null
    }

    static func seconds(_ value: Value) -> Swift.Duration? {
        switch value {
        case .int(let seconds) where seconds > 0 && seconds < 1_000_000_000: .seconds(seconds)
        case .double(let seconds) where seconds > 0 && seconds < 1e9: .seconds(seconds)
        default: nil
        }
    }

    private static func notTaken(_ key: String, _ value: Value) -> Failure {
        Failure(
            "eval/keyword", "spawn does not take :\(key) \(Describe.short(value))",
            help: "it takes :as name, :command path, :env {…}, :cwd path, :memory bytes, :timeout seconds")
    }

    private static func row(_ status: RuntimeStatus) -> Value {
        .object(
            Object([
                "name": .text(status.name), "language": .text(status.language), "state": .text(status.state.rawValue),
                "interpreter": status.interpreter.map(Value.text) ?? .null,
                "version": status.version.map(Value.text) ?? .null, "pid": status.pid.map { .int(Int($0)) } ?? .null,
                "memory": status.memory.map(Value.int) ?? .null,
                "buffers": status.buffers.map(Value.text) ?? .null,
            ]))
    }

    // MARK: The shell

    func registerShell() {
        let shapes: [(String, String, (Int, [UInt8], String) throws(Failure) -> Value)] = [
            ("run", "Runs source in the shell and never raises: {stdout stderr status}.", ran),
            ("lines", "Runs source in the shell: its output's lines.", lines),
            ("bytes", "Runs source in the shell: its output as bytes.", bytes),
        ]
        for (name, text, result) in shapes {
            for prefix in ["sh", "bash", "shell"] {
                machine.register(
                    Control(
                        "(\(prefix):\(name) code)", arity: 1...1,
                        documentation: Documentation(text, examples: ["(\(prefix):\(name) \"ls -l\")"])
                    ) {
                        [unowned self] arguments, fiber throws(Failure) in
                        try runtime(.text("sh")).shell(try arguments.string(0), result, in: fiber)
                    })
            }
        }
    }

    private func ran(_ status: Int, _ output: [UInt8], _ errorTail: String) throws(Failure) -> Value {
        .object(
            Object([
                "stdout": try ShellOutput.text(output), "stderr": .text(errorTail), "status": .int(status),
            ]))
    }

    private func lines(_ status: Int, _ output: [UInt8], _ errorTail: String) throws(Failure) -> Value {
        try check(status, output, errorTail)
        guard case .string(let text) = try ShellOutput.text(output), !output.isEmpty else { return .vector(Items([])) }
        // By scalars: to a String a line end after \r is not one.
        let lines = text.string.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
        return .vector(Items(lines.map { .text(String($0)) }))
    }

    private func bytes(_ status: Int, _ output: [UInt8], _ errorTail: String) throws(Failure) -> Value {
        try check(status, output, errorTail)
        return .bytes(output)
    }

    private func check(_ status: Int, _ output: [UInt8], _ errorTail: String) throws(Failure) {
        if status != 0 { throw machine.failure(Self.failed(status, output, errorTail, "sh")) }
    }
}
