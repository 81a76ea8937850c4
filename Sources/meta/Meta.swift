import ArgumentParser
import Glibc
import REPL

/// The command line: what to run and how to write results.
@main
struct Meta: ParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "meta",
        abstract: "Python, Node and the shell side by side at one prompt.",
        discussion: """
            Without arguments: an interactive prompt, or a script on standard input. Each result of a script on standard \
            input prints; a file prints what it prints. Results are readable forms on a terminal, otherwise JSON.

            Exit status: 0; 1 the program failed; 2 usage; 130 interrupted.
            """,
        version: version, subcommands: [ConformanceCommand.self])

    @Option(
        name: [.customShort("e"), .customLong("exec")],
        help: ArgumentHelp(
            "Evaluate a form, or a prompt line such as ':py 1+1'. Repeatable; - reads standard input.",
            valueName: "form"))
    var forms: [String] = []

    @Flag(help: "Write each result as a MetaObject in JSON, one a line.")
    var json = false

    @Flag(name: [.customShort("r"), .long], help: "Write bare data: a string without quotes, anything else as JSON.")
    var raw = false

    @Flag(help: "Write results as readable forms.")
    var pretty = false

    @Flag(help: "Go on after an error; the status is still 1.")
    var keepGoing = false

    @Option(
        help: ArgumentHelp("Shared memory for arrays: bytes, or 512M, 2G. Half of what there is.", valueName: "size"))
    var bufferLimit: ByteCount?

    @Argument(help: "A file to run: forms, or Markdown with blocks of code.", completion: .file())
    var file: String?

    @Argument(parsing: .captureForPassthrough, help: "What the file finds in args.")
    var arguments: [String] = []

    func validate() throws {
        if [json, raw, pretty].count(where: { $0 }) > 1 {
            throw ValidationError("--json, --raw and --pretty exclude each other")
        }
    }

    static func main() {
        Console.prepare()
        if CommandLine.arguments.dropFirst().first == ConformanceCommand.configuration.commandName {
            // What a file is called leaves the parser no word for a subcommand.
            run(ConformanceCommand.self, Array(CommandLine.arguments.dropFirst(2))) { $0.perform() }
        }
        if let invocation = Invocation.oneLiner { Glibc.exit(invocation.perform()) }
        run(Meta.self, Array(CommandLine.arguments.dropFirst())) { $0.invocation.perform() }
    }

    /// Parses the words as this command and performs it; ends the program.
    private static func run<Command: ParsableCommand>(
        _ command: Command.Type, _ words: [String], _ perform: (Command) -> Int32
    ) -> Never {
        do {
            Glibc.exit(perform(try Command.parse(words)))
        } catch {
            let status = Command.exitCode(for: error)
            let text = Command.fullMessage(for: error)
            if !text.isEmpty { Console.say(text, isError: status != .success) }
            Glibc.exit(status == .success ? 0 : 2)
        }
    }

    private var invocation: Invocation {
        Invocation(
            forms: forms, file: file, arguments: arguments, form: json ? .json : raw ? .raw : pretty ? .pretty : nil,
            keepsGoing: keepGoing, bufferLimit: bufferLimit?.bytes)
    }
}
