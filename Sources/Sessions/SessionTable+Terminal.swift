import CSystem
import Glibc

/// Job control: a session that reads the terminal from the background is stopped by the system, and goes on when it is
/// in the foreground.
extension SessionTable {
    /// Tells of a further signal as an event.
    public func watch(_ signal: Int32) {
        _ = meta_signals_open([signal], 1)
    }

    /// The sessions that have been stopped since the last look, and by which signal.
    public func takeStopped() -> [(session: String, signal: Int32)] {
        entries.compactMap { entry in
            guard let child = entry.child, case let signal = meta_stop_signal(child.pid), signal != 0 else {
                return nil
            }
            return (entry.name, signal)
        }
    }

    /// Whether something that the session was asked has no answer yet.
    public func isBusy(_ name: String) -> Bool {
        (try? entry(name))?.child?.pending.isEmpty == false
    }

    /// Whether the session runs and is ready.
    public func isReady(_ name: String) -> Bool {
        (try? entry(name))?.child?.hello != nil
    }

    /// Makes the session the terminal's foreground, where Ctrl-C and Ctrl-Z reach it, and lets it go on.
    public func giveTerminal(to name: String) {
        guard let terminal, let child = (try? entry(name))?.child else { return }
        _ = meta_set_foreground(terminal, child.pid)
        child.signalGroup(SIGCONT)
    }

    /// Makes meta the terminal's foreground again.
    public func takeTerminal() {
        guard let terminal else { return }
        _ = meta_set_foreground(terminal, getpgrp())
    }

    /// Lets a stopped session go on.
    public func resume(_ name: String) {
        (try? entry(name))?.child?.signalGroup(SIGCONT)
    }
}
