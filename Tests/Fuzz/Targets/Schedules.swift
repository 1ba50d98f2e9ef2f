// Times as people write them: cron expressions, whose due times are held against the C library's calendar; durations and sizes
// of the configuration.

import Glibc

@testable import Scripting
@testable import Settings

@Sendable func checkCron(_ input: [UInt8]) {
    let text = String(decoding: input, as: UTF8.self)
    guard let schedule = try? CronSchedule(text) else { return }
    taken()
    var generator = generator(for: input)
    var now = Int.random(in: -(1 << 33)...1 << 35, using: &generator)
    for _ in 0..<4 {
        guard let due = schedule.next(after: now) else { return expect(false, "a schedule is due again") }
        expect(due > now && due % 60 == 0, "a due time is a later whole minute")
        expect(schedule.next(after: due - 1) == due, "the second before it, the same one is next")
        let between = Int.random(in: now..<due, using: &generator)
        expect(schedule.next(after: between) == due, "and any moment before it, \(between) as well")
        expect(fits(due, text), "\(due) fits '\(text)'")
        now = due
    }
}

/// Whether each field that is one number has that number in the C library's calendar.
private func fits(_ due: Int, _ text: String) -> Bool {
    let fields = text.split { $0 == " " || $0 == "\t" }
    guard fields.count == 5 else { return true }
    var (seconds, date) = (time_t(due), tm())
    gmtime_r(&seconds, &date)
    func agrees(_ field: Int, _ value: Int32) -> Bool { Int32(fields[field]).map { $0 == value } ?? true }
    let isDay = agrees(2, date.tm_mday)
    // Sunday is 0 and 7.
    let isWeekday = agrees(4, date.tm_wday) || Int32(fields[4]) == 7 && date.tm_wday == 0
    let isEither = Int32(fields[2]) != nil && Int32(fields[4]) != nil
    return agrees(0, date.tm_min) && agrees(1, date.tm_hour) && agrees(3, date.tm_mon + 1)
        && (isEither ? isDay || isWeekday : true)
}

@Sendable func checkDurations(_ input: [UInt8]) {
    let text = String(decoding: input, as: UTF8.self)
    let range: ClosedRange<Duration> = .milliseconds(10) ... .seconds(3600)
    if let time = Duration(text, in: range) {
        taken()
        expect(range.contains(time), "a time is within its range")
        let milliseconds = time.components.seconds * 1_000 + time.components.attoseconds / 1_000_000_000_000_000
        expect(Duration("\(milliseconds)ms", in: range) == time, "and a number of milliseconds")
        expect(text.utf8.allSatisfy { $0 < 0x80 }, "written in ASCII")
    }
    check(.time(range), text)
    check(.timeOrNever(range), text)
    check(.size(1...1 << 40), text)
    check(.size(0...Int.max), text)
}

/// An accepted schedule is written as a text of the same meaning.
private func check<Value: Equatable>(_ type: ValueType<Value>, _ text: String) {
    guard let value = read(text, as: type) else { return }
    taken()
    guard case .text(let written, _) = type.write(value, true).content else {
        return expect(false, "a time or size is written as one text")
    }
    expect(read(written, as: type) == value, "\(text) is written as \(written), which means the same")
}

private func read<Value>(_ text: String, as type: ValueType<Value>) -> Value? {
    var findings: [Finding] = []
    let value = type.read(.text(text), &findings)
    expect((value == nil) == !findings.isEmpty, "a refusal says why")
    return value
}
