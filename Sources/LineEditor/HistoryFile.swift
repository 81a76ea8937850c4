import Glibc

/// Entries that outlive the process: one a line, oldest first, `\n` and `\\` for a newline and a backslash.
///
/// Every process appends what it accepts, under a lock, and never rewrites what another wrote.
struct HistoryFile {
    let path: String
    /// Bytes read from the end of a longer file at start.
    private static let readLimit = 4 << 20

    /// The last `limit` entries, oldest first; none when the file is missing or cannot be read.
    func load(limit: Int) -> [String] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        let size = Int(lseek(descriptor, 0, SEEK_END))
        let start = max(0, size - Self.readLimit)
        lseek(descriptor, off_t(start), SEEK_SET)
        var lines = Self.read(descriptor, size - start).split(separator: UInt8(ascii: "\n"))
        // The first line of a cut file is the end of some entry.
        if start > 0, !lines.isEmpty { lines.removeFirst() }
        return lines.suffix(limit).map { Self.decode(String(decoding: $0, as: UTF8.self)) }
    }

    /// Adds an entry, making the file (0600) and its folder (0700) when missing. False when that fails.
    @discardableResult
    func append(_ entry: String) -> Bool {
        makeFolder()
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return false }
        // Rule: the lock is held for one write, and closing the descriptor releases it.
        defer { close(descriptor) }
        guard flock(descriptor, LOCK_EX) == 0 else { return false }
        let bytes = Array((Self.encode(entry) + "\n").utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return false }
            written += count
        }
        return true
    }

    /// Whether an entry is kept: not blank, not kept back by a leading space, not what was entered just before.
    static func keeps(_ entry: String, after last: String?) -> Bool {
        guard let first = entry.unicodeScalars.first, first != " ", entry != last else { return false }
        return entry.unicodeScalars.contains { !$0.properties.isWhitespace } && !entry.unicodeScalars.contains("\0")
    }

    static func encode(_ entry: String) -> String {
        var line = ""
        for scalar in entry.unicodeScalars {
            switch scalar {
            case "\\": line += "\\\\"
            case "\n": line += "\\n"
            default: line.unicodeScalars.append(scalar)
            }
        }
        return line
    }

    static func decode(_ line: String) -> String {
        var entry = String.UnicodeScalarView()
        var isEscaped = false
        // libedit's entries end at NUL, which no entry of ours has.
        for scalar in line.unicodeScalars where scalar != "\0" {
            if !isEscaped, scalar == "\\" {
                isEscaped = true
                continue
            }
            if isEscaped, scalar != "n", scalar != "\\" { entry.append("\\") }
            entry.append(isEscaped && scalar == "n" ? "\n" : scalar)
            isEscaped = false
        }
        if isEscaped { entry.append("\\") }
        return String(entry)
    }

    private func makeFolder() {
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex, access(path, F_OK) != 0 else { return }
        var folder = ""
        for part in path[..<slash].split(separator: "/") {
            folder += (folder.isEmpty && !path.hasPrefix("/") ? "" : "/") + part
            mkdir(folder, 0o700)
        }
    }

    private static func read(_ descriptor: Int32, _ count: Int) -> [UInt8] {
        guard count > 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let more = Glibc.read(descriptor, buffer.baseAddress.map { $0 + filled }, count - filled)
                guard more > 0 else { return }
                filled += more
            }
        }
    }
}
