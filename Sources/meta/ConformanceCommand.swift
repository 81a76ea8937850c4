import ArgumentParser
import Conformance
import Glibc
import Language
import REPL
import Sessions

/// `meta conformance`: grades a kernel.
struct ConformanceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conformance",
        abstract: "Grade a kernel against every rule of the protocol.",
        discussion: """
            One line for each case: ok, FAILED with the rule, what was sent and what came back, or why there was nothing \
            to try: an operation that hello does not declare, source text in the kernel's language that was not given. \
            Such texts stand in samples.json beside the kernel's file, or in the file of --samples.

            Exit status: 0; 1 a case failed; 2 usage.
            """)

    @Option(help: ArgumentHelp("The kernel's program and its arguments, as in \"perl kernel.pl\".", valueName: "words"))
    var command: String?

    @Option(help: ArgumentHelp("A kernel that meta brings: py, js or sh.", valueName: "name"))
    var runtime: String?

    @Option(help: ArgumentHelp("Only the case or group of this name. Repeatable.", valueName: "name"))
    var only: [String] = []

    @Option(help: ArgumentHelp("Source texts in the kernel's language.", valueName: "file"), completion: .file())
    var samples: String?

    @Option(help: ArgumentHelp("Makes the generated values those of an earlier run.", valueName: "number"))
    var seed: UInt64?

    @Option(help: ArgumentHelp("How long a case may take.", valueName: "seconds"))
    var limit = 20.0

    @Flag(help: "Write one JSON object a line.")
    var json = false

    @Flag(help: "Only name the cases.")
    var list = false

    func validate() throws {
        guard (command == nil) != (runtime == nil) || list else {
            throw ValidationError("one of --command and --runtime says which kernel")
        }
        guard limit > 0, limit < 86_400 else { throw ValidationError("--limit is a number of seconds") }
        let known = Set(Suite.caseNames.flatMap { [$0.group, $0.name] })
        for name in only where !known.contains(name) {
            throw ValidationError("there is no case or group \(name); --list names them")
        }
    }

    /// The exit status.
    func perform() -> Int32 {
        guard !list else {
            for (group, name) in Suite.caseNames { Console.say("\(group)  \(name)", isError: false) }
            return 0
        }
        let words = Words.split(command ?? "")
        let launch = runtime.map { Launch.language($0) } ?? .command(words)
        let given: Samples?
        do throws(Failure) {
            given = try SampleFile.read(samples, beside: words)
        } catch {
            Console.say("error[\(error.code)]: \(error.message)", isError: true)
            return 2
        }
        let seed = seed ?? UInt64.random(in: 0..<1_000_000_000)
        let suite = Suite(launch, samples: given, seed: seed, directory: SampleFile.workingDirectory)
        suite.limit = .milliseconds(Int(limit * 1000))
        var report = ConformanceReport(isJSON: json, seed: seed)
        suite.run(only: Set(only)) { result in report.take(result, kernel: suite.kernelSummary) }
        return report.finish()
    }
}
