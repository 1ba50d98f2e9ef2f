// A measurement: its kinds, and the window of time in which it counts, with its cost for both sides.
//
// Read next: Load.swift.

import CLinux
import Glibc

/// One measurement with its settings.
protocol Scenario {
    /// How many connections it opens at a time.
    var connections: Int { get }
    /// Loads `server` for `seconds` and returns the result.
    func run(on server: ServerUnderTest, seconds: Double) throws(BenchError) -> Figures
}

extension Scenario {
    /// The descriptors of a process beside its connections.
    static var spareDescriptors: Int { 64 }

    /// Throws when this process may not open as many connections; the server that it starts has the same limit.
    func check(descriptors: UInt64) throws(BenchError) {
        guard connections + Self.spareDescriptors <= Int(clamping: descriptors) else {
            throw BenchError(
                "\(connections) connections are more than the \(descriptors) descriptors a process may open here")
        }
    }
}

/// The counters at one moment.
struct Snapshot {
    let nanoseconds = clinux_monotonic_nanoseconds()
    let count: Int
    /// Seconds of CPU time that the server has used; nil when its process is unknown.
    let serverCPU: Double?
    /// Seconds of CPU time that this process has used.
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

/// The difference between two moments.
struct Window {
    let seconds: Double
    let count: Int
    let latency: Histogram
    /// Seconds of CPU time; nil when the server's process is unknown.
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
