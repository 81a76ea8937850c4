import CSystem
import Glibc

/// The process that kills every session's process group when meta is gone. Closing its pipe ends it.
///
/// Groups are announced in its pipe, so a session may be spawned before it runs, and boots while it is forked. Where the
/// system has no process left for it, sessions still die by their death signal.
final class Guard {
    private var state = meta_guard_open()
    /// Whether nobody waits for its end: meta itself ends, and waiting would cost every exit a millisecond.
    var isLeft = false

    /// For the child that announces its own group.
    var announcements: Int32 { state.pipe }

    func startOnce() {
        if state.reading >= 0 { meta_guard_start(&state) }
    }

    /// To be called before the group's leader is reaped.
    func withdraw(group: pid_t) {
        if state.pid > 0 { meta_guard_remove(state.pipe, group) }
    }

    deinit {
        if state.reading >= 0 { close(state.reading) }
        if state.pipe >= 0 { close(state.pipe) }
        if state.pid > 0, !isLeft { meta_wait(state.pid) }
    }
}
