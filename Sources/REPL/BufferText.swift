import Buffers
import Language
import Wire

/// How a result that is an array is written: what it is, and its items as far as they fit.
extension Router {
    private static let shownItems = 1_000

    func text(_ buffer: BufferObject) -> String {
        switch buffer.contents {
        case .live:
            guard let handle = buffer.handle, handles.has(handle.lease) else { return buffer.form + "  ; stale" }
            return Self.framed(buffer.form, current(of: handle))
        case .released: return buffer.form + "  ; released"
        case .segment, .memory:
            do throws(Failure) {
                return Self.framed(buffer.form, try buffer.keptArray().text(limit: Self.shownItems))
            } catch {
                return buffer.form + "  ; " + error.message
            }
        }
    }

    /// The owner's own text of the array.
    private func current(of handle: Handle) -> String {
        guard case .object(let report)? = answer(Request(.inspect), of: handle), let text = report["repr"]?.nameText
        else { return handle.record.repr }
        return text
    }

    /// `<py float64 [3] …>`, a text of several lines under the head.
    private static func framed(_ form: String, _ text: String) -> String {
        let lines = Printer.sanitized(text.replacing("\\n", with: "\n")).split(separator: "\n")
        return form.dropLast() + (lines.count > 1 ? "\n" : " ") + lines.joined(separator: "\n") + ">"
    }
}
