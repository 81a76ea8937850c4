import Testing

@testable import LineEditor

struct EditBufferTests {
    private func buffer(_ text: String) -> EditBuffer {
        let scalars = Array(text.unicodeScalars)
        let cursor = scalars.firstIndex(of: "|") ?? scalars.count
        return EditBuffer(scalars.filter { $0 != "|" }, cursor: cursor)
    }

    @Test func movesOverWholeCharacters() {
        var text = buffer("xe\u{301}|y")
        #expect(text.previous == 1)
        text.move(to: 1)
        #expect(text.next == 3)
        #expect(buffer("a👩‍👩‍👧|").previous == 1)
    }

    @Test func movesOverNewlinesOneAtATime() {
        #expect(buffer("a\n\n|b").previous == 2)
        #expect(buffer("a|\n\nb").next == 2)
        #expect(buffer("|").previous == 0)
        #expect(buffer("a|").next == 1)
    }

    @Test func linesKeepThePlaceOrTakeTheEnd() {
        var text = buffer("long line\nab\nlonger l|ine")
        let moved = [text.moveUp()]
        #expect(text == buffer("long line\nab|\nlonger line"))
        let movedOn = [text.moveUp(), text.moveUp()]
        #expect(text == buffer("lo|ng line\nab\nlonger line"))
        #expect(moved + movedOn == [true, true, false])
        let movedDown = text.moveDown()
        #expect(movedDown)
        #expect(text == buffer("long line\nab|\nlonger line"))
    }

    @Test func words() {
        #expect(buffer("(f a-b  |c").wordBefore == 3..<8)
        #expect(buffer("|(foo bar)").wordAfter == 0..<4)
    }

    @Test func removingLeavesTheCursorThere() {
        var text = buffer("ab|cd")
        let removed = text.remove(1..<3)
        #expect(removed == ["b", "c"])
        #expect(text == buffer("a|d"))
    }

    @Test func pastesLoseControlsOnly() {
        let pasted = Array("a\r\nb\rc\td\u{1B}[1m\u{7F}\u{9B}é".unicodeScalars)
        #expect(Editor.harmless(pasted) == Array("a\nb\nc\td[1mé".unicodeScalars))
    }
}
