/// Whose turn it is to write: what several programs print at once is seen as it comes, but no line of one is torn by
/// another's.
///
/// Who is in the middle of a line goes on with it first; what others print meanwhile is kept until that line has ended,
/// its writer has nothing to do, or a moment has passed.
struct OutputLines {
    /// What one writer has printed.
    struct Piece: Equatable {
        let writer: String
        var bytes: [UInt8]
        let isError: Bool
    }

    /// How long a line that does not end keeps others waiting, and how much may wait.
    private static let patience = Duration.milliseconds(100)
    private static let limit = 1 << 20

    /// Who is in the middle of a line.
    private var open: String?
    private var kept: [Piece] = []
    private var keptCount = 0
    /// When what is kept is written whatever it tears.
    private(set) var due: ContinuousClock.Instant?

    /// What is to be written now that this has been printed.
    mutating func take(_ piece: Piece) -> [Piece] {
        guard open == nil || open == piece.writer else {
            kept.append(piece)
            keptCount += piece.bytes.count
            due = due ?? .now + Self.patience
            return keptCount > Self.limit ? release() : []
        }
        open = piece.endsLine ? nil : piece.writer
        return [piece] + (open == nil ? next() : [])
    }

    /// What is to be written now that this writer has nothing more to print for a while.
    mutating func end(_ writer: String) -> [Piece] {
        guard open == writer else { return [] }
        open = nil
        return next()
    }

    /// All that is kept.
    mutating func release() -> [Piece] {
        defer { forget() }
        if let last = kept.last { open = last.endsLine ? nil : last.writer }
        return kept
    }

    /// What can be written after the end of a line: of each writer the whole lines, then the beginning of one.
    private mutating func next() -> [Piece] {
        guard !kept.isEmpty else { return [] }
        var ready: [Piece] = []
        var rest: [Piece] = []
        for var piece in kept {
            // What follows the beginning of a line is its end.
            if rest.contains(where: { $0.writer == piece.writer }) {
                rest.append(piece)
                continue
            }
            let end = (piece.bytes.lastIndex(of: 0x0A) ?? -1) + 1
            if end > 0 {
                ready.append(Piece(writer: piece.writer, bytes: Array(piece.bytes[..<end]), isError: piece.isError))
            }
            piece.bytes.removeFirst(end)
            if !piece.bytes.isEmpty { rest.append(piece) }
        }
        forget()
        for piece in rest { ready += take(piece) }
        return ready
    }

    private mutating func forget() {
        kept = []
        keptCount = 0
        due = nil
    }
}

extension OutputLines.Piece {
    var endsLine: Bool { bytes.last == 0x0A }
}
