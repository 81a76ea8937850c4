import CSystem
import Glibc

/// The process that kills every session's process group when meta is gone. Closing its pipe ends it.
final class Guard {
    private let pid: pid_t
    private let pipe: Int32

    /// nil when the system has no process left for it; sessions then still die by their death signal.
    static func started() -> Guard? {
        let started = meta_guard_start()
        return started.pid > 0 ? Guard(pid: started.pid, pipe: started.pipe) : nil
    }

    private init(pid: pid_t, pipe: Int32) {
        self.pid = pid
        self.pipe = pipe
    }

    /// For the child that announces its own group.
    var announcements: Int32 { pipe }

    /// To be called before the group's leader is reaped.
    func withdraw(group: pid_t) {
        meta_guard_remove(pipe, group)
    }

    deinit {
        close(pipe)
        meta_wait(pid)
    }
}
