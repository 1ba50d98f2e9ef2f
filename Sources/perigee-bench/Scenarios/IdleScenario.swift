// Idle: clients connect and stay silent. The first few make the server touch all the memory that it touches but once;
// what the others add is theirs.

/// Clients that only stay.
struct IdleScenario: Scenario {
    let connections: Int
    let path: String

    func run(on server: ServerUnderTest, seconds: Double) throws(BenchError) -> Figures {
        let load = Load(server, path: path)
        let first = max(1, connections / 10)
        try load.open(first)
        try load.run(for: 0.2)
        let before = server.process?.residentBytes
        try load.open(connections)
        let start = Snapshot(count: 0, server: server.process)
        try load.run(for: seconds)
        let window = Window(from: start, to: Snapshot(count: 0, server: server.process), latency: Histogram())
        var figures = Figures(
            scenario: "idle", setting: "\(connections.grouped) clients", unit: "connection", window: window,
            lost: load.lostCount)
        if let before, let after = server.process?.residentBytes, connections > first {
            figures.bytesPerConnection = Double(after - before) / Double(connections - first)
        }
        return figures
    }
}
