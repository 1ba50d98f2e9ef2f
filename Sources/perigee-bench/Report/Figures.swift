// What one scenario showed.

/// The result of a measurement.
struct Figures {
    /// From here on a core counts as fully used.
    private static let busy = 0.95

    let scenario: String
    let setting: String
    /// What is counted: message, delivery, handshake, connection.
    let unit: String
    let window: Window
    var bytesPerConnection: Double?
    var notes: [String] = []

    init(scenario: String, setting: String, unit: String, window: Window, lost: Int) {
        self.scenario = scenario
        self.setting = setting
        self.unit = unit
        self.window = window
        if lost > 0 { notes.append("\(lost.grouped) connections were lost") }
        if isGeneratorBound {
            notes.append("the generator was the bottleneck: the server could have done more than this rate")
        }
    }

    /// How many of the unit a second; nil where nothing is counted.
    var rate: Double? { window.count > 0 ? Double(window.count) / window.seconds : nil }

    /// Microseconds of the server's CPU time for each.
    var serverMicroseconds: Double? {
        window.count > 0 ? window.serverCPU.map { $0 * 1e6 / Double(window.count) } : nil
    }

    /// How many cores the server used: 1 is one core all the time.
    var serverLoad: Double? { window.serverCPU.map { $0 / window.seconds } }

    /// How much of its core the generator used.
    var generatorLoad: Double { window.generatorCPU / window.seconds }

    /// Whether the generator could do no more and the server could, as far as is known.
    var isGeneratorBound: Bool { generatorLoad >= Self.busy && (serverLoad ?? 0) < Self.busy }
}
