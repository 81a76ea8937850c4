import Evaluator
import Glibc
import Language
import Wire

/// Completions of names, of paths inside strings, and of what runs in sessions.
struct Completion {
    let router: Router
    /// The runtime whose language is typed; nil is meta.
    let mode: String?
    private var machine: Machine { router.machine }

    init(router: Router, mode: String?) {
        self.router = router
        self.mode = mode
    }

    /// - Parameter cursor: in Unicode scalars.
    func candidates(_ text: String, _ cursor: Int) -> (start: Int, candidates: [String]) {
        let scalars = Array(text.unicodeScalars.prefix(cursor))
        if let mode, scalars.first != ":" { return names(text, cursor, in: mode) ?? (cursor, []) }
        if let quote = openQuote(scalars) { return (quote, paths(String(String.UnicodeScalarView(scalars[quote...])))) }
        let start = (scalars.lastIndex { !Self.isName($0) } ?? -1) + 1
        let prefix = String(String.UnicodeScalarView(scalars[start...]))
        if start == 0, prefix.hasPrefix(":") {
            return (
                0,
                Set(Command.table.map(\.name) + router.runtimeNames).map { ":" + $0 }.sorted().filter {
                    $0.hasPrefix(prefix)
                }
            )
        }
        guard !prefix.isEmpty else { return (cursor, []) }
        if let dot = prefix.firstIndex(of: "."), router.sessions.isReady(String(prefix[..<dot])) {
            return members(prefix, dot, start)
        }
        if let found = attributes(prefix) { return (start, found) }
        let forms = SpecialForm.allCases.map(\.rawValue)
        let names = Set(machine.globals.boundNames + machine.libraryNames + forms)
        return (start, names.filter { $0.hasPrefix(prefix) && !$0.hasPrefix("%") }.sorted())
    }

    /// What a session that is there and idle knows; nil when it does not say.
    private func names(_ text: String, _ cursor: Int, in session: String) -> (start: Int, candidates: [String])? {
        guard router.sessions.isReady(session),
            case .answered(let answer) = router.ask(.complete(text, cursor: cursor), of: session)
        else { return nil }
        if router.sessions.isPlain(session) {
            guard let fields = try? PlainFields.decode(answer.body).map({ String(decoding: $0, as: UTF8.self) }),
                let start = fields.first.flatMap({ Int($0) })
            else { return nil }
            return (start, fields.dropFirst().filter { !$0.isEmpty })
        }
        guard case .object(let found)? = try? Envelope.decode(answer.body), case .int(let start)? = found["start"],
            case .vector(let matches)? = found["matches"]
        else { return nil }
        return (start, matches.elements.compactMap(\.nameText))
    }

    /// `py.math.sq`: the names in Python that go on from `math.sq`.
    private func members(_ prefix: String, _ dot: String.Index, _ start: Int) -> (start: Int, candidates: [String]) {
        let path = String(prefix[prefix.index(after: dot)...])
        let offset = start + prefix[...dot].unicodeScalars.count
        guard let found = names(path, path.unicodeScalars.count, in: String(prefix[..<dot])) else { return (start, []) }
        return (offset + found.start, found.candidates.map(\.trimmed))
    }

    /// `df.a.su`: what the object behind `df.a` has that goes on from `su`; nil when `df` is no object of a runtime.
    private func attributes(_ prefix: String) -> [String]? {
        let names = prefix.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard names.count > 1, let value = machine.globals.bound(names[0])?.value,
            let handle = (try? Handle.behind(value)) ?? nil
        else { return nil }
        var request = Request(.inspect)
        request.path = names.count > 2 ? Array(names[1..<names.count - 1]) : nil
        guard case .object(let report)? = router.answer(request, of: handle),
            case .vector(let members)? = report["members"]
        else { return [] }
        let whole = names.dropLast().joined(separator: ".") + "."
        return Set(members.elements.compactMap(\.nameText)).map { whole + $0 }.filter { $0.hasPrefix(prefix) }.sorted()
    }

    private static func isName(_ scalar: Unicode.Scalar) -> Bool {
        !"()[]{}\"'`,; \t\n@".unicodeScalars.contains(scalar)
    }

    /// Where the text of a string that the cursor is in begins.
    private func openQuote(_ scalars: [Unicode.Scalar]) -> Int? {
        var start: Int?
        var isEscaped = false
        for (index, scalar) in scalars.enumerated() {
            if isEscaped {
                isEscaped = false
            } else if scalar == "\\" {
                isEscaped = start != nil
            } else if scalar == "\"" {
                start = start == nil ? index + 1 : nil
            }
        }
        return start
    }

    private func paths(_ text: String) -> [String] {
        let folder = text.lastIndex(of: "/").map { String(text[...$0]) } ?? ""
        let prefix = text.dropFirst(folder.count)
        guard let directory = opendir(folder.isEmpty ? "." : folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let isFolder = entry.pointee.d_type == UInt8(DT_DIR)
            let name = withUnsafePointer(to: entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name.hasPrefix(prefix), name != ".", name != "..", !name.hasPrefix(".") || prefix.hasPrefix(".")
            else { continue }
            names.append(folder + name + (isFolder ? "/" : ""))
        }
        return names.sorted()
    }
}
