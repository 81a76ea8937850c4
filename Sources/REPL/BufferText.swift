import Buffers
import Language

/// How a result that is an array is written: what it is, and its items as far as they fit.
extension Router {
    private static let shownItems = 1_000

    func text(_ buffer: BufferObject) -> String {
        switch buffer.contents {
        case .live:
            guard let handle = buffer.handle, handles.has(handle.lease) else { return buffer.form + "  ; stale" }
            return Self.framed(buffer.form, currentLines(handle) ?? [handle.record.repr])
        case .released: return buffer.form + "  ; released"
        case .segment, .memory:
            do throws(Failure) {
                let text = try buffer.keptArray().text(limit: Self.shownItems)
                return Self.framed(buffer.form, text.split(separator: "\n").map(String.init))
            } catch {
                return buffer.form + "  ; " + error.message
            }
        }
    }

    /// `<py float64 [3] …>`, a text of several lines under the head.
    private static func framed(_ form: String, _ lines: [String]) -> String {
        form.dropLast() + (lines.count > 1 ? "\n" : " ") + lines.joined(separator: "\n") + ">"
    }
}
