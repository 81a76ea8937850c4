import Testing

@testable import LineEditor

struct ScreenTests {
    private func layout(_ text: String, cursor: Int? = nil, columns: Int = 10) -> Layout {
        Layout(
            prompt: "\u{1B}[1m> \u{1B}[0m", continuation: "..", scalars: text.unicodeScalars,
            cursor: cursor ?? text.unicodeScalars.count, columns: columns
        ) { $0.value >= 0x3000 ? 2 : $0.value == 0x301 ? 0 : 1 }
    }

    @Test func coloursTakeNoColumns() {
        let row = layout("ab").rows[0]
        #expect(row.width == 4)
        #expect(row.text == "\u{1B}[1m> \u{1B}[0mab")
    }

    @Test func linesContinueAndLongOnesWrap() {
        let text = layout("a\nb", cursor: 2)
        #expect(text.rows.map(\.width) == [3, 3])
        #expect((text.cursorRow, text.cursorColumn) == (1, 2))
        let full = layout("12345678")
        #expect(full.rows.map(\.width) == [10, 0])
        #expect((full.cursorRow, full.cursorColumn) == (1, 0))
    }

    @Test func aWideCharacterMovesToTheNextRowWhole() {
        let text = layout("1234567漢x", cursor: 7)
        #expect(text.rows.map(\.width) == [9, 3])
        #expect((text.cursorRow, text.cursorColumn) == (1, 0))
    }

    @Test func aCombiningMarkStaysWithItsLetter() {
        #expect(layout("1234567e\u{301}").rows[0].text.hasSuffix("e\u{301}"))
    }

    @Test func typingAtTheEndWritesWhatIsTyped() {
        var screen = Screen()
        _ = screen.update(layout("a"), lines: 5, columns: 10)
        let typed = screen.update(layout("ab"), lines: 5, columns: 10)
        let nothing = screen.update(layout("ab"), lines: 5, columns: 10)
        let moved = screen.update(layout("ab", cursor: 0), lines: 5, columns: 10)
        #expect([typed, nothing, moved] == ["b", "", "\r\u{1B}[2C"])
    }

    @Test func outputWithoutANewlineIsContinued() {
        var screen = Screen()
        _ = screen.update(layout("a"), lines: 5, columns: 10)
        let first = screen.print("one", width: { _ in 1 })
        #expect(first == "\r\u{1B}[Jone\r\n")
        _ = screen.update(layout("a"), lines: 5, columns: 10)
        let second = screen.print(" two\n", width: { _ in 1 })
        #expect(second == "\r\u{1B}[J\u{1B}[1A\r\u{1B}[Jone two\r\n")
    }

    @Test func candidatesShareAPrefixAndFillColumnsDownwards() {
        let candidates = Candidates(all: ["aé1", "aé2", "aé3"])
        #expect(candidates.commonPrefix == "aé")
        #expect(candidates.listed(columns: 10, limit: 9, width: { _ in 1 }) == "aé1  aé3\naé2\n")
        #expect(candidates.listed(columns: 10, limit: 1, width: { _ in 1 }) == "aé1  aé3\n… and 1 more\n")
    }
}
