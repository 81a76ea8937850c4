import CEditLine
import Glibc

/// Descriptors 0 and 1, both a terminal, and the pipe that signals write to while a text is edited.
final class Terminal {
    struct Size: Equatable {
        var columns: Int
        var lines: Int
    }

    /// Readable when a signal came. Both ends are the terminal's and close with it.
    let signals: Int32
    private let signalsWriter: Int32
    private static let pasteOn = "\u{1B}[?2004h"
    private static let pasteOff = "\u{1B}[?2004l"

    init?() {
        guard isatty(0) == 1, isatty(1) == 1 else { return nil }
        var ends: [Int32] = [-1, -1]
        guard cel_pipe(&ends) else { return nil }
        signals = ends[0]
        signalsWriter = ends[1]
    }

    deinit {
        close(signals)
        close(signalsWriter)
    }

    var size: Size {
        var size = winsize()
        let isKnown = ioctl(1, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        return isKnown
            ? Size(columns: Int(size.ws_col), lines: max(Int(size.ws_row), 1)) : Size(columns: 80, lines: 24)
    }

    /// Watches signals until `end`. When the terminal is gone already, reading says so.
    func begin() { _ = cel_signals_begin(signalsWriter) }

    /// Gives the terminal back as `begin` found it.
    func end() { cel_signals_end() }

    func setPasteMarks(_ isOn: Bool) { write(isOn ? Self.pasteOn : Self.pasteOff) }

    /// The signals since the last look, one letter each: W(indow), Z (stop), C(ontinue).
    func takeSignals() -> Set<UInt8> {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(signals, &bytes, bytes.count)
        return Set(bytes.prefix(max(count, 0)))
    }

    /// Bytes typed, at least one; nil at the end of input (hang-up included). Empty: none after all.
    func readInput() -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 65536)
        let count = read(0, &bytes, bytes.count)
        if count > 0 { return Array(bytes.prefix(count)) }
        return count < 0 && (errno == EINTR || errno == EAGAIN) ? [] : nil
    }

    /// Writes all of it, waiting when the terminal is slow; gives up when it is gone.
    func write(_ text: String) {
        let bytes = Array(text.utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(1, $0.baseAddress, $0.count) }
            if count > 0 {
                written += count
            } else if errno == EAGAIN {
                // A child that shares the terminal may have made it non-blocking.
                var ready = pollfd(fd: 1, events: Int16(POLLOUT), revents: 0)
                poll(&ready, 1, -1)
            } else if errno != EINTR {
                return
            }
        }
    }
}
