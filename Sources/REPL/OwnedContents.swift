import Evaluator
import Language

/// An object whose contents may still be with their owner, who publishes them when somebody first needs them: an array, a
/// table.
protocol OwnedContents: RemoteObject {
    /// The object at its owner, where it has been lived in; nil for one that came with its contents.
    var handle: Handle? { get }
    /// Whether the contents are with the owner.
    var isLive: Bool { get }
    /// What its owner has published are its contents from now on.
    ///
    /// - Throws: `wire/unreadable` for what is no such object, or holds none.
    func pin(_ published: Function) throws(Failure)
    /// As it crosses to a session that reads segments.
    func crossing() throws(Failure) -> BufferText
}

extension OwnedContents {
    /// Who answers what is asked of the object by name.
    ///
    /// - Parameters:
    ///   - noun: what errors call it.
    ///   - help: what there is instead.
    /// - Throws: `eval/not-callable`, `eval/no-member` for one that came with its contents.
    func remote(_ path: [String], _ noun: String, help: String) throws(Failure) -> Handle {
        if let handle { return handle }
        let what = path.isEmpty ? "cannot be called" : "has no members, got .\(path.joined(separator: "."))"
        throw Failure(path.isEmpty ? "eval/not-callable" : "eval/no-member", "a \(noun) \(what)", help: help)
    }
}
