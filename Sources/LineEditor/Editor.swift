import CEditLine

/// One text at a time from a terminal, with the keys of libedit, drawn by `Screen`.
///
/// The terminal is raw only while `readLine` runs. Use one, on one thread; descriptors 0 and 1 are its own meanwhile.
public final class Editor {
    /// How one text ended.
    public enum Outcome: Equatable {
        /// Accepted, without a final newline; possibly blank.
        case text(String)
        /// Ctrl-C: what was typed is dropped, and the cursor is on a fresh row.
        case interrupted
        /// Ctrl-D on an empty text, or the terminal is gone.
        case endOfFile
    }

    /// Why a wait ended.
    public enum Wakening {
        /// Descriptor 0 is readable (or hung up).
        case input
        /// The descriptor given to `wait` is readable, or a signal cut the wait short.
        case signal
        /// Ctrl-C came as SIGINT.
        case interrupted
        /// Text to show above the prompt, safe for a terminal.
        case output(String)
        /// Stop reading as if the input had ended.
        case ended
    }

    /// What the editor asks of its owner. None may call `readLine`.
    public struct Hooks {
        /// Whether Enter accepts the text; otherwise it breaks the line. Not asked about blank text.
        public var isComplete: (String) -> Bool = { _ in true }
        /// For an incomplete text, what is open and where: shown at the second empty Enter.
        public var explainIncomplete: (String) -> String? = { _ in nil }
        /// Completions of the text before a cursor (in scalars): each replaces `start..<cursor`.
        public var complete: (String, Int) -> (start: Int, candidates: [String]) = { ($1, []) }
        /// Blocks until descriptor 0 or the one given is readable, or there is something to tell.
        public var wait: (Int32) -> Wakening = Editor.waitForInput
        public init() {}
    }

    /// Entries that the history keys reach; older ones stay in the file.
    public static let historyLimit = 5000

    let hooks: Hooks
    let terminal: Terminal
    private let history: HistoryFile?
    private var lastEntry: String?
    private(set) var engine: OpaquePointer?
    private var isPlain = false
    private var isVi = false

    // The text being read.
    var screen = Screen()
    var outcome: Outcome?
    var killed: [Unicode.Scalar] = []
    var lastCompletion: EditBuffer?
    private var decoder = ScalarDecoder()
    private var hasEnded = false
    private var isReading = false
    private var prompt = ""
    private var continuation = ""
    private var size = Terminal.Size(columns: 80, lines: 24)

    /// Nil when descriptors 0 and 1 are not both a terminal.
    /// - Parameters:
    ///   - program: the name that lines of `~/.editrc` may be limited to (`meta:bind …`).
    ///   - historyPath: kept across processes; nil keeps the history in memory.
    ///   - isDumb: the terminal cannot move its cursor (`TERM=dumb`): lines are read as the terminal gives them.
    public init?(program: String, historyPath: String?, isDumb: Bool, hooks: Hooks) {
        guard let terminal = Terminal(), cel_use_utf8_locale() else { return nil }
        self.terminal = terminal
        self.hooks = hooks
        history = historyPath.map(HistoryFile.init)
        // Safety: the context is this object, which frees the engine in deinit; libedit calls it inside cel_edit only.
        let calls = CELCalls(
            context: Unmanaged.passUnretained(self).toOpaque(),
            next: { context, scalar in
                guard let next = Editor.owner(context)?.nextScalar() else { return 0 }
                scalar?.pointee = next.value
                return 1
            },
            run: { context, command in Editor.owner(context)?.run(command) ?? CEL_LEAVE }
        )
        if !isDumb { engine = cel_make(program, calls, Int32(Self.historyLimit)) }
        isVi = engine.map(cel_is_vi) ?? false
        isPlain = engine.map { !cel_is_enabled($0) } ?? true
        for entry in history?.load(limit: Self.historyLimit) ?? [] { enter(entry) }
    }

    deinit {
        if let engine { cel_free(engine) }
    }

    /// Reads one text. The cursor must be at the start of a row; it is so again afterwards.
    /// - Parameters:
    ///   - prompt: before the first line, colour sequences allowed.
    ///   - continuation: before the others.
    public func readLine(prompt: String, continuation: String) -> Outcome {
        self.prompt = prompt
        self.continuation = continuation
        guard let engine, !isPlain else { return readPlainly() }
        outcome = nil
        lastCompletion = nil
        size = terminal.size
        isReading = true
        terminal.begin()
        terminal.setPasteMarks(true)
        cel_edit(engine)
        let outcome = self.outcome ?? outcomeOfEngine()
        leave(outcome)
        terminal.setPasteMarks(false)
        terminal.end()
        isReading = false
        if case .text(let text) = outcome { remember(text) }
        return outcome
    }

    /// Prints text; while one types, above the prompt, and what was typed stays. Newlines need no CR.
    public func show(_ text: String) {
        guard !text.isEmpty else { return }
        guard isReading else { return terminal.write(text) }
        let change = screen.print(text, width: Self.width)
        terminal.write(change)
        draw()
    }

    /// The terminal's width now.
    public var terminalColumns: Int { terminal.size.columns }

    /// Adds to the history what `readLine` did not give: it adds what it gives itself.
    public func remember(_ text: String) {
        guard HistoryFile.keeps(text, after: lastEntry) else { return }
        enter(text)
        history?.append(text)
    }

