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
        version: version)

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

    @Argument(help: "A file to run: forms, or Markdown with blocks of code.", completion: .file())
    var file: String?

    @Argument(parsing: .captureForPassthrough, help: "What the file finds in args.")
    var arguments: [String] = []

    func validate() throws {
        if [json, raw, pretty].count(where: { $0 }) > 1 {
            throw ValidationError("--json, --raw and --pretty exclude each other")
        }
    }

    /// The command of a plain one-liner, which shell loops run by the thousand: the parser's own start costs as much as
    /// all the rest (docs/adr/0008-start.md).
    private static var oneLiner: Meta? {
        let words = CommandLine.arguments
        guard words.count == 3, words[1] == "-e" || words[1] == "--exec", !words[2].hasPrefix("-") else { return nil }
        var command = Meta()
        (command.forms, command.file, command.arguments) = ([words[2]], nil, [])
        (command.json, command.raw, command.pretty, command.keepGoing) = (false, false, false, false)
        return command
    }

    static func main() {
        Console.prepare()
        do {
            let command = try oneLiner ?? parse()
            Glibc.exit(command.perform())
        } catch {
            let status = exitCode(for: error)
            let text = fullMessage(for: error)
            if !text.isEmpty { Console.say(text, isError: status != .success) }
            Glibc.exit(status == .success ? 0 : 2)
        }
    }

    private func perform() -> Int32 {
        let form: OutputForm = json ? .json : raw ? .raw : pretty || Console.outputIsTerminal ? .pretty : .json
        // A file has no results: its standard output is what it prints, into a pipe as well, unless a form was asked for.
        let isFile = forms.isEmpty && file != nil
        let console = Console(printsToStandardError: isFile ? json || raw : form != .pretty)
        console.hintsAtQuotes = !forms.isEmpty
        var options = Program.Options(form: form)
        options.stopsAtError = !keepGoing
        options.arguments = forms.isEmpty ? arguments : [file].compactMap { $0 } + arguments
        let isPrompt = forms.isEmpty && file == nil && Console.inputIsTerminal
        if isPrompt { options.stopsAtError = false }
        let program = Program(version: Self.version, options: options, console: console)
        run(program, isPrompt: isPrompt)
        program.router.shutdown()
        return isPrompt && program.exitStatusWasNotAsked ? 0 : program.finalStatus
    }

    private func run(_ program: Program, isPrompt: Bool) {
        if !forms.isEmpty {
            program.execute(forms)
        } else if let file {
            program.runFile(file)
        } else if !isPrompt || !Prompt(program).run(version: Self.version) {
            program.runStandardInput()
        }
    }
}
