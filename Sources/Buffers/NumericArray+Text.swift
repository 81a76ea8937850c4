import Language

extension NumericArray {
    /// The items as nested vectors for the screen, at most about `limit` of them: the first and last three of an axis stand
    /// for all with `…` between when there are more.
    public func text(limit: Int = 100) -> String {
        var text = ""
        write(layout, limit: limit, to: &text)
        return text
    }

    private func write(_ layout: ArrayLayout, limit: Int, to text: inout String) {
        guard let extent = layout.shape.first else {
            if let item = try? item(at: layout.offset) { text += Printer.text(item) }
            return
        }
        text += "["
        let isCut = count > limit && extent > 6
        var isFirst = true
        for index in 0..<extent where !isCut || index < 3 || index >= extent - 3 {
            if !isFirst { text += " " }
            isFirst = false
            if isCut, index == extent - 3 { text += "… " }
            if let part = try? layout.selecting([.index(index)]) { write(part, limit: limit, to: &text) }
        }
        text += "]"
    }
}
