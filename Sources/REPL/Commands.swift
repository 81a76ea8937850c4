import Evaluator
import Language

/// The prompt's commands: `:` and letters, first on a fresh line, and in this table.
struct Command {
    let name: String
    /// The rest of the line.
    let argument: String

    /// Whether it is a runtime's name: the rest is code in its language.
    let isRuntime: Bool

    /// - Parameter runtimes: the names of sessions; those that are no word of the table are commands too.
    /// - Returns: nil for text that is no command.
    init?(_ text: String, runtimes: [String]) {
        guard text.first == ":" else { return nil }
        let name = String(text.dropFirst().prefix { $0 != " " && $0 != "\n" })
        let rest = text.dropFirst(1 + name.count)
        isRuntime = runtimes.contains(name)
        guard isRuntime || Self.isReserved(name) else { return nil }
        self.name = name
        argument = rest.drop { $0 == " " }.trimmed
    }

    /// Whether `:name` means something, and no runtime may take it.
    static func isReserved(_ name: String) -> Bool { table.contains { $0.name == name } }

    struct Entry {
        let name: String
        let shape: String
        let text: String
    }

    static let table: [Entry] = [
        Entry(name: "py", shape: ":py [code]", text: "Python from now on; with code, one line of it"),
        Entry(name: "js", shape: ":js [code]", text: "JavaScript (Node), likewise"),
        Entry(name: "sh", shape: ":sh [code]", text: "the shell (bash), likewise"),
        Entry(name: "meta", shape: ":meta", text: "back to meta"),
        Entry(name: "doc", shape: ":doc name", text: "what a function does"),
        Entry(name: "why", shape: ":why form", text: "where a value came from"),
        Entry(name: "time", shape: ":time form", text: "how long a form takes"),
        Entry(name: "runtimes", shape: ":runtimes", text: "the sessions there are"),
        Entry(name: "restart", shape: ":restart py", text: "a session anew; what it held is gone"),
        Entry(name: "load", shape: ":load file", text: "reads and evaluates a file"),
        Entry(name: "help", shape: ":help", text: "this list"),
        Entry(name: "quit", shape: ":quit", text: "ends meta, as Ctrl-D does"),
    ]

    static var help: String {
        let width = table.map(\.shape.count).max() ?? 0
        let rows = table.map { "  " + $0.shape + String(repeating: " ", count: width - $0.shape.count + 2) + $0.text }
        let intro = [
            "(+ 1 2)            a form of meta: the function first",
            "(py \"len('abc')\")  source text in Python; js and sh likewise",
            "(py.math.sqrt 16)  a function of Python's, called by its path",
            "(def x 5)          defines a name;  _ is the last result",
            "(doc map)          what a function does",
            "(fetch x)          what an object of a runtime, <py …>, holds, as data",
        ].map { "  " + $0 }
        return (intro + [""] + rows).joined(separator: "\n")
    }
}

extension Program {
    /// What a command came to.
    enum CommandOutcome {
        case ran(Value?)
        /// The prompt goes on in another language; nil is meta.
        case switched(String?)
    }

    /// Runs the source when it is a command.
    func command(_ source: Source) -> CommandOutcome? {
        let text = String(decoding: source.bytes, as: UTF8.self).trimmed
        guard let command = Command(text, runtimes: router.runtimeNames) else { return nil }
        if command.isRuntime {
            if command.argument.isEmpty { return .switched(command.name) }
            return .ran(runCode(command.argument, in: command.name))
        }
        switch command.name {
        case "meta": return .switched(nil)
        case "help": router.console.result(Command.help)
        case "quit": exitStatus = 0
        case "runtimes": router.console.result(router.runtimeTable)
        case "restart": return .ran(call("restart", [.text(command.argument)]))
        case "load": return .ran(call("include", [.text(command.argument)]))
        case "doc": return .ran(call("doc", [.text(command.argument)]))
        case "why":
            if let value = runForm(command.argument.isEmpty ? "_" : command.argument) {
                router.console.result(router.explanation(of: value))
            }
        case "time": return .ran(time(command.argument))
        default: break
        }
        return .ran(nil)
    }

    /// Runs a line of a runtime's own language; in the shell its output is text, not a value.
    func runCode(_ code: String, in runtime: String) -> Value? {
        let value = call(runtime, [.text(code)])
        guard runtime == "sh", options.form == .pretty, case .string(let text)? = try? value?.unwrapped() else {
            return value
        }
        if !text.string.isEmpty { router.console.result(text.string) }
        return nil
    }

    private func runForm(_ text: String) -> Value? {
        var last: Value?
        run(Source(name: "<command>", text: text)) { _, value in last = value }
        return last
    }

    private func call(_ name: String, _ arguments: [Value]) -> Value? {
        guard let function = router.machine.builtins[name] else { return nil }
        switch router.call(function, arguments) {
        case .success(let value): return value
        case .failure(let marker):
            fail(router.machine.take(marker))
            return nil
        }
    }

    private func time(_ text: String) -> Value? {
        let start = ContinuousClock.now
        let value = runForm(text)
        let (seconds, attoseconds) = (ContinuousClock.now - start).components
        router.console.message("; " + Elapsed.text(Double(seconds) * 1e6 + Double(attoseconds) / 1e12))
        return value
    }
}

extension Router {
    var runtimeNames: [String] { sessions.names }

    /// The sessions as a table for people.
    var runtimeTable: String {
        let rows = sessions.runtimes.map { status in
            [
                status.name, status.state.rawValue, status.version ?? "", status.interpreter ?? "not found",
                status.memory.map { "\($0 >> 20) MiB" } ?? "",
            ]
        }
        let widths = (0..<5).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ").trimmed
        }.joined(separator: "\n")
    }
}

extension StringProtocol {
    /// Without white space at both ends.
    var trimmed: String {
        var text = Substring(self)
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
