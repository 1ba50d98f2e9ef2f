// Numbers as the report shows them.

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
    /// With so many digits after the point.
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
