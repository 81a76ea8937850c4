import CSystem
import Evaluator
import Glibc
import Language

/// Runs texts: scripts, one-liners, standard input. Writes results and errors; knows the exit status.
public final class Program {
    public struct Options {
        public var form: OutputForm
        /// Whether the first error ends a script.
        public var stopsAtError = true
        public var arguments: [String] = []
        /// Bytes of shared memory for arrays; nil: half of what there is.
        public var bufferLimit: Int?

        public init(form: OutputForm) {
            self.form = form
        }
    }

    public let router: Router
    let options: Options
    /// 0 while nothing failed.
    public private(set) var status: Int32 = 0
    /// The status of `(exit n)`.
    var exitStatus: Int32?
    /// The files that were included.
    var included: Set<String> = []

    public init(version: String, options: Options, console: Console) {
        self.options = options
        // Reading, comparing and printing recurse over at most 1,000 levels; debug builds have large frames.
        meta_raise_stack_limit(64 << 20)
        meta_tune_memory()
        router = Router(version: version, console: console, bufferLimit: options.bufferLimit)
        registerProgram()
        router.defineConfigured()
    }

    /// The status to exit with.
    public var finalStatus: Int32 {
        if let reason = router.console.writeError {
            router.console.message("error[file/write]: cannot write results: \(reason)")
            return 1
        }
        return exitStatus ?? router.ending.map { 128 + $0 } ?? status
    }

    /// Whether nothing more is to run.
    var isOver: Bool {
        exitStatus != nil || router.ending != nil || router.console.writeError != nil
            || (status != 0 && (options.stopsAtError || status == 130 && !router.console.isInteractive))
    }

    // MARK: Ways in

    /// One-liners; the last value prints.
    public func execute(_ texts: [String]) {
        var last: Value?
        for (index, text) in texts.enumerated() where !isOver {
            let name = texts.count == 1 ? "<exec>" : "<exec \(index + 1)>"
            guard let source = source(name: name, bytes: text == "-" ? StandardInput.all(router) : Array(text.utf8))
            else { continue }
            if case .ran(let value)? = command(source) {
                last = value
                continue
            }
            run(source) { form, value in last = Self.isDefinition(form) ? nil : value }
        }
        settleFutures()
        if status == 0, exitStatus == nil, let last { show(last) }
    }

    /// A script file; only what it prints is seen. A Markdown file runs its blocks.
    public func runFile(_ path: String) {
        guard let bytes = Files.read(path) else {
            let isForm = path.hasPrefix("(") || path.hasPrefix(":")
            return fail(
                Diagnostic(
                    code: "file/missing", message: "cannot read \(path): \(Files.errorText)",
                    help: isForm ? "a form to evaluate stands behind -e: meta -e '(+ 1 2)'" : nil))
        }
        guard let source = source(name: path, bytes: bytes) else { return }
        if path.hasSuffix(".md") {
            for block in Literate.blocks(source) where !isOver {
                run(block.source) { _, value in
                    if block.printsValue, case .string(let text)? = try? value.unwrapped(), !text.string.isEmpty {
                        router.console.program(Array((text.string + "\n").utf8))
                    }
                }
            }
        } else {
            run(source) { _, _ in }
        }
        settleFutures()
    }

    /// Standard input: each form runs as soon as it is complete, and its result prints.
    public func runStandardInput() {
        var pending: [UInt8] = []
        var line = 1
        var isEnded = false
        while !isEnded, !isOver {
            let chunk = StandardInput.next(router)
            isEnded = chunk == nil
            pending += chunk ?? []
            guard let end = isEnded ? pending.count : pending.lastIndex(of: 0x0A).map({ $0 + 1 }), end > 0 else {
                continue
            }
            guard let source = source(name: "<stdin>", bytes: Array(pending[..<end]), firstLine: line) else {
                pending = Array(pending[end...])
                continue
            }
            let used = run(source, mayContinue: !isEnded) { form, value in
                if !Self.isDefinition(form) { self.show(value) }
            }
            line += source.bytes[..<used].count { $0 == 0x0A }
            pending = Array(pending[used...])
        }
        settleFutures()
        if router.wasInterrupted { status = 130 }
    }

