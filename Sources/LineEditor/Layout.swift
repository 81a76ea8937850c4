/// A text broken into screen rows, with the cursor's place among them.
struct Layout {
    struct Row: Equatable {
        var text = ""
        /// In columns.
        var width = 0
    }

    private(set) var rows = [Row()]
    private(set) var cursorRow = 0
    private(set) var cursorColumn = 0
    private let columns: Int
    private let width: (Unicode.Scalar) -> Int

    /// - Parameters:
    ///   - prompt: shown before the first line; its colour sequences (`ESC [ … letter`) take no columns.
    ///   - continuation: shown before every other line.
    ///   - cursor: in scalars of the text.
    ///   - width: columns of a scalar: 0, 1, 2, or -1 for none.
    init(
        prompt: String, continuation: String, scalars: some Collection<Unicode.Scalar>, cursor: Int, columns: Int,
        width: @escaping (Unicode.Scalar) -> Int
    ) {
        self.columns = max(columns, 2)
        self.width = width
        appendStyled(prompt)
        var index = 0
        for scalar in scalars {
            if scalar == "\n" {
                if index == cursor { placeCursor() }
                rows.append(Row())
                appendStyled(continuation)
            } else {
                append(Self.glyph(scalar, width: width, column: row.width), isCursor: index == cursor)
            }
            index += 1
        }
        guard cursor >= index else { return }
        if row.width >= self.columns { rows.append(Row()) }
        placeCursor()
    }

    /// Rows that a text with colour sequences takes.
    static func rows(of styled: String, columns: Int, width: @escaping (Unicode.Scalar) -> Int) -> Int {
        Layout(
            prompt: styled, continuation: "", scalars: [Unicode.Scalar](), cursor: -1, columns: columns, width: width
        ).rows.count
    }

    private var row: Row {
        get { rows[rows.count - 1] }
        set { rows[rows.count - 1] = newValue }
    }

    private mutating func placeCursor() {
        cursorRow = rows.count - 1
        cursorColumn = min(row.width, columns - 1)
    }

    private mutating func append(_ glyph: Row, isCursor: Bool) {
        if row.width + glyph.width > columns { rows.append(Row()) }
        if isCursor { placeCursor() }
        row.text += glyph.text
        row.width += glyph.width
    }

    private mutating func appendStyled(_ text: String) {
        var isEscape = false
        for scalar in text.unicodeScalars {
            if scalar == "\u{1B}" { isEscape = true }
            if isEscape {
                row.text.unicodeScalars.append(scalar)
                isEscape = !("@"..."~" ~= scalar) || scalar == "["
            } else {
                append(Self.glyph(scalar, width: width, column: row.width), isCursor: false)
            }
        }
    }

    /// How a scalar is shown: itself, spaces for a tab, `^X` for a control, U+FFFD for what has no glyph.
    private static func glyph(_ scalar: Unicode.Scalar, width: (Unicode.Scalar) -> Int, column: Int) -> Row {
        if scalar == "\t" {
            let count = 8 - column % 8
            return Row(text: String(repeating: " ", count: count), width: count)
        }
        if scalar.value < 0x20 || scalar.value == 0x7f {
            let letter = Unicode.Scalar(UInt8(scalar.value ^ 0x40))
            return Row(text: "^\(letter)", width: 2)
        }
        let columns = width(scalar)
        return columns < 0 ? Row(text: "\u{FFFD}", width: 1) : Row(text: String(scalar), width: columns)
    }
}
