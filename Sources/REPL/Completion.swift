import Evaluator
import Glibc
import Language

/// Completions of names, and of paths inside strings.
struct Completion {
    let machine: Machine

    /// - Parameter cursor: in Unicode scalars.
    func candidates(_ text: String, _ cursor: Int) -> (start: Int, candidates: [String]) {
        let scalars = Array(text.unicodeScalars.prefix(cursor))
        if let quote = openQuote(scalars) { return (quote, paths(String(String.UnicodeScalarView(scalars[quote...])))) }
        let start = (scalars.lastIndex { !Self.isName($0) } ?? -1) + 1
        let prefix = String(String.UnicodeScalarView(scalars[start...]))
        if start == 0, prefix.hasPrefix(":") {
            return (0, Command.table.map { ":" + $0.name }.filter { $0.hasPrefix(prefix) })
        }
        guard !prefix.isEmpty else { return (cursor, []) }
        let forms = SpecialForm.allCases.map(\.rawValue)
        let names = Set(machine.globals.boundNames + machine.libraryNames + forms)
        return (start, names.filter { $0.hasPrefix(prefix) && !$0.hasPrefix("%") }.sorted())
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
