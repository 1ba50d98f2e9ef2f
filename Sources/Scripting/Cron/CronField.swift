// The five fields of a cron expression: the values that each may hold, and how it is read.

/// One of the fields, in their order.
enum CronField: String, CaseIterable {
    case minute
    case hour
    case day
    case month
    case weekday

    /// The values that `*` stands for.
    var range: ClosedRange<Int> {
        switch self {
        case .minute: 0...59
        case .hour: 0...23
        case .day: 1...31
        case .month: 1...12
        case .weekday: 0...6
        }
    }

    /// The largest number that may be written: Sunday is 0 and 7.
    private var largest: Int { self == .weekday ? 7 : range.upperBound }

    private var names: [String] {
        switch self {
        case .minute, .hour, .day: []
        case .month: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        case .weekday: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
        }
    }

    /// The values as bits: a list of `*`, `5`, `1-5`, each with `/step`.
    func parse(_ text: Substring) throws(CronError) -> UInt64 {
        var values: UInt64 = 0
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard !part.isEmpty else { throw error("there is an empty part in '\(text)'") }
            values |= try parse(part: part)
        }
        if self == .weekday, values & (1 << 7) != 0 { values = values & 0x7F | 1 }
        return values
    }

    private func parse(part: Substring) throws(CronError) -> UInt64 {
        let halves = part.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let step = halves.count == 2 ? try self.step(halves[1], in: part) : 1
        let values = try span(halves[0], isOpen: halves.count == 2)
        return stride(from: values.lowerBound, through: values.upperBound, by: step).reduce(0) { $0 | 1 << UInt64($1) }
    }

    private func step(_ text: Substring, in part: Substring) throws(CronError) -> Int {
        guard let step = Self.number(text), step > 0, step <= largest else {
            throw error("the step in '\(part)' is not a number from 1 to \(largest)")
        }
        return step
    }

    /// - Parameter isOpen: whether a single value begins a range to the end, because a step follows.
    private func span(_ text: Substring, isOpen: Bool) throws(CronError) -> ClosedRange<Int> {
        if text == "*" { return range }
        let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let first = try value(ends[0])
        guard ends.count == 2 else { return first...(isOpen ? max(first, range.upperBound) : first) }
        var last = try value(ends[1])
        // "fri-sun" ends with the Sunday at the end of the week.
        if self == .weekday, last == 0, first > 0 { last = 7 }
        guard first <= last else { throw error("the range '\(text)' runs backwards") }
        return first...last
    }

    private func value(_ text: Substring) throws(CronError) -> Int {
        if let index = names.firstIndex(of: text.lowercased()) { return index + range.lowerBound }
        guard let value = Self.number(text), (range.lowerBound...largest).contains(value) else {
            let alternative = names.first.map { " or \($0) to \(names[names.count - 1])" } ?? ""
            throw error("'\(text)' is not \(range.lowerBound) to \(largest)\(alternative)")
        }
        return value
    }

    private static func number(_ text: Substring) -> Int? {
        guard (1...3).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text)
    }

    private func error(_ message: String) -> CronError { CronError(message: "\(rawValue): \(message)") }
}

/// A mistake in a cron expression. The message names the field.
struct CronError: Error, Equatable {
    let message: String
}
