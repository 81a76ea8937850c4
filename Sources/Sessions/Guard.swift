import CSystem
import Glibc

/// The process that kills every session's process group when meta is gone. Closing its pipe ends it.
///
/// Groups are announced in its pipe, so a session may be spawned before it runs, and boots while it is forked. Where the
/// system has no process left for it, sessions still die by their death signal.
final class Guard {
    private var state = meta_guard_open()

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
        // It ends by itself; waiting for it would cost every exit of meta a millisecond.
        if state.pid > 0 { meta_reap(state.pid) }
    }
}
