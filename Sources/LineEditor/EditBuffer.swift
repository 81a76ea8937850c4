/// A text and a cursor in it, in Unicode scalars, with the edits that keys ask for. Lines end at newlines.
///
/// The cursor moves over characters (a letter with its combining marks, an emoji of several scalars) as wholes.
struct EditBuffer: Equatable {
    private(set) var scalars: [Unicode.Scalar]
    private(set) var cursor: Int

    init(_ scalars: [Unicode.Scalar], cursor: Int) {
        self.scalars = scalars
        self.cursor = min(max(cursor, 0), scalars.count)
    }

    var text: String { Self.string(scalars[...]) }
    var isEmpty: Bool { scalars.isEmpty }

    /// Where the cursor's line starts and ends (its newline is not in it).
    var line: Range<Int> {
        let start = (scalars[..<cursor].lastIndex(of: "\n") ?? -1) + 1
        return start..<(scalars[cursor...].firstIndex(of: "\n") ?? scalars.count)
    }

    mutating func insert(_ more: some Collection<Unicode.Scalar>) {
        scalars.insert(contentsOf: more, at: cursor)
        cursor += more.count
    }

    /// Removes `range`, leaves the cursor there, and gives what was removed.
    @discardableResult
    mutating func remove(_ range: Range<Int>) -> [Unicode.Scalar] {
        let removed = Array(scalars[range])
        scalars.removeSubrange(range)
        cursor = range.lowerBound
        return removed
    }

    mutating func move(to position: Int) { cursor = min(max(position, 0), scalars.count) }

    /// The start of the character before the cursor.
    var previous: Int {
        guard cursor > 0 else { return 0 }
        let start = line.lowerBound
        guard cursor > start else { return cursor - 1 }
        return cursor - (Self.string(scalars[start..<cursor]).last?.unicodeScalars.count ?? 1)
    }

    /// The end of the character under the cursor.
    var next: Int {
        guard cursor < scalars.count else { return cursor }
        let end = line.upperBound
        guard cursor < end else { return cursor + 1 }
        return cursor + (Self.string(scalars[cursor..<end]).first?.unicodeScalars.count ?? 1)
    }

    /// Up a line, at the same place in it or at its end. False on the first line.
    mutating func moveUp() -> Bool {
        let here = line
        guard here.lowerBound > 0 else { return false }
        let place = cursor - here.lowerBound
        cursor = here.lowerBound - 1
        cursor = min(line.lowerBound + place, line.upperBound)
        return true
    }

    /// Down a line, at the same place in it or at its end. False on the last line.
    mutating func moveDown() -> Bool {
        let here = line
        guard here.upperBound < scalars.count else { return false }
        let place = cursor - here.lowerBound
        cursor = here.upperBound + 1
        cursor = min(line.lowerBound + place, line.upperBound)
        return true
    }

    /// From the start of the word before the cursor up to it. A word ends at white space only, as in a shell.
    var wordBefore: Range<Int> {
        var start = cursor
        while start > 0, scalars[start - 1].properties.isWhitespace { start -= 1 }
        while start > 0, !scalars[start - 1].properties.isWhitespace { start -= 1 }
        return start..<cursor
    }

    /// From the cursor to the end of the word after it. A word is letters and digits, as for Alt-F.
    var wordAfter: Range<Int> {
        var end = cursor
        while end < scalars.count, !Self.isWordPart(scalars[end]) { end += 1 }
        while end < scalars.count, Self.isWordPart(scalars[end]) { end += 1 }
        return cursor..<end
    }

    private static func isWordPart(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isAlphabetic || scalar.properties.numericType != nil || scalar == "_"
    }

    private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        String(String.UnicodeScalarView(scalars))
    }
}
