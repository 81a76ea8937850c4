import CSystem
import Evaluator
import Glibc
import Language
import LineEditor

/// The interactive prompt.
public final class Prompt {
    private let program: Program
    private var editor: Editor?
    /// The runtime whose language is typed; nil is meta.
    private var mode: String?
    private var lineNumber = 0
    private var wakenings: [Editor.Wakening] = []

    private var router: Router { program.router }

    public init(_ program: Program) {
        self.program = program
    }

    /// Reads and runs until Ctrl-D.
    ///
    /// - Returns: False when descriptors 0 and 1 are not a terminal.
    public func run(version: String) -> Bool {
        var hooks = Editor.Hooks()
        hooks.isComplete = { [unowned self] text in isComplete(text) }
        hooks.explainIncomplete = { [unowned self] text in
            guard let mode else { return Completeness.open(text) }
            return "\(mode) waits for the rest of this; Ctrl-C drops it"
        }
        hooks.complete = { [unowned self] text, cursor in
            Completion(router: router, mode: mode).candidates(text, cursor)
        }
        hooks.wait = { [unowned self] signals in wait(signals) }
        let terminal = getenv("TERM").map { String(cString: $0) } ?? ""
        guard
            let editor = Editor(
                program: "meta", historyPath: Self.historyPath, isDumb: terminal.isEmpty || terminal == "dumb",
                hooks: hooks)
        else { return false }
        self.editor = editor
        router.console.isInteractive = true
        router.shareTerminal(STDIN_FILENO)
        // Ctrl-D quits within a second, whatever the sessions do.
        router.sessions.farewellLimit = .milliseconds(400)
        router.offersRestart = { [unowned self] session in
            router.console.message("\(session) does not answer; Ctrl-C again restarts it, and what it holds is lost")
        }
        router.console.result("meta \(version)   :help for help, Ctrl-D to quit")
        loop(editor)
        return true
    }

    private func loop(_ editor: Editor) {
        defer { program.stopFutures() }
        while program.exitStatus == nil, router.ending == nil {
            program.reportFutures()
            router.console.freshLine()
            router.sessions.width = editor.terminalColumns
            let name = mode.map { "(\($0))> " } ?? "meta> "
            let filler = String(repeating: ".", count: name.count - 2) + "> "
            switch editor.readLine(prompt: name, continuation: filler) {
            case .text(let text): evaluate(text)
            case .interrupted: continue
            case .endOfFile:
                guard mode != nil else { return }
                mode = nil
            }
        }
    }

    private func evaluate(_ text: String) {
        let trimmed = text.trimmed
        guard !trimmed.isEmpty else { return }
        lineNumber += 1
        let source = Source(name: "<prompt \(lineNumber)>", text: text)
        switch program.command(source) {
        case .switched(let language): mode = language
        case .ran(let value):
            if let value { show(value) }
        case nil: evaluate(source, trimmed)
        }
    }

    private func evaluate(_ source: Source, _ text: String) {
        if let mode {
            if let value = program.runCode(String(decoding: source.bytes, as: UTF8.self), in: mode) {
                show(value)
            }
            return
        }
        switch text {
        case "exit", "quit": program.exitStatus = 0
        case "help", "help()": router.console.result(Command.help)
        default:
            if let hint = Habits.hint(text) { return router.console.message(hint) }
            program.run(source) { form, value in
                if !Program.isDefinition(form) { show(value) }
            }
        }
    }

    private func show(_ value: Value) {
        // What a statement of JavaScript leaves is no result.
        if case .tagged(let tagged)? = try? value.unwrapped(), tagged.type == "Undefined" { return }
        program.show(value, width: width)
    }

    private func isComplete(_ text: String) -> Bool {
        if let command = Command(text.trimmed, runtimes: router.runtimeNames) { return isComplete(command) }
        guard let mode else { return Completeness.open(text) == nil || Habits.hint(text.trimmed) != nil }
        return Completeness.isComplete(text, in: mode, router: router)
    }

    /// A command's form or code may take more lines, as it may without the command.
    private func isComplete(_ command: Command) -> Bool {
        if command.isRuntime {
            return command.argument.isEmpty
                || Completeness.isComplete(command.argument, in: command.name, router: router)
        }
        switch command.name {
        case "time", "why": return Completeness.open(command.argument) == nil
        default: return true
        }
    }

