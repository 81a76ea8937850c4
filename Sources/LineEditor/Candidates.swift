/// What several completions have in common, and how they are listed.
struct Candidates {
    let all: [String]

    /// The longest start they share, in whole characters.
    var commonPrefix: String {
        guard var prefix = all.first else { return "" }
        for candidate in all.dropFirst() {
            prefix = String(zip(prefix, candidate).prefix { $0 == $1 }.map(\.0))
        }
        return prefix
    }

    /// Columns as wide as the longest, filled downwards as `ls` does; at most `limit` rows, then how many are left.
    func listed(columns: Int, limit: Int, width: (Unicode.Scalar) -> Int) -> String {
        let widths = all.map { $0.unicodeScalars.reduce(0) { $0 + max(width($1), 0) } }
        let cell = (widths.max() ?? 0) + 2
        let across = max(1, columns / cell)
        let down = (all.count + across - 1) / across
        let rows = (0..<min(down, limit)).map { row in
            stride(from: row, to: all.count, by: down).map { index in
                let isLast = index + down >= all.count
                return all[index] + (isLast ? "" : String(repeating: " ", count: cell - widths[index]))
            }.joined()
        }
        let hidden = all.indices.filter { $0 % down >= limit }.count
        return (rows + (hidden > 0 ? ["… and \(hidden) more"] : [])).joined(separator: "\n") + "\n"
    }
}
