import Evaluator
import Glibc
import Language
import Sessions

/// A language that the user brings: its name, and the program that is a kernel for it (docs/protocol.md).
struct RuntimeDefinition {
    let name: String
    private(set) var aliases: [String] = []
    private(set) var launch: Launch
    private(set) var timeout: Swift.Duration?

    /// - Parameters:
    ///   - fields: what `define-runtime` takes behind the name, and what a file of the runtimes folder holds.
    ///   - folder: where relative paths start.
    /// - Throws: `eval/keyword` for a field that is unknown or of the wrong kind, `eval/arity` without a command.
    init(name: String, fields: [(String, Value)], folder: String) throws(Failure) {
        self.name = name
        var command: [String] = []
        launch = .command([])
        for (key, value) in fields {
            switch (key, try value.unwrapped()) {
            case ("command", .string(let path)): command = [path.string]
            case ("command", .vector(let words)): command = try Self.texts(words, of: key, value)
            case ("aliases", .vector(let names)): aliases = try Self.texts(names, of: key, value)
            case ("cwd", .string(let path)): launch.directory = Self.absolute(path.string, in: folder)
            case ("timeout", let seconds):
                guard let limit = Router.seconds(seconds) else { throw Self.notTaken(key, value) }
                timeout = limit
            case ("memory", .int(let bytes)) where bytes > 0: launch.memoryLimit = UInt64(bytes)
            case ("env", .object(let variables)): launch.environment = try Self.environment(variables, value)
            default: throw Self.notTaken(key, value)
            }
        }
        guard let program = command.first, !program.isEmpty else {
            throw Failure(
                "eval/arity", "the runtime \(name) has no command",
                help: "(define-runtime \"\(name)\" :command [\"program\" \"argument\"])")
        }
        launch.kernel = .command(
            [Self.program(program, in: folder)] + command.dropFirst().map { Self.file($0, in: folder) })
    }

    // MARK: Parts

    private static func texts(_ items: Items, of key: String, _ value: Value) throws(Failure) -> [String] {
        var texts: [String] = []
        for item in items.elements {
            guard let text = try item.unwrapped().nameText else { throw notTaken(key, value) }
            texts.append(text)
        }
        return texts
    }

    private static func environment(_ variables: Object, _ value: Value) throws(Failure) -> [String: String?] {
        var changes: [String: String?] = [:]
        for (name, setting) in variables.entries {
            switch try setting.unwrapped() {
            case .null: changes[name.string] = .some(nil)
            case .int(let number): changes[name.string] = .some(String(number))
            case let other:
                guard let text = other.nameText else { throw notTaken("env", value) }
                changes[name.string] = .some(text)
            }
        }
        return changes
    }

    /// A bare name is looked for on PATH; a path starts at the folder.
    private static func program(_ word: String, in folder: String) -> String {
        word.contains("/") ? absolute(word, in: folder) : word
    }

    /// A word that names a file in the folder means that file, wherever the kernel runs.
    private static func file(_ word: String, in folder: String) -> String {
        var status = stat()
        guard !word.hasPrefix("-"), !word.isEmpty, case let path = absolute(word, in: folder),
            stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG
        else { return word }
        return path
    }

    private static func absolute(_ path: String, in folder: String) -> String {
        if path.hasPrefix("~/"), let home = getenv("HOME") { return String(cString: home) + path.dropFirst() }
        return path.hasPrefix("/") ? path : folder + "/" + (path.hasPrefix("./") ? String(path.dropFirst(2)) : path)
    }

    private static func notTaken(_ key: String, _ value: Value) -> Failure {
        Failure(
            "eval/keyword", "a runtime does not take :\(key) \(Describe.short(value))",
            help: "it takes :command [program argument …], :aliases [name …], :env {…}, :cwd path, :memory bytes, "
                + ":timeout seconds")
    }
}
