import CSystem
import Glibc

/// Environment variables, as a child gets them.
struct Environment {
    private(set) var variables: [String: String]

    static func current() -> Environment {
        var variables: [String: String] = [:]
        var next = meta_environment()
        while let entry = next?.pointee {
            let text = String(cString: entry)
            if let split = text.firstIndex(of: "=") {
                variables[String(text[..<split])] = String(text[text.index(after: split)...])
            }
            next = next?.advanced(by: 1)
        }
        return Environment(variables: variables)
    }

    /// A variable that is set and not empty.
    subscript(_ name: String) -> String? {
        variables[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// nil removes a variable.
    func changed(by changes: [String: String?]) -> Environment {
        var changed = self
        for (name, value) in changes { changed.variables[name] = value }
        return changed
    }

    var entries: [String] { variables.map { "\($0.key)=\($0.value)" } }
}
