import Evaluator
import Language
import Wire

/// Calls of one function that are sent ahead of their answers.
final class Batch {
    let branch: Branch
    let session: String
    /// Those under way.
    var requests: Set<RequestID> = []

    init(_ branch: Branch, session: String) {
        self.branch = branch
        self.session = session
    }
}

extension Router {
    func take(_ outcome: Outcome, _ index: Int, of batch: Batch) {}
    func abandon(_ batch: Batch) {}
    func stop(_ batch: Batch) {}
}
