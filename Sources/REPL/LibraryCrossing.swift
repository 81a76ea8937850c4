import Evaluator
import Language

/// `(explain-crossing v 'js)`: what will happen to a value, before it is sent.
extension Router {
    func registerCrossing() {
        machine.add(
            "(explain-crossing value runtime)", 2...2,
            "What happens to each part of a value on its way to a runtime: objects of path, type, outcome (exact; tagged: carried unchanged as meta.Tagged; merged: comes home equal, of another kind; handle: stays here, a proxy arrives; error), what arrives, and a note.",
            "(map :arrives (explain-crossing [1 2.5 (tuple)] 'js)) => [\"Array\" \"number\" \"number\" \"meta.Tagged\"]",
            "(get (explain-crossing 1.0 'js) 0 :outcome) => \"merged\"", lineage: .plain
        ) { [unowned self] arguments throws(Failure) in
            let session = try runtime(arguments[1]).session
            let rules = try rules(session)
            // Around a value are at least the names that it is bound to, or the arguments of a call.
            guard WireDepth.of(arguments[0]) + 2 <= Nesting.limit else {
                let note = "it nests deeper than \(Nesting.limit) levels, as it is written on the way"
                return .vector(Items(try Crossing.rows(.null, to: session) { _ in .error("value/depth", note) }))
            }
            return .vector(Items(try Crossing.rows(arguments[0], to: session, rules)))
        }
    }

    private func rules(_ session: String) throws(Failure) -> Crossing.Rules {
        switch sessions.language(of: session) {
        case "py": return CrossingToPython.arrival
        case "js": return CrossingToJavaScript.arrival
        case "sh": return CrossingToShell.arrival
        case let language:
            throw Failure(
                "session/unknown", "what a value becomes in \(language ?? session) is for its kernel to say",
                help: "explain-crossing knows py, js and sh")
        }
    }
}

/// Levels of brackets in a value's text: a tagged value is an object around its items.
private enum WireDepth {
    static func of(_ value: Value) -> Int {
        guard let data = try? value.unwrapped() else { return 0 }
        switch data {
        case .list(let items), .vector(let items): return 1 + deepest(items.elements)
        case .object(let object):
            return (object["_type"] == nil ? 1 : 3) + deepest(Array(object.entries.values))
        case .tagged(let tagged): return 1 + deepest(Array(tagged.fields.entries.values))
        case .error(let error): return 2 + deepest([error.data, error.cause])
        default: return 0
        }
    }

    private static func deepest(_ values: [Value]) -> Int {
        values.reduce(0) { max($0, of($1)) }
    }
}
