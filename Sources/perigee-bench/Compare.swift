// `perigee-bench compare`: Perigee beside the floor, a bare epoll server in C (Tests/Floor), scenario by scenario in turn.
//
// A machine's speed drifts, so the two are measured in turn in each round, and the median of the rounds' ratios is the result. The
// figure is the server's CPU time for each message, which holds even when the generator is the bottleneck.
//
// Read next: Session.swift, Scenarios/Measurement.swift.

import ArgumentParser
import Glibc

struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure Perigee and a bare epoll server in C in turn, and report the ratios.",
        discussion: "The ratios are those of the servers' CPU time for each message; of an idle connection, of memory.")

    /// The scenarios of one name.
    enum Row: String, CaseIterable, ExpressibleByArgument {
        case echo, fanout, pushes, handshake, idle
    }

    @Option(help: "The perigee to start. (default: the one beside this program)")
    var server: String?

    @Option(help: "The bare server to start. (default: the perigee-floor beside this program)")
    var floor: String?

    @Option(help: "The scripts of the perigee that is started.")
    var scripts = "Scripts"

    @Option(help: "How often each row is measured, 1 to 100.")
    var rounds = 3

    @Option(help: "How long each measurement takes, 0.2 to 600.")
    var seconds = 2.0

    @Argument(help: "The rows to measure. (default: all)")
    var rows: [Row] = Row.allCases

    func validate() throws {
        guard (0.2...600).contains(seconds) else { throw ValidationError("--seconds is from 0.2 to 600.") }
        guard (1...100).contains(rounds) else { throw ValidationError("--rounds is from 1 to 100.") }
    }

    func run() throws {
        let scenarios = rows.flatMap(Self.scenarios)
        try Session.measuring(scenarios) { () throws(BenchError) in
            let comparison = Comparison(
                perigee: try .perigee(server, scripts: scripts, workers: 1), floor: try .floor(floor), rounds: rounds,
                seconds: seconds)
            print("\(comparison.setting)\n\n\(Comparison.head)")
            for scenario in scenarios {
                print(try comparison.row(scenario))
                fflush(nil)
            }
        }
    }

    private static func scenarios(of row: Row) -> [any Scenario] {
        switch row {
        case .echo:
            [
                EchoScenario(connections: 200, inFlight: 1, size: 64, path: "/echo"),
                EchoScenario(connections: 200, inFlight: 16, size: 64, path: "/echo"),
                EchoScenario(connections: 50, inFlight: 1, size: 16 << 10, path: "/echo"),
            ]
        case .fanout:
            [1, 100, 1_000].map { FanoutScenario(subscribers: $0, inFlight: 2, size: 128, path: "/") }
        case .pushes:
            [
                PushScenario(publishers: 1, inFlight: 16, size: 128, path: "/"),
                PushScenario(publishers: 64, inFlight: 1, size: 128, path: "/"),
            ]
        case .handshake: [HandshakeScenario(parallel: 50, path: "/echo")]
        case .idle: [IdleScenario(connections: IdleScenario.usualConnections, path: "/echo")]
        }
    }
}

/// Two servers, and how often and how long each is measured.
private struct Comparison {
    let perigee: ServerProgram
    let floor: ServerProgram
    let rounds: Int
    let seconds: Double
    private let cores = Cores()

    init(perigee: ServerProgram, floor: ServerProgram, rounds: Int, seconds: Double) {
        self.perigee = perigee
        self.floor = floor
        self.rounds = rounds
        self.seconds = seconds
    }

    /// The servers and the cores, in one line.
    var setting: String {
        "perigee, 1 worker, against a bare epoll server, \(cores.text), "
            + "\(rounds == 1 ? "1 round" : "\(rounds) rounds") of \(seconds.text(digits: 1)) s"
    }

    static let head = line(["", "", "perigee", "floor", "ratio", "lowest to highest"])

    /// Measures one scenario in all rounds. The figures are those of the round with the median ratio.
    func row(_ scenario: any Scenario) throws(BenchError) -> String {
        var results: [(ratio: Double, perigee: Double, floor: Double)] = []
        var last: Figures?
        var notes: Set<String> = []
        for _ in 0..<rounds {
            let below = try Session.measure(scenario, on: floor, cores: cores, seconds: seconds)
            let above = try Session.measure(scenario, on: perigee, cores: cores, seconds: seconds)
            guard let cost = above.cost, let least = below.cost, least > 0 else {
                throw BenchError("\(above.scenario), \(above.setting): too little CPU time to compare; --seconds more")
            }
            results.append((cost / least, cost, least))
            notes.formUnion(below.losses.map { "floor: \($0)" } + above.losses.map { "perigee: \($0)" })
            last = above
        }
        guard let last else { return "" }
        results.sort { $0.ratio < $1.ratio }
        let median = results[(results.count - 1) / 2]
        let unit = last.rate == nil ? "B" : "µs"
        let digits = last.rate == nil ? 0 : 2
        let row = Self.line([
            last.scenario, last.setting, "\(median.perigee.text(digits: digits)) \(unit)",
            "\(median.floor.text(digits: digits)) \(unit)", median.ratio.text(digits: 2),
            "\(results[0].ratio.text(digits: 2)) to \(results[results.count - 1].ratio.text(digits: 2))",
        ])
        return ([row] + notes.sorted().map { "! \($0)" }).joined(separator: "\n")
    }

    private static func line(_ cells: [String]) -> String {
        TextReport.line(cells, widths: [-11, -44, 12, 12, 8, 20])
    }
}

extension Figures {
    /// The cost of one unit: microseconds of the server's CPU time, or bytes where nothing is counted.
    fileprivate var cost: Double? { rate == nil ? bytesPerConnection : serverMicroseconds }
}
