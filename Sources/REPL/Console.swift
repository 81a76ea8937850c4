import CSystem
import Glibc

/// Where text goes: the two output descriptors, written at once and whole.
public final class Console {
    /// Shown above the prompt while one types, instead of being written where the cursor is.
    var interceptor: ((String) -> Void)?
    /// Whether what programs print goes to standard error, so that standard output holds results only.
    let printsToStandardError: Bool
    /// Whether the programs come from a command line, where quotes are easily lost.
    public var hintsAtQuotes = false
    /// Whether the reader of what is written is gone.
    private(set) var isClosed = false
    /// Why results could not be written, where it is not that.
    private(set) var writeError: String?

    public init(printsToStandardError: Bool) {
        self.printsToStandardError = printsToStandardError
    }

    /// Call first: makes sure that the three standard descriptors are taken.
    public static func prepare() {
        meta_fill_standard_descriptors()
    }

    public static var inputIsTerminal: Bool { isatty(STDIN_FILENO) == 1 }
    public static var outputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Writes a line of the command line's own: its help, or what is wrong with it.
    public static func say(_ text: String, isError: Bool) {
        let console = Console(printsToStandardError: false)
        if isError { console.message(text) } else { console.result(text) }
    }

    /// At the prompt results and messages begin on a line of their own, whatever a program printed before.
    var isInteractive = false
    /// Whether the last byte written left the cursor behind text.
    private var isMidLine = false

    /// Begins a new line unless the cursor is at the start of one.
    func freshLine() {
        settle()
        if isMidLine, interceptor == nil { put([0x0A], on: STDOUT_FILENO) }
    }

    /// The terminal has shown a ^C.
    func noteEcho() {
        if isInteractive { isMidLine = true }
    }

    /// Someone else types on the terminal; who ends a line there begins the next.
    func noteLoan() {
        isMidLine = false
    }

    /// The first bytes of a character whose rest has not come.
    private var cut: [UInt8] = []

    /// What programs print, by descriptor; a terminal is one for both.
    private var outputs = OutputLines()
    private var errors = OutputLines()

    /// When something is to be written that waits for the end of a line.
    var due: ContinuousClock.Instant? { [outputs.due, errors.due].compactMap { $0 }.min() }

    /// A result, on standard output.
    func result(_ text: String) {
        settle()
        if isInteractive { freshLine() }
        put(Array((text + "\n").utf8), on: STDOUT_FILENO)
    }

    /// A message about the program, on standard error.
    func message(_ text: String) {
        // Nobody is left to read it.
        if isClosed { return }
        settle()
        if isInteractive { freshLine() }
        put(Array((text + "\n").utf8), on: STDERR_FILENO)
    }

    /// What a program prints: meta's own, or that of a session.
    func program(_ bytes: [UInt8], isError: Bool = false, by writer: String = "meta") {
        let isError = isError || printsToStandardError
        let piece = OutputLines.Piece(writer: writer, bytes: bytes, isError: isError)
        if isError, !isInteractive { write(errors.take(piece)) } else { write(outputs.take(piece)) }
    }

    /// A program prints nothing more for a while: who waits for the end of its line goes on.
    func end(_ writer: String) {
        write(outputs.end(writer))
        write(errors.end(writer))
    }

    /// Writes what waits for the end of a line.
    func settle() {
        write(outputs.release())
        write(errors.release())
    }

    private func write(_ pieces: [OutputLines.Piece]) {
        for piece in pieces { put(piece.bytes, on: piece.isError ? STDERR_FILENO : STDOUT_FILENO) }
    }

    private func put(_ bytes: [UInt8], on descriptor: Int32) {
        if let interceptor { return interceptor(wholeText(bytes)) }
        if let last = bytes.last { isMidLine = last != 0x0A }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if meta_errno() == EAGAIN {
                var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&waiting, 1, -1)
            } else if meta_errno() != EINTR {
                return noteFailure(meta_errno(), on: descriptor)
            }
        }
    }

    /// Standard error may be closed from the start; a reader that has left, and results that are lost, end the program.
    private func noteFailure(_ error: Int32, on descriptor: Int32) {
        if error == EPIPE {
            isClosed = true
        } else if descriptor == STDOUT_FILENO, writeError == nil {
            writeError = Files.text(of: error)
        }
    }

    /// The text of bytes that may begin and end inside a character: its first part waits for the rest.
    private func wholeText(_ bytes: [UInt8]) -> String {
        let all = cut + bytes
        let tail = all.suffix(3).reversed().prefix { $0 & 0xC0 == 0x80 }.count
        let lead = all.dropLast(tail).last ?? 0
        let length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1
        let isCut = length > tail + 1
        cut = isCut ? Array(all.suffix(tail + 1)) : []
        return String(decoding: all.dropLast(cut.count), as: UTF8.self)
    }
}
