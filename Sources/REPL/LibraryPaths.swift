import Evaluator
import Language

/// `path.*`: texts that name files. Nothing here looks at the disk but path.absolute, which asks where it is.
enum LibraryPaths {
    static func register(in machine: Machine, directory: @escaping () -> String) {
        registerParts(in: machine)
        machine.add(
            "(path.join …parts)", 1...Int.max,
            "One path of the parts; what stands before an absolute part does not count.",
            "(path.join \"a\" \"b/\" \"c.txt\") => \"a/b/c.txt\"", "(path.join \"a\" \"/b\") => \"/b\""
        ) { arguments throws(Failure) in
            var path = ""
            for index in 0..<arguments.count {
                let part = try arguments.path(index)
                path =
                    part.hasPrefix("/") || path.isEmpty ? part : path.hasSuffix("/") ? path + part : path + "/" + part
            }
            return .text(path)
        }
        machine.add(
            "(path.normal path)", 1...1, "The path without doubled slashes, dots, and names that .. takes back.",
            "(path.normal \"a//b/./../c/\") => \"a/c\""
        ) { arguments throws(Failure) in .text(normal(try arguments.path(0))) }
        machine.add(
            "(path.absolute path base)", 1...2,
            "The path from the root; taken from base, or from the working directory.",
            "(path.absolute \"b/../c\" \"/a\") => \"/a/c\""
        ) { arguments throws(Failure) in
            let path = try arguments.path(0)
            if path.hasPrefix("/") { return .text(normal(path)) }
            var base = arguments.count == 2 ? try arguments.path(1) : directory()
            if !base.hasPrefix("/") { base = directory() + "/" + base }
            return .text(normal(base + "/" + path))
        }
    }

    private static func registerParts(in machine: Machine) {
        machine.add("(path.name path)", 1...1, "The last name of a path.", "(path.name \"/a/b.txt\") => \"b.txt\"") {
            arguments throws(Failure) in .text(names(try arguments.path(0)).last ?? "")
        }
        machine.add(
            "(path.stem path)", 1...1, "The last name of a path without its extension.",
            "(path.stem \"/a/b.tar.gz\") => \"b.tar\""
        ) { arguments throws(Failure) in .text(split(names(try arguments.path(0)).last ?? "").stem) }
        machine.add(
            "(path.extension path)", 1...1, "What follows the last dot of a path's name; \"\" when nothing does.",
            "(path.extension \"a/b.txt\") => \"txt\"", "(path.extension \".profile\") => \"\""
        ) { arguments throws(Failure) in .text(split(names(try arguments.path(0)).last ?? "").ending) }
        machine.add(
            "(path.parent path)", 1...1, "The directory a path's last name is in.",
            "(path.parent \"/a/b.txt\") => \"/a\"",
            "(path.parent \"b.txt\") => \".\""
        ) { arguments throws(Failure) in
            let path = try arguments.path(0)
            let parent = names(path).dropLast().joined(separator: "/")
            return .text(path.hasPrefix("/") ? "/" + parent : parent.isEmpty ? "." : parent)
        }
    }

    static func names(_ path: String) -> [String] {
        path.split(separator: "/").map { String($0) }
    }

    private static func split(_ name: String) -> (stem: String, ending: String) {
        guard let dot = name.lastIndex(of: "."), !name[..<dot].allSatisfy({ $0 == "." }) else { return (name, "") }
        return (String(name[..<dot]), String(name[name.index(after: dot)...]))
    }

    static func normal(_ path: String) -> String {
        let isAbsolute = path.hasPrefix("/")
        var kept: [String] = []
        for name in names(path) where name != "." {
            if name == "..", let last = kept.last, last != ".." {
                kept.removeLast()
            } else if name != ".." || !isAbsolute {
                kept.append(name)
            }
        }
        let text = kept.joined(separator: "/")
        return isAbsolute ? "/" + text : text.isEmpty ? "." : text
    }
}

extension Arguments {
    /// A path: a string without a zero, which no system takes.
    mutating func path(_ index: Int) throws(Failure) -> String {
        let path = try onlyString(index)
        guard !path.utf8.contains(0) else { throw wrong(index, "a path without a zero") }
        return path
    }
}
