// The report for people: a row for each scenario as it ends, and what there is to say about it below.

/// A table with columns of fixed width, so that a row can be printed before the next is known.
struct Table {
    private static let columns: [(title: String, width: Int)] = [
        ("", -11), ("", -36), ("per second", 11), ("p50", 10), ("p99", 10), ("p99.9", 10), ("server CPU", 12),
        ("server", 8), ("generator", 10),
    ]

    var head: String {
        let line = Self.line(Self.columns.map(\.title))
        return line + "\n" + String(repeating: "─", count: line.count)
    }

    func row(_ figures: Figures) -> String {
        guard let rate = figures.rate else { return idleRow(figures) }
        let latencies = [0.5, 0.99, 0.999].map { figures.window.latency.value(at: $0)?.durationText ?? "-" }
        return Self.line(
            [figures.scenario, figures.setting, Int(rate.rounded()).grouped] + latencies
                + [
                    figures.serverMicroseconds.map { "\($0.text(digits: 2)) µs" } ?? "-",
                    figures.serverLoad.map(\.percentText) ?? "-", figures.generatorLoad.percentText,
                ])
    }

    private func idleRow(_ figures: Figures) -> String {
        let memory = figures.bytesPerConnection.map { "\(Int($0.rounded()).grouped) B of the server's memory each" }
        let cpu = figures.serverLoad.map { "\($0.percentText) of a core" }
        let facts = [memory, cpu].compactMap(\.self).joined(separator: ", ")
        return Self.line([figures.scenario, figures.setting]) + "   " + facts
    }

    /// What the columns mean, and what to know about single rows.
    func foot(_ results: [Figures]) -> String {
        var lines = [
            "",
            "p50, p99, p99.9: from sending to receiving. server CPU: of all its threads, user and kernel, for each",
            "message, delivery or handshake. server, generator: how busy their cores were.",
        ]
        for figures in results {
            for note in figures.notes { lines.append("! \(figures.scenario), \(figures.setting): \(note)") }
        }
        return lines.joined(separator: "\n")
    }

    /// Left-aligned where the width is negative.
    private static func line(_ cells: [String]) -> String {
        zip(cells, columns).map { cell, column in
            let padding = String(repeating: " ", count: max(0, abs(column.width) - cell.count))
            return column.width < 0 ? cell + padding : padding + cell
        }.joined()
    }
}