    /// The next scalar typed, after waiting with the screen up to date; nil when reading is to stop.
    func nextScalar() -> Unicode.Scalar? {
        while outcome == nil {
            if let scalar = decoder.next() {
                if scalar == "\u{3}" { return stop(.interrupted) }
                if scalar == "\u{1B}", isVi, let key = Self.privateKey(after: &decoder) { return key }
                // C1 controls are the editor's private keys.
                if 0x80...0x9f ~= scalar.value { continue }
                return scalar
            }
            if hasEnded { return stop(.endOfFile) }
            draw()
            awaitInput()
        }
        return nil
    }

    /// Asks the owner to wait, and does what ended the wait.
    private func awaitInput() {
        switch hooks.wait(terminal.signals) {
        case .input: readInput()
        case .signal: settleSignals()
        case .interrupted:
            // The terminal dropped what it still held, perhaps in the middle of a character that began here.
            decoder = ScalarDecoder()
            outcome = .interrupted
        case .output(let text): show(text)
        case .ended: outcome = .endOfFile
        }
    }

    private func readInput() {
        guard let bytes = terminal.readInput() else {
            hasEnded = true
            return
        }
        decoder.append(bytes)
    }

    private func stop(_ outcome: Outcome) -> Unicode.Scalar? {
        self.outcome = outcome
        return nil
    }

    /// Brings the screen to what is typed.
    func draw() {
        guard isReading, let engine else { return }
        let now = terminal.size
        if now != size {
            size = now
            terminal.write(screen.resize(columns: now.columns))
        }
        let buffer = Self.buffer(engine)
        terminal.write(screen.update(layout(buffer), lines: size.lines, columns: size.columns))
    }

    var columns: Int { size.columns }
    var lines: Int { size.lines }

    private func layout(_ buffer: EditBuffer) -> Layout {
        Layout(
            prompt: prompt, continuation: continuation, scalars: buffer.scalars, cursor: buffer.cursor,
            columns: size.columns, width: Self.width
        )
    }

    /// Leaves the text on the screen and the cursor below it.
    private func leave(_ outcome: Outcome) {
        guard let engine else { return }
        var buffer = Self.buffer(engine)
        if buffer.scalars.last == "\n" { buffer.remove(buffer.scalars.count - 1..<buffer.scalars.count) }
        buffer.move(to: buffer.scalars.count)
        let ending = outcome == .interrupted ? "^C" : ""
        let change = screen.finish(layout(buffer), lines: size.lines, columns: size.columns, ending: ending)
        terminal.write(change)
    }

    /// When a command of libedit's own (bound by ~/.editrc) ended the reading.
    private func outcomeOfEngine() -> Outcome {
        guard let engine else { return .endOfFile }
        let text = Self.buffer(engine).text
        return text.isEmpty ? .endOfFile : .text(text.last == "\n" ? String(text.dropLast()) : text)
    }

    private func settleSignals() {
        guard let engine else { return }
        let letters = terminal.takeSignals()
        guard letters.contains(UInt8(ascii: "Z")) || letters.contains(UInt8(ascii: "C")) else { return }
        if letters.contains(UInt8(ascii: "Z")) {
            terminal.write(screen.finish(layout(Self.buffer(engine)), lines: lines, columns: columns, ending: ""))
            terminal.setPasteMarks(false)
            cel_set_raw(engine, false)
            cel_stop()
        } else {
            // Continued after a stop that could not be caught: the shell has changed the terminal's modes.
            cel_set_raw(engine, false)
        }
        cel_set_raw(engine, true)
        terminal.setPasteMarks(true)
        screen.forget()
    }

    private func enter(_ entry: String) {
        lastEntry = entry
        guard let engine else { return }
        cel_remember(engine, entry.unicodeScalars.map(\.value) + [0])
    }

    /// Lines as the terminal gives them, until they make a complete text.
    private func readPlainly() -> Outcome {
        outcome = nil
        var text = ""
        terminal.write(prompt)
        while outcome == nil {
            guard let line = nextPlainLine() else { break }
            text += (text.isEmpty ? "" : "\n") + line
            if text.allSatisfy(\.isWhitespace) || hooks.isComplete(text) {
                remember(text)
                return .text(text)
            }
            terminal.write(continuation)
        }
        terminal.write("\n")
        return outcome ?? .endOfFile
    }

    private func nextPlainLine() -> String? {
        var line = String.UnicodeScalarView()
        while outcome == nil {
            guard let scalar = decoder.next() else {
                if hasEnded { return line.isEmpty ? nil : String(line) }
                awaitInput()
                continue
            }
            if scalar == "\n" { return String(line) }
            line.append(scalar)
        }
        return nil
    }

    static func width(_ scalar: Unicode.Scalar) -> Int { Int(cel_width(scalar.value)) }

    static func buffer(_ engine: OpaquePointer) -> EditBuffer {
        var length = 0
        var cursor = 0
        let scalars = UnsafeBufferPointer(start: cel_text(engine, &length, &cursor), count: length)
        return EditBuffer(scalars.map { Unicode.Scalar($0) ?? "\u{FFFD}" }, cursor: cursor)
    }

    private static func owner(_ context: UnsafeMutableRawPointer?) -> Editor? {
        context.map { Unmanaged<Editor>.fromOpaque($0).takeUnretainedValue() }
    }
}