    /// The end of a program: it waits for the futures that have not ended, unless it has failed.
    private func settleFutures() {
        if !isOver { router.awaitFutures() }
        if router.wasInterrupted, status == 0 { status = 130 }
        stopFutures()
        reportFutures()
    }

    /// Stops the futures that have not ended, and says how many these were.
    func stopFutures() {
        let left = router.cancelFutures()
        guard left > 0, router.ending == nil else { return }
        router.console.message("\(left == 1 ? "a future" : "\(left) futures") had not ended and was stopped")
    }

    /// Tells the errors that nobody has awaited.
    func reportFutures() {
        for error in router.takeFailures() {
            router.console.message("a future failed, and nobody awaited it:")
            fail(error)
        }
    }

    // MARK: Running

    /// Reads and evaluates form by form.
    ///
    /// - Parameter mayContinue: whether an unclosed form at the end waits for more text.
    /// - Returns: How many bytes are done with.
    @discardableResult
    func run(_ source: Source, mayContinue: Bool = false, _ use: (Form, Value) -> Void) -> Int {
        var reader = Reader(source)
        var done = 0
        while !isOver {
            do throws(ReadError) {
                guard let form = try reader.next() else { return source.bytes.count }
                done = form.span.upper
                evaluate(form, source, use)
            } catch {
                if case .incomplete = error, mayContinue { return done }
                fail(Diagnostic(error.failure, source: source))
                guard case .malformed = error, let span = error.failure.span else { return source.bytes.count }
                let from = max(span.lower, done)
                done = source.bytes[from...].firstIndex(of: 0x0A) ?? source.bytes.count
                reader.skip(to: done)
            }
        }
        return source.bytes.count
    }

    private func evaluate(_ form: Form, _ source: Source, _ use: (Form, Value) -> Void) {
        switch router.evaluate(form, in: source) {
        case .success(let value):
            if exitStatus == nil { use(form, value) }
        case .failure(let marker):
            let diagnostic = router.machine.take(marker)
            if exitStatus == nil { fail(diagnostic) }
        }
    }

    /// Whether the program ended without `(exit n)` or a signal.
    public var exitStatusWasNotAsked: Bool { exitStatus == nil && router.ending == nil }

    func show(_ value: Value, width: Int = 100) {
        do throws(Failure) {
            router.machine.globals.define("_", value)
            if let text = try router.text(value, as: options.form, width: width) { router.console.result(text) }
        } catch {
            fail(Diagnostic(error))
        }
    }

    func fail(_ diagnostic: Diagnostic) {
        router.console.message(diagnostic.report)
        status = diagnostic.code == Machine.interrupted.code || diagnostic.code == "runtime/interrupted" ? 130 : 1
    }

    func source(name: String, bytes: [UInt8], firstLine: Int = 1) -> Source? {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            fail(
                Diagnostic(
                    code: "reader/utf8",
                    message: "\(name) is not UTF-8: invalid byte at offset \(UTF8Check.offset(bytes))"))
            return nil
        }
        return Source(name: name, text: text, firstLine: firstLine)
    }

    /// Whether the form only defines: it prints nothing.
    static func isDefinition(_ form: Form) -> Bool {
        isDefinition(form.value)
    }

    private static func isDefinition(_ value: Value) -> Bool {
        guard case .list(let items) = value, case .symbol(let head)? = items.elements.first else { return false }
        switch head.name {
        case "def", "var", "macro": return true
        case "meta", "do": return items.elements.last.map(isDefinition) ?? false
        default: return false
        }
    }
}

/// Where a text stops being UTF-8.
enum UTF8Check {
    static func offset(_ bytes: [UInt8]) -> Int {
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        var offset = 0
        while true {
            switch decoder.decode(&iterator) {
            case .scalarValue(let scalar): offset += UTF8.width(scalar)
            case .emptyInput, .error: return offset
            }
        }
    }
}
