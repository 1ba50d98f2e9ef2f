// A window of time: what was counted in it, and what it cost both sides.

import CLinux
import Glibc

/// The counters at one moment.
struct Snapshot {
    let nanoseconds = clinux_monotonic_nanoseconds()
    let count: Int
    /// Seconds of CPU time that the server has taken; nil when its process is not known.
    let serverCPU: Double?
    /// Seconds of CPU time that this process has taken.
    let generatorCPU: Double

    init(count: Int, server: ServerProcess?) {
        self.count = count
        serverCPU = server?.cpuSeconds
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        generatorCPU = Self.seconds(usage.ru_utime) + Self.seconds(usage.ru_stime)
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
}

/// What lies between two moments.
struct Window {
    let seconds: Double
    let count: Int
    let latency: Histogram
    /// Seconds of CPU time; nil when the server's process is not known.
    let serverCPU: Double?
    let generatorCPU: Double

    init(from before: Snapshot, to after: Snapshot, latency: Histogram) {
        seconds = Double(after.nanoseconds - before.nanoseconds) / 1e9
        count = after.count - before.count
        generatorCPU = after.generatorCPU - before.generatorCPU
        serverCPU = after.serverCPU.flatMap { now in before.serverCPU.map { now - $0 } }
        self.latency = latency
    }
}
