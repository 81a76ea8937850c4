extension Diagnostic {
    /// The screen form: code and message, place, the line with a caret, frames, help, causes.
    ///
    /// Control characters that came with the data are shown escaped, so that nothing in it moves the cursor.
    public var report: String {
        var lines = [headline]
        if let source, let span { lines += Self.excerpt(source, span) }
        lines += Self.lines(of: frames)
        if let help { lines.append("  help: " + help) }
        if case .error(let cause) = cause { lines += ["caused by:", cause.report] }
        return lines.map(Printer.sanitized).joined(separator: "\n")
    }

    private var headline: String {
        let kind = type.isEmpty ? "" : " \(session) \(type)"
        return "error[\(code)]\(kind): \(message)"
    }

    private static func excerpt(_ source: Source, _ span: Span) -> [String] {
        let place = source.place(of: span.lower)
        let (text, column) = window(place)
        let width = max(
            1, min(source.text(of: span).prefix { !$0.isNewline }.count, text.unicodeScalars.count - column + 1))
        let gutter = String(place.line)
        let blank = String(repeating: " ", count: gutter.count)
        return [
            "\(blank)--> \(source.name):\(place.line):\(place.column)",
            "\(gutter) | \(text)",
            "\(blank) | \(String(repeating: " ", count: max(0, column - 1)))\(String(repeating: "^", count: width))",
        ]
    }

    /// The part of a long line that a screen can show, and the column in that part. Tabs become single spaces.
    private static func window(_ place: Place) -> (text: String, column: Int) {
        let scalars = Array(place.text.unicodeScalars.map { $0 == "\t" ? " " : $0 })
        let start = place.column > 100 ? place.column - 60 : 0
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars.dropFirst(start).prefix(110))
        return (String(text), place.column - start)
    }

    /// The trace, the same step many times over once.
    private static func lines(of frames: [Frame]) -> [String] {
        var lines: [String] = []
        var repeats = 0
        for (index, frame) in frames.enumerated() {
            guard index > 0, frames[index - 1] == frame else {
                if repeats > 0 { lines.append("     … \(repeats) more of these") }
                repeats = 0
                lines += Self.lines(of: frame)
                continue
            }
            repeats += 1
            if index < frames.count - 1 { continue }
            lines.append("     … \(repeats) more of these")
        }
        return lines
    }

    private static func lines(of frame: Frame) -> [String] {
        let place = "  at \(frame.function.isEmpty ? "" : "\(frame.function) ")(\(frame.source):\(frame.line))"
        return frame.text.isEmpty ? [place] : [place, "     " + frame.text]
    }
}
