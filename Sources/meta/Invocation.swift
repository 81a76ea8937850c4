import REPL

/// What a command line asks for.
struct Invocation {
    var forms: [String] = []
    var file: String?
    var arguments: [String] = []
    /// How results are written; nil where the command line leaves it to what standard output is.
    var form: OutputForm?
    var keepsGoing = false
    /// Bytes of shared memory for arrays; nil: half of what there is.
    var bufferLimit: Int?

    /// A plain one-liner, which shell loops run by the thousand: the parser's own start costs as much as all the rest
    /// (docs/adr/0008-start.md).
    static var oneLiner: Invocation? {
        let words = CommandLine.arguments
        guard words.count == 3, words[1] == "-e" || words[1] == "--exec", !words[2].hasPrefix("-") else { return nil }
        return Invocation(forms: [words[2]])
    }

    /// Runs it and gives the exit status.
    func perform() -> Int32 {
        let form = form ?? (Console.outputIsTerminal ? .pretty : .json)
        // A file has no results: its standard output is what it prints, into a pipe as well, unless a form was asked for.
        let isFile = forms.isEmpty && file != nil
        let console = Console(printsToStandardError: isFile ? self.form != nil && form != .pretty : form != .pretty)
        console.hintsAtQuotes = !forms.isEmpty
        let isPrompt = forms.isEmpty && file == nil && Console.inputIsTerminal
        var options = Program.Options(form: form)
        options.stopsAtError = !keepsGoing && !isPrompt
        options.arguments = forms.isEmpty ? arguments : [file].compactMap { $0 } + arguments
        options.bufferLimit = bufferLimit
        let program = Program(version: Meta.version, options: options, console: console)
        run(program, isPrompt: isPrompt)
        program.router.shutdown()
        return isPrompt && program.exitStatusWasNotAsked ? 0 : program.finalStatus
    }

    private func run(_ program: Program, isPrompt: Bool) {
        if !forms.isEmpty {
            program.execute(forms)
        } else if let file {
            program.runFile(file)
        } else if !isPrompt || !Prompt(program).run(version: Meta.version) {
            program.runStandardInput()
        }
    }
}
