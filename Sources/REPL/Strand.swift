import Evaluator
import Sessions
import Wire

/// On whose behalf something runs: an upcall that a session waits for, and the one that led to it.
final class Strand {
    let session: String
    let generation: Int
    /// The upcall's number in its kernel's own numbering.
    let upcall: Int
    /// The request of meta's that the calling thread works on.
    let servedRequest: RequestID?
    let isAsync: Bool
    let parent: Strand?
    /// Calls in calls, this one included.
    let depth: Int
    /// What works on the answer, where meta itself has a part in it.
    weak var fiber: Fiber?
    /// Whether its kernel still waits for the answer.
    var isOpen = true

    /// Calls in calls that are still carried out; beyond it `session/depth`.
    static let deepest = 100

    init(session: String, generation: Int, upcall: Int, servedRequest: RequestID?, isAsync: Bool, parent: Strand?) {
        self.session = session
        self.generation = generation
        self.upcall = upcall
        self.servedRequest = servedRequest
        self.isAsync = isAsync
        self.parent = parent
        depth = (parent?.depth ?? 0) + 1
    }

    /// The innermost upcall for whose answer a thread of that session waits: what is asked on this strand's behalf is
    /// asked of that thread.
    func waiting(in session: String, generation: Int?) -> Strand? {
        var strand: Strand? = self
        while let current = strand {
            if current.session == session, current.generation == generation, current.isOpen, !current.isAsync {
                return current
            }
            strand = current.parent
        }
        return nil
    }
}
