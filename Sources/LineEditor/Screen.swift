/// What the editor has on the terminal, and the bytes that change it into what it should have.
///
/// Pure: every verb returns text to write, in few sequences every terminal knows (`CSI A C J K`, CR, LF). Rows are
/// broken by the editor, never by the terminal. A text taller than the screen shows the rows around the cursor.
struct Screen {
    private var shown: [Layout.Row] = []
    private var cursorRow = 0
    private var cursorColumn = 0
    private var top = 0
    private var columns = 80
    /// Rows above `shown` that belong to output without a final newline, which more output may continue.
    private var tail = ""

    /// Shows `layout` in a terminal of `lines` rows.
    mutating func update(_ layout: Layout, lines: Int, columns: Int) -> String {
        self.columns = columns
        let rows = window(layout, lines: max(lines, 1))
        var out = ""
        if let first = firstDifference(rows) {
            out += goTo(row: min(first, max(shown.count - 1, 0)))
            if first == shown.count, first > 0 { out += "\r\n" }
            let isShrinking = rows.count < shown.count
            if isShrinking { out += "\r\u{1B}[J" }
            for index in first..<rows.count {
                if index > first {
                    out += "\r\n"
                    cursorColumn = 0
                }
                let isStale = isShrinking || index >= shown.count || rows[index] != shown[index]
                if isStale {
                    out += write(rows[index], over: isShrinking || index >= shown.count ? nil : shown[index])
                }
                // After a full row the terminal waits at the edge; only CR leads from there.
                cursorColumn = isStale && rows[index].width < columns ? rows[index].width : -1
            }
            shown = rows
            cursorRow = max(rows.count - 1, 0)
        }
        return out + goTo(row: layout.cursorRow - top) + goTo(column: layout.cursorColumn)
    }

    /// Takes everything away and leaves the cursor where the first row began.
    mutating func erase() -> String {
        defer { forget() }
        return shown.isEmpty ? "\r\u{1B}[J" : goTo(row: 0) + "\r\u{1B}[J"
    }

    /// Leaves the whole text on the screen with `ending` after it, and the cursor on a fresh row.
    mutating func finish(_ layout: Layout, lines: Int, columns: Int, ending: String) -> String {
        var out = ""
        if layout.rows.count > lines || top > 0 {
            out = erase() + layout.rows.map(\.text).joined(separator: "\r\n")
        } else {
            out = update(layout, lines: lines, columns: columns)
            out += goTo(row: shown.count - 1)
            if let last = shown.last, last.width < columns { out += goTo(column: last.width) }
        }
        forget()
        tail = ""
        // A text that ends at the edge has its cursor on a fresh row already.
        let isFresh = layout.rows.count > 1 && layout.rows.last?.text.isEmpty == true
        return isFresh && ending.isEmpty ? out : out + ending + "\r\n"
    }

    /// Prints `text` above what is shown, which must be updated afterwards. Without a final newline, the next `text`
    /// goes on in the same row.
    mutating func print(_ text: String, width: @escaping (Unicode.Scalar) -> Int) -> String {
        var out = erase()
        if !tail.isEmpty {
            let rows = Layout.rows(of: tail, columns: columns, width: width)
            out += "\u{1B}[\(rows)A\r\u{1B}[J"
        }
        let whole = tail + text
        out += whole.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")
        tail = String(whole.split(separator: "\n", omittingEmptySubsequences: false).last ?? "")
        // A tail that fills the screen cannot be reached again: it stays as it is.
        if !tail.isEmpty { out += "\r\n" }
        if tail.utf8.count > 4 * columns { tail = "" }
        return out
    }

    /// The terminal's width changed: takes everything away, wherever the terminal has moved it.
    /// Terminals fold a row that no longer fits; xterm cuts it, and loses a row or two above the prompt here.
    mutating func resize(columns: Int) -> String {
        let folded = shown.prefix(cursorRow).reduce(0) { $0 + max(1, ($1.width + columns - 1) / columns) }
        let up = folded + max(cursorColumn, 0) / columns
        forget()
        self.columns = columns
        return (up > 0 ? "\u{1B}[\(up)A" : "") + "\r\u{1B}[J"
    }

    /// Empties the terminal.
    mutating func clear() -> String {
        forget()
        tail = ""
        return "\u{1B}[H\u{1B}[2J"
    }

    /// The terminal no longer shows anything of ours.
    mutating func forget() {
        shown = []
        cursorRow = 0
        cursorColumn = 0
        top = 0
    }

    /// The rows of the layout that fit, the cursor's among them.
    private mutating func window(_ layout: Layout, lines: Int) -> [Layout.Row] {
        guard layout.rows.count > lines else {
            top = 0
            return layout.rows
        }
        top = min(top, layout.rows.count - lines)
        top = max(min(top, layout.cursorRow), layout.cursorRow - lines + 1)
        return Array(layout.rows[top..<top + lines])
    }

    private func firstDifference(_ rows: [Layout.Row]) -> Int? {
        let same = zip(rows, shown).prefix { $0 == $1 }.count
        return same == rows.count && same == shown.count ? nil : min(same, max(rows.count - 1, 0))
    }

    /// The bytes that make the row under the cursor into `row`; `old` is what it shows, nil when it is empty.
    private func write(_ row: Layout.Row, over old: Layout.Row?) -> String {
        guard let old else { return "\r" + row.text }
        let kept = old.text.unicodeScalars
        if cursorColumn == old.width, row.text.unicodeScalars.starts(with: kept) {
            return String(row.text.unicodeScalars.dropFirst(kept.count))
        }
        // Clearing after a full row would take its last column away, so it comes first.
        return row.width < columns ? "\r" + row.text + "\u{1B}[K" : "\r\u{1B}[K" + row.text
    }

    private mutating func goTo(row: Int) -> String {
        defer { cursorRow = row }
        if row < cursorRow { return "\u{1B}[\(cursorRow - row)A" }
        return row > cursorRow ? "\u{1B}[\(row - cursorRow)B" : ""
    }

    private mutating func goTo(column: Int) -> String {
        guard column != cursorColumn else { return "" }
        cursorColumn = column
        return column == 0 ? "\r" : "\r\u{1B}[\(column)C"
    }
}
