import Conformance
import Glibc
import Language
import REPL

/// Where source texts in a kernel's language are found.
enum SampleFile {
    static var workingDirectory: String {
        guard let path = getcwd(nil, 0) else { return "/" }
        defer { free(path) }
        return String(cString: path)
    }

    /// Those of the file that was named, or of `samples.json` beside a file that the command names; nil when there is
    /// none.
    static func read(_ named: String?, beside words: [String]) throws(Failure) -> Samples? {
        if let named {
            guard let bytes = WholeFile.read(named) else {
                throw Failure("file/missing", "cannot read \(named)")
            }
            return try Samples(json: bytes, origin: named)
        }
        for word in words where word.contains(".") && !word.hasPrefix("-") && access(word, R_OK) == 0 {
            let folder = word.lastIndex(of: "/").map { String(word[...$0]) } ?? ""
            if let bytes = WholeFile.read(folder + "samples.json") {
                return try Samples(json: bytes, origin: folder + "samples.json")
            }
        }
        return nil
    }
}

/// Words of a command line: apart at spaces, together in quotes. Nothing is expanded.
enum Words {
    static func split(_ text: String) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        for character in text {
            if let open = quote {
                if character == open { quote = nil } else { word = (word ?? "") + String(character) }
            } else if character == "\"" || character == "'" {
                quote = character
                word = word ?? ""
            } else if character.isWhitespace {
                if let done = word { words.append(done) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        if let word { words.append(word) }
        return words
    }
}
