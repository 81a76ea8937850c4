import Evaluator
import Language
import Sessions

/// Languages that the user brings, by form or by the runtimes folder.
extension Router {
    func registerDefinitions() {
        machine.register(
            Control(
                "(define-runtime name …:command [program argument …] :aliases […] :env {…} :cwd path :memory bytes "
                    + ":timeout seconds)",
                arity: 1...Int.max,
                documentation: Documentation(
                    "Makes a language of a program that speaks the protocol of kernels, under a name that is then used "
                        + "as py is; its first use starts it. The same definition again changes nothing.",
                    examples: ["(define-runtime \"perl\" :command [\"perl\" \"kernel.pl\"])"])
            ) { [unowned self] arguments, _ throws(Failure) in
                let given = try Given(arguments)
                guard given.positional.count == 1, let name = try given.positional[0].unwrapped().nameText else {
                    throw Failure(
                        "eval/arity",
                        "define-runtime takes a name and keywords, as in (define-runtime \"lua\" :command [\"lua\" \"kernel.lua\"])"
                    )
                }
                try define(
                    RuntimeDefinition(name: name, fields: given.keywords, folder: sessions.directory))
                return .value(.null)
            })
    }

    /// Makes the runtime a name of the language; starts nothing.
    ///
    /// - Throws: `session/name` for a name that means something else, `session/defined` for one that runs another
    ///   command, `session/missing` and `session/spawn` for a program that is not there or cannot be run.
    func define(_ definition: RuntimeDefinition) throws(Failure) {
        let isKnown = sessions.launch(of: definition.name) == definition.launch
        for name in [definition.name] + definition.aliases { try checkFree(name, for: definition) }
        guard !isKnown else { return }
        do throws(SessionError) {
            try sessions.checkProgram(of: definition.launch)
        } catch {
            throw Failure(
                error.code, "\(definition.name): \(error.message)",
                help: error.help.isEmpty ? nil : error.help.joined(separator: "\n        "))
        }
        timeouts[definition.name] = definition.timeout
        sessions.define(definition.name, definition.launch)
        register(session: definition.name, aliases: definition.aliases)
    }

    private func checkFree(_ name: String, for definition: RuntimeDefinition) throws(Failure) {
        guard Self.isRuntimeName(name) else {
            throw Failure(
                "session/name", "a runtime's name is a letter, then letters, digits, - or _, got \"\(name)\"")
        }
        guard let value = machine.globals.bound(name)?.value else {
            guard SpecialForm(rawValue: name) == nil, !Command.isReserved(name) else {
                throw Failure("session/name", "\(name) is a word of meta's own, and no name for a runtime")
            }
            return
        }
        guard case .function(let function) = value, let runtime = function as? Runtime else {
            throw Failure("session/name", "\(name) means something already: \(Describe.short(value))")
        }
        guard runtime.session == definition.name, case .command? = sessions.launch(of: runtime.session)?.kernel else {
            throw Failure(
                "session/name", "\(name) is the runtime \(runtime.session) already",
                help:
                    "(spawn '\(runtime.session) :as \"\(runtime.session)2\" :command \"program\") runs it with another program"
            )
        }
        guard sessions.launch(of: runtime.session) != definition.launch, sessions.isRunning(runtime.session) else {
            return
        }
        throw Failure(
            "session/defined", "\(name) runs with another command",
            help: "(stop '\(name)) ends it and what it holds; then it can be defined anew")
    }

    private static func isRuntimeName(_ name: String) -> Bool {
        guard let first = name.first, first.isASCII, first.isLetter, name.utf8.count <= 64 else { return false }
        return name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
    }

    // MARK: The runtimes folder

    /// Defines what the user's runtimes folder holds. What cannot be defined is told, and the rest goes on.
    func defineConfigured() {
        guard let folder = RuntimesFolder() else { return }
        for entry in folder.entries {
            do throws(Failure) {
                try define(try entry.definition())
            } catch {
                let failure = Failure(error.code, "\(entry.path): \(error.message)", help: error.help)
                console.message(Diagnostic(failure).report)
            }
        }
    }
}
