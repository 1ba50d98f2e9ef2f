// The report for programs: one JSON object, with the units in the names.

enum JSONReport {
    /// - Parameter server: who was measured and how, in words.
    static func text(_ results: [Figures], server: String) -> String {
        let objects = results.map { "    \(object($0))" }.joined(separator: ",\n")
        return "{\n  \"server\": \(quoted(server)),\n  \"results\": [\n\(objects)\n  ]\n}"
    }

    private static func object(_ figures: Figures) -> String {
        func micro(_ quantile: Double) -> String {
            number(figures.window.latency.value(at: quantile).map { Double($0) / 1e3 })
        }
        let members = [
            ("scenario", quoted(figures.scenario)), ("setting", quoted(figures.setting)),
            ("unit", quoted(figures.unit)),
            ("seconds", number(figures.window.seconds)), ("count", "\(figures.window.count)"),
            ("perSecond", number(figures.rate)), ("p50Microseconds", micro(0.5)), ("p99Microseconds", micro(0.99)),
            ("p999Microseconds", micro(0.999)), ("serverCPUMicrosecondsEach", number(figures.serverMicroseconds)),
            ("serverCores", number(figures.serverLoad)), ("generatorCores", number(figures.generatorLoad)),
            ("generatorWasBottleneck", "\(figures.isGeneratorBound)"),
            ("serverBytesPerConnection", number(figures.bytesPerConnection)),
            ("notes", "[\(figures.notes.map(quoted).joined(separator: ", "))]"),
        ]
        return "{" + members.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}"
    }

    private static func number(_ value: Double?) -> String { value?.text(digits: 3) ?? "null" }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case ..<" ": quoted += "\\u00" + String(scalar.value + 0x100, radix: 16).suffix(2)
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
