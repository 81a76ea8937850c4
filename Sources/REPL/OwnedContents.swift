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
