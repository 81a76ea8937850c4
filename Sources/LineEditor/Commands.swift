import CEditLine

/// What each of the editor's own keys does to the text.
extension Editor {
    func run(_ command: CELCommand) -> CELVerdict {
        guard let engine else { return CEL_LEAVE }
        let before = Self.buffer(engine)
        var buffer = before
        let verdict = apply(command, to: &buffer)
        if buffer != before {
            let values = buffer.scalars.map(\.value)
            cel_replace(engine, values, values.count, buffer.cursor)
        }
        return verdict
    }

    private func apply(_ command: CELCommand, to buffer: inout EditBuffer) -> CELVerdict {
        switch command {
        case CEL_ENTER: return enter(&buffer)
        case CEL_NEWLINE: buffer.insert(["\n"])
        case CEL_UP: return buffer.moveUp() ? CEL_GO_ON : CEL_OLDER
        case CEL_DOWN: return buffer.moveDown() ? CEL_GO_ON : CEL_NEWER
        case CEL_LEFT: buffer.move(to: buffer.previous)
        case CEL_RIGHT: buffer.move(to: buffer.next)
        case CEL_LINE_START: buffer.move(to: buffer.line.lowerBound)
        case CEL_LINE_END: buffer.move(to: buffer.line.upperBound)
        case CEL_BACKSPACE: buffer.remove(buffer.previous..<buffer.cursor)
        case CEL_DELETE: deleteNext(&buffer)
        case CEL_DELETE_OR_END:
            guard !buffer.isEmpty else {
                outcome = .endOfFile
                return CEL_LEAVE
            }
            deleteNext(&buffer)
        case CEL_KILL_LINE: killLine(&buffer)
        case CEL_KILL_LINE_BACK: kill(buffer.line.lowerBound..<buffer.cursor, of: &buffer)
        case CEL_KILL_WORD: kill(buffer.wordAfter, of: &buffer)
        case CEL_KILL_WORD_BACK: kill(buffer.wordBefore, of: &buffer)
        case CEL_YANK: buffer.insert(killed)
        case CEL_COMPLETE: complete(&buffer)
        case CEL_PASTE: paste(&buffer)
        case CEL_CLEAR: terminal.write(screen.clear())
        default: break
        }
        return CEL_GO_ON
    }

    /// Accepts a complete text; breaks the line of another, and at the second empty line says what is open.
    private func enter(_ buffer: inout EditBuffer) -> CELVerdict {
        let text = buffer.text
        if buffer.scalars.allSatisfy(\.properties.isWhitespace) || hooks.isComplete(text) {
            outcome = .text(text)
            return CEL_SUBMIT
        }
        let isAtEnd = buffer.cursor == buffer.scalars.count
        if isAtEnd, buffer.endsWithBlankLines(2), let message = hooks.explainIncomplete(text) {
            show(message.hasSuffix("\n") ? message : message + "\n")
        } else {
            buffer.insert(["\n"])
        }
        return CEL_GO_ON
    }

    private func deleteNext(_ buffer: inout EditBuffer) {
        buffer.remove(buffer.cursor..<buffer.next)
    }

    /// To the line's end; at the end, the newline itself.
    private func killLine(_ buffer: inout EditBuffer) {
        let end = buffer.line.upperBound
        kill(buffer.cursor..<(buffer.cursor == end ? buffer.next : end), of: &buffer)
    }

    private func kill(_ range: Range<Int>, of buffer: inout EditBuffer) {
        guard !range.isEmpty else { return }
        killed = buffer.remove(range)
    }

    /// Inserts what candidates share; a second Tab at the same place lists them. At a line's start, indents.
    private func complete(_ buffer: inout EditBuffer) {
        guard buffer.scalars[buffer.line.lowerBound..<buffer.cursor].contains(where: { !$0.properties.isWhitespace })
        else { return buffer.insert("  ".unicodeScalars) }
        let found = hooks.complete(buffer.text, buffer.cursor)
        guard 0...buffer.cursor ~= found.start, !found.candidates.isEmpty else { return }
        let candidates = Candidates(all: found.candidates)
        let typed = Array(buffer.scalars[found.start..<buffer.cursor])
        let common = Array(candidates.commonPrefix.unicodeScalars)
        if common.count >= typed.count, common != typed {
            buffer.remove(found.start..<buffer.cursor)
            buffer.insert(common)
        } else if found.candidates.count > 1, lastCompletion == buffer {
            show(candidates.listed(columns: columns, limit: max(lines - 4, 4), width: Self.width))
        }
        lastCompletion = buffer
    }

    /// Inserts everything up to the terminal's end mark, controls left out, so that nothing in it acts as a key.
    private func paste(_ buffer: inout EditBuffer) {
        var pasted: [Unicode.Scalar] = []
        let mark = Array("\u{1B}[201~".unicodeScalars)
        while let scalar = nextScalar() {
            pasted.append(scalar)
            if scalar == "~", pasted.suffix(mark.count).elementsEqual(mark) {
                pasted.removeLast(mark.count)
                break
            }
        }
        buffer.insert(Self.harmless(pasted))
    }

    /// Without controls but tabs and newlines; a terminal pastes newlines as CR.
    static func harmless(_ pasted: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var kept: [Unicode.Scalar] = []
        var previous: Unicode.Scalar?
        for scalar in pasted {
            switch scalar {
            case "\r": kept.append("\n")
            case "\n": if previous != "\r" { kept.append("\n") }
            case "\t": kept.append("\t")
            default: if scalar.properties.generalCategory != .control { kept.append(scalar) }
            }
            previous = scalar
        }
        return kept
    }
}

extension EditBuffer {
    /// Whether the last `count` newlines have nothing but white space around them.
    fileprivate func endsWithBlankLines(_ count: Int) -> Bool {
        let blank = scalars.reversed().prefix { $0.properties.isWhitespace }
        return blank.filter { $0 == "\n" }.count >= count
    }
}
