import Glibc
import Wire

/// Writes every frame as a line to the file that `META_TRACE` names: seconds since the start, session and generation,
/// direction, header, body. It holds what the user's values hold, so nobody else may read it.
final class FrameTrace {
    enum Direction: String {
        case toKernel = ">"
        case fromKernel = "<"
        /// The kernel's own requests.
        case upcall = "^"
        /// To the thread that waits for an answer.
        case toCaller = "v"
    }

    private let file: Descriptor
    private let start = ContinuousClock.now

    /// nil when no trace is wanted, or the file cannot be written.
    init?(_ environment: Environment) {
        guard let path = environment["META_TRACE"] else { return nil }
        file = Descriptor(owning: open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600))
        guard file.number >= 0, fchmod(file.number, 0o600) == 0 else { return nil }
    }

    func note(_ direction: Direction, _ child: Child, header: [UInt8], body: [UInt8]) {
        let elapsed = (ContinuousClock.now - start) / .microseconds(1)
        let seconds = "\(Int(elapsed) / 1_000_000).\(String(Int(elapsed) % 1_000_000 + 1_000_000).dropFirst())"
        var line = Array("\(seconds) \(child.session)#\(child.generation) \(direction.rawValue) ".utf8)
        Self.append(header, to: &line)
        if !body.isEmpty { line.append(32) }
        Self.append(body, to: &line)
        line.append(10)
        // One write, so that lines of several metas do not mix.
        _ = line.withUnsafeBytes { write(file.number, $0.baseAddress, $0.count) }
    }

    /// Control characters as JSON escapes them, so that a frame stays on its line.
    private static func append(_ bytes: [UInt8], to line: inout [UInt8]) {
        for byte in bytes {
            if byte >= 32, byte != 127 {
                line.append(byte)
            } else {
                line += byte == 10 ? Array("\\n".utf8) : Array("\\u00".utf8) + hexadecimal(byte)
            }
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
}
