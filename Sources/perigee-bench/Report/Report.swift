// The report: for people a row for each scenario when it ends, with notes below; for programs one JSON object. Last, how
// numbers are written.
//
// Read next: Figures.swift.

import JSON

/// A table with columns of fixed width, so that a row can be printed before the next is known.
struct TextReport {
    private static let columns: [(title: String, width: Int)] = [
        ("", -11), ("", -40), ("per second", 11), ("p50", 10), ("p99", 10), ("p99.9", 10), ("server CPU", 12),
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

    /// The meaning of the columns, and the notes of each row.
    func foot(_ results: [Figures]) -> String {
        var lines = [
            "",
            "p50, p99, p99.9: the time from sending to receiving. server CPU: of all its threads, user and kernel, for",
            "each message, delivery, push or handshake. server, generator: the share of its core that each used.",
        ]
        for figures in results {
            for note in figures.notes { lines.append("! \(figures.scenario), \(figures.setting): \(note)") }
        }
        return lines.joined(separator: "\n")
    }

    private static func line(_ cells: [String]) -> String { line(cells, widths: columns.map(\.width)) }

    /// Cells in columns of these widths, left-aligned where the width is negative.
    static func line(_ cells: [String], widths: [Int]) -> String {
        zip(cells, widths).map { cell, width in
            let padding = String(repeating: " ", count: max(0, abs(width) - cell.count))
            return width < 0 ? cell + padding : padding + cell
        }.joined()
    }
}

/// One JSON object, with the units in the names.
enum JSONReport {
    /// - Parameter server: the server that was measured and its cores, in words.
    static func text(_ results: [Figures], server: String) -> String {
        JSONOutput.object { report in
            report.add("server", server)
            report.list("results", results, add)
        }.text
    }

    private static func add(_ figures: Figures, to members: inout JSONOutput.Members) {
        func micro(_ quantile: Double) -> Double? {
            figures.window.latency.value(at: quantile).map { Double($0) / 1e3 }
        }
        members.add("scenario", figures.scenario)
        members.add("setting", figures.setting)
        members.add("unit", figures.unit)
        members.addJSON("seconds", number(figures.window.seconds))
        members.add("count", figures.window.count)
        members.addJSON("perSecond", number(figures.rate))
        members.addJSON("p50Microseconds", number(micro(0.5)))
        members.addJSON("p99Microseconds", number(micro(0.99)))
        members.addJSON("p999Microseconds", number(micro(0.999)))
        members.addJSON("serverCPUMicrosecondsEach", number(figures.serverMicroseconds))
        members.addJSON("serverCores", number(figures.serverLoad))
        members.addJSON("generatorCores", number(figures.generatorLoad))
        members.add("generatorWasBottleneck", figures.isGeneratorBound)
        members.addJSON("serverBytesPerConnection", number(figures.bytesPerConnection))
        members.add("notes", figures.notes)
    }

    private static func number(_ value: Double?) -> String { value?.text(digits: 3) ?? "null" }
}

// Numbers as the report for people shows them.

extension Int {
    /// `171,204`.
    var grouped: String {
        var text = ""
        for (index, digit) in String(magnitude).reversed().enumerated() {
            if index > 0, index.isMultiple(of: 3) { text = "," + text }
            text = String(digit) + text
        }
        return self < 0 ? "-" + text : text
    }

    /// `64 B`, `16 KiB`.
    var bytesText: String {
        if self >= 1 << 20, isMultiple(of: 1 << 20) { return "\(self >> 20) MiB" }
        if self >= 1 << 10, isMultiple(of: 1 << 10) { return "\(self >> 10) KiB" }
        return "\(self) B"
    }
}

extension UInt64 {
    /// Nanoseconds as `42 µs`, `1.23 ms` or `2.10 s`.
    var durationText: String {
        switch self {
        case ..<1_000_000: "\((Double(self) / 1e3).text(digits: 0)) µs"
        case ..<1_000_000_000: "\((Double(self) / 1e6).text(digits: 2)) ms"
        default: "\((Double(self) / 1e9).text(digits: 2)) s"
        }
    }
}

extension Double {
    /// The number with so many digits after the point.
    func text(digits: Int) -> String {
        guard isFinite, magnitude < 1e15 else { return "-" }
        let scale = (0..<digits).reduce(1) { power, _ in power * 10 }
        let scaled = Int((magnitude * Double(scale)).rounded())
        let sign = self < 0 && scaled > 0 ? "-" : ""
        guard digits > 0 else { return "\(sign)\(scaled)" }
        let fraction = String(scaled % scale)
        return "\(sign)\(scaled / scale)." + String(repeating: "0", count: digits - fraction.count) + fraction
    }

    /// `0.97` as `97 %`.
    var percentText: String { "\((self * 100).text(digits: self < 0.1 ? 1 : 0)) %" }
}
