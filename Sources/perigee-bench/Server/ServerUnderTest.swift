// The server as the generator sees it: its addresses, Linux's figures of its process, and its core.
//
// Read next: LaunchedServer.swift.

import CLinux
import EventLoop
import Glibc

/// The addresses of a server, and the process to measure.
struct ServerUnderTest {
    let clients: SocketAddress
    /// Nil when nothing is published.
    let admin: SocketAddress?
    /// The key of the admin API; nil when it needs none.
    let key: String?
    /// Nil when it is unknown; then CPU time and memory are unknown, too.
    let process: ServerProcess?
    /// Whether its clients offer permessage-deflate.
    let deflate: Bool
}

/// A process on this machine, with its CPU time and its memory.
struct ServerProcess {
    let pid: Int32

    /// Seconds of CPU time of all threads, user and kernel; nil when there is no such process.
    var cpuSeconds: Double? {
        var clock = clockid_t()
        var time = timespec()
        guard clock_getcpuclockid(pid, &clock) == 0, clock_gettime(clock, &time) == 0 else { return nil }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Bytes of resident memory; nil when there is no such process.
    var residentBytes: Int? {
        let descriptor = open("/proc/\(pid)/status", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let text = [UInt8](unsafeUninitializedCapacity: 8_192) { buffer, count in
            count = max(0, read(descriptor, buffer.baseAddress, buffer.count))
        }
        return text.withUnsafeBytes { bytes in
            // The value stands behind a tab and spaces, in KiB.
            guard let place = bytes.place(of: "VmRSS:") else { return nil }
            let digits = bytes[(place + 6)...].drop { $0 == 0x09 || $0 == 0x20 }.prefix {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
            }
            return Int(String(decoding: digits, as: UTF8.self)).map { $0 << 10 }
        }
    }
}

/// The cores of the server and of the generator: one each, so that neither takes the other's time and figures compare.
struct Cores {
    let server: Int32
    let generator: Int32

    /// Whether each has a core of its own.
    var areApart: Bool { server != generator }

    /// In words, for a report.
    var text: String {
        areApart
            ? "server on core \(server), generator on core \(generator)" : "one core for server and generator"
    }

    /// The first and the last core that this process may use.
    init() {
        let allowed = (0..<1_024 as Range<Int32>).filter { clinux_may_run_on_core($0) != 0 }
        server = allowed.first ?? 0
        generator = allowed.last ?? 0
    }

    /// Calls `start` on the server's core, which a process started there inherits, and returns to the generator's core.
    func startApart<Result>(_ start: () throws(BenchError) -> Result) throws(BenchError) -> Result {
        guard areApart else { return try start() }
        _ = clinux_run_on_core(server)
        defer { _ = clinux_run_on_core(generator) }
        return try start()
    }
}
