import Evaluator
import Language

/// How values arrive in the shell: as a word, a variable, or a file.
enum CrossingToShell {
    static func arrival(_ value: Value) -> Crossing.Arrival {
        if case .tagged(let tagged) = value, tagged.bytes != nil {
            return .exact("file", "the path of a temporary file with these bytes")
        }
        if case .function(let function) = value, function is BufferObject {
            return .exact("file", "the path of a file with the items in C order, to be read")
        }
        guard let text = ShellWords.text(value) else {
            return .error("value/uncopyable", "the shell takes text and numbers")
        }
        guard !text.utf8.contains(0) else { return .error("value/nul", "a shell word cannot hold a NUL") }
        if case .string = value { return .exact("text") }
        return .exact("text", "what comes home is a string")
    }
}
