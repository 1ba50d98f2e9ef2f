// A strict reader of the text format of Prometheus, 0.0.4, written after its description: every rule that a scraper or
// `promtool check metrics` would complain about throws.

struct MetricsPage {
    struct Problem: Error, CustomStringConvertible {
        let line: Int
        let message: String
        var description: String { "line \(line): \(message)" }
    }

    struct Sample: Equatable {
        let name: String
        /// In the order of the page.
        let labels: [[String]]
        let value: Double
    }

    private(set) var types: [String: String] = [:]
    private(set) var samples: [Sample] = []
    private var family = ""
    private var closed: Set<String> = []
    private var helped: Set<String> = []
    private var seen: Set<String> = []
    private var number = 0

    init(_ text: String) throws(Problem) {
        guard text.hasSuffix("\n") else { throw Problem(line: 0, message: "the last line does not end") }
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            if line.hasPrefix("# ") { try comment(line) } else { try sample(line) }
        }
        try checkHistograms()
    }

    /// The value of the sample with these labels, `nil` when there is none.
    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        samples.first { sample in
            sample.name == name && sample.labels.count == labels.count
                && sample.labels.allSatisfy { labels[$0[0]] == $0[1] }
        }?.value
    }

    private func problem(_ message: String) -> Problem { Problem(line: number, message: message) }

    private mutating func comment(_ line: Substring) throws(Problem) {
        let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
        guard words.count == 4, words[1] == "HELP" || words[1] == "TYPE" else { throw problem("a comment of no kind") }
        let name = String(words[2])
        guard isName(name, withColon: true) else { throw problem("'\(name)' is no name") }
        if name != family {
            closed.insert(family)
            guard !closed.contains(name) else { throw problem("the lines of \(name) are not together") }
            family = name
        }
        if words[1] == "HELP" {
            guard helped.insert(name).inserted, types[name] == nil else { throw problem("HELP of \(name) comes late") }
        } else {
            guard types[name] == nil, !samples.contains(where: { $0.name == name }) else {
                throw problem("TYPE of \(name) comes late")
            }
            guard ["counter", "gauge", "histogram"].contains(words[3]) else { throw problem("no type: \(words[3])") }
            types[name] = String(words[3])
        }
    }

    private mutating func sample(_ line: Substring) throws(Problem) {
        var rest = line
        let name = String(rest.prefix { $0 != "{" && $0 != " " })
        rest = rest.dropFirst(name.count)
        guard isName(name, withColon: true) else { throw problem("'\(name)' is no name") }
        let labels = try rest.first == "{" ? labels(&rest) : []
        guard rest.first == " ", let value = Self.number(rest.dropFirst()) else { throw problem("no value: \(rest)") }
        guard let type = types[family] else { throw problem("\(name) has no TYPE") }
        let names = type == "histogram" ? ["_bucket", "_sum", "_count"].map { family + $0 } : [family]
        guard names.contains(name) else { throw problem("\(name) is not of the family \(family)") }
        guard labels.contains(where: { $0[0] == "le" }) == name.hasSuffix("_bucket") || type != "histogram" else {
            throw problem("le is where it must not be, or is missing")
        }
        if type == "counter", value < 0 { throw problem("a negative counter") }
        guard seen.insert("\(name) \(labels.sorted { $0[0] < $1[0] })").inserted else {
            throw problem("\(name) twice with the same labels")
        }
        samples.append(Sample(name: name, labels: labels, value: value))
    }

    private func labels(_ rest: inout Substring) throws(Problem) -> [[String]] {
        var labels: [[String]] = []
        rest.removeFirst()
        while true {
            let name = String(rest.prefix { $0 != "=" && $0 != "}" })
            rest = rest.dropFirst(name.count)
            guard isName(name, withColon: false), rest.hasPrefix("=\"") else { throw problem("no label: \(rest)") }
            guard !labels.contains(where: { $0[0] == name }) else { throw problem("the label \(name) twice") }
            rest = rest.dropFirst(2)
            labels.append([name, try value(&rest)])
            guard let next = rest.popFirst() else { throw problem("labels do not end") }
            if next == "}" { return labels }
            guard next == "," else { throw problem("no comma between labels") }
        }
    }

    private func value(_ rest: inout Substring) throws(Problem) -> String {
        var value = ""
        while let character = rest.popFirst() {
            if character == "\"" { return value }
            guard character == "\\" else {
                value.append(character)
                continue
            }
            switch rest.popFirst() {
            case "\\": value += "\\"
            case "\"": value += "\""
            case "n": value += "\n"
            default: throw problem("an escape of nothing")
            }
        }
        throw problem("a value does not end")
    }

    /// Buckets are in order, grow, end with +Inf, and agree with the count.
    private func checkHistograms() throws(Problem) {
        for (name, type) in types where type == "histogram" {
            var series: [String: [(bound: Double, count: Double)]] = [:]
            for sample in samples where sample.name == "\(name)_bucket" {
                guard let bound = sample.labels.first(where: { $0[0] == "le" }).flatMap({ Self.number($0[1][...]) })
                else {
                    throw problem("\(name): le is no number")
                }
                series["\(sample.labels.filter { $0[0] != "le" })", default: []].append((bound, sample.value))
            }
            for (labels, buckets) in series {
                let isSorted = zip(buckets, buckets.dropFirst()).allSatisfy {
                    $0.bound < $1.bound && $0.count <= $1.count
                }
                let count = samples.first { $0.name == "\(name)_count" && "\($0.labels)" == labels }?.value
                let hasSum = samples.contains { $0.name == "\(name)_sum" && "\($0.labels)" == labels }
                guard isSorted, hasSum, buckets.last?.bound == .infinity, buckets.last?.count == count else {
                    throw problem("\(name)\(labels): the buckets do not agree")
                }
            }
        }
    }

    private func isName(_ text: String, withColon: Bool) -> Bool {
        guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            case UInt8(ascii: ":"): withColon
            default: false
            }
        }
    }

    private static func number(_ text: Substring) -> Double? {
        switch text {
        case "+Inf": .infinity
        case "-Inf": -.infinity
        case "NaN": .nan
        default: text.utf8.allSatisfy { "0123456789.e+-".utf8.contains($0) } ? Double(text) : nil
        }
    }
}
