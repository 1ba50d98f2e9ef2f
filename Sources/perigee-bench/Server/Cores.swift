// Server and generator on a core each, so that neither takes the other's time and a figure means the same twice.

import CLinux

/// The cores that the generator gives to the server and to itself.
struct Cores {
    let server: Int32
    let generator: Int32

    /// Whether each has one of its own.
    var areApart: Bool { server != generator }

    /// The first and the last core that this process may use.
    init() {
        let allowed = (0..<1_024 as Range<Int32>).filter { clinux_may_run_on_core($0) != 0 }
        server = allowed.first ?? 0
        generator = allowed.last ?? 0
    }

    /// Calls `start` on the server's core, which whatever it starts inherits, and goes on on the generator's.
    func startApart<Result>(_ start: () throws(BenchError) -> Result) throws(BenchError) -> Result {
        guard areApart else { return try start() }
        _ = clinux_run_on_core(server)
        defer { _ = clinux_run_on_core(generator) }
        return try start()
    }
}