    private var width: Int { editor?.terminalColumns ?? 80 }

    // MARK: Waiting

    private func wait(_ signals: Int32) -> Editor.Wakening {
        while wakenings.isEmpty {
            var shown = ""
            router.console.interceptor = { shown += $0 }
            defer { router.console.interceptor = nil }
            let watched = [STDIN_FILENO, signals].filter { $0 >= 0 }
            for event in router.sessions.wait(until: router.nextWork, alsoReadable: watched) {
                switch event {
                case .readable(STDIN_FILENO): wakenings.append(.input)
                case .readable: wakenings.append(.signal)
                case .signal(SIGINT): wakenings.append(.interrupted)
                default: router.take(event)
                }
            }
            router.goOn()
            if router.isEnding { wakenings.append(.ended) }
            if !shown.isEmpty { wakenings.insert(.output(shown), at: 0) }
        }
        return wakenings.removeFirst()
    }

    private static var historyPath: String? {
        if let folder = getenv("XDG_STATE_HOME").map({ String(cString: $0) }), folder.hasPrefix("/") {
            return folder + "/meta/history"
        }
        return getenv("HOME").map { String(cString: $0) + "/.local/state/meta/history" }
    }
}

/// Lines in the habit of another language, and the form that works.
enum Habits {
    static func hint(_ text: String) -> String? {
        guard !text.contains("\n"), !text.hasPrefix("("), !text.hasPrefix("["), !text.hasPrefix("{") else { return nil }
        let words = text.split(separator: " ").map(String.init)
        guard let first = words.first else { return nil }
        if words.count > 1, ["import", "from"].contains(first) {
            return
                "meta is not Python: (py \"\(escaped(text))\") runs it there; a module is there by name, as in (py.\(words[1]).…)"
        }
        if words.count > 3, ["let", "const", "var"].contains(first), words[2] == "=" {
            return definition(of: words[1], words.dropFirst(3))
        }
        if words.count >= 3, words[1] == "=" { return definition(of: first, words.dropFirst(2)) }
        if words.count > 1, ["def", "function"].contains(first) {
            let name = words[1].prefix { $0 != "(" }
            return "a function is (def \(name) (x) …); in Python or JavaScript it is written after :py or :js"
        }
        if ["for", "while", "lambda", "class", "print("].contains(where: { text.hasPrefix($0) }), !text.hasSuffix(")(")
        {
            return "in Python: (py \"\(escaped(text))\"), or :py and then \(text)"
        }
        if first.hasPrefix(":"), first.utf8.count > 1 { return command(near: String(first.dropFirst())) }
        if text.hasPrefix("!") || text.hasPrefix("$") { return "a shell command: :sh \(text.drop { $0 == "!" })" }
        if text.hasPrefix("#") || text.hasPrefix("//"), words.count > 1 { return "a comment begins with ;" }
        if commands.contains(first), words.count > 1 || first == "ls" || first == "pwd" {
            return "a shell command: (sh \"\(escaped(text))\"), or :sh \(text)"
        }
        if words.count == 3, !text.contains("("), ["+", "-", "*", "/", "<", ">", "==", "<=", ">="].contains(words[1]) {
            return "the operator comes first: (\(words[1] == "==" ? "=" : words[1]) \(words[0]) \(words[2]))"
        }
        return nil
    }

    private static func command(near name: String) -> String? {
        let near = NearMiss.names(like: name, among: Command.table.map(\.name))
        guard !Command.table.contains(where: { $0.name == name }), let best = near.first else { return nil }
        return "there is no command :\(name); :\(best)? (:help lists them)"
    }

    private static func definition(of name: String, _ value: ArraySlice<String>) -> String {
        "write (def \(name) \(value.joined(separator: " "))) to define \(name)"
    }

    private static let commands: Set = [
        "ls", "cd", "pwd", "cat", "git", "grep", "mkdir", "rm", "cp", "mv", "make", "curl", "head", "tail", "sudo",
        "vim", "npm", "pip",
    ]

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    }
}
