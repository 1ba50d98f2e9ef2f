// Signals as events of a loop: blocked in every thread, and read from a descriptor when the loop gets to it. So nothing
// ever runs in a signal handler.
//
// Runs on: its loop's thread.

import CLinux
import Glibc

/// Hands over the process's signals, one call for each.
public final class SignalSource: Source {
    private let received: (Int32) -> Void

    /// Reads these signals, which `block` must have blocked before any other thread was started.
    public init(_ signals: [Int32], on loop: EventLoop, received: @escaping (Int32) -> Void) {
        self.received = received
        var set = Self.set(of: signals)
        let descriptor = clinux_signal_descriptor(&set)
        precondition(descriptor >= 0, "signalfd failed: errno \(-descriptor)")
        super.init(descriptor: descriptor)
        loop.add(self, for: .readable)
    }

    public override func ready(_ readiness: Readiness) {
        while true {
            let signal = clinux_next_signal(descriptor)
            guard signal != 0 else { return }
            received(signal)
        }
    }

    /// Keeps these signals from ending the process, in this thread and those that it starts.
    public static func block(_ signals: [Int32]) {
        var set = set(of: signals)
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    private static func set(of signals: [Int32]) -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        return set
    }
}
