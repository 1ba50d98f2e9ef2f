// When a cron expression is due: five sets of numbers, and a search for the next minute that is in all of them. UTC, so
// that no due time is skipped or doubled when clocks are changed for the summer.

/// The due times of an expression such as `*/5 9-17 * * mon-fri`.
struct CronSchedule: Sendable, Equatable {
    private static let macros = [
        "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
        "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
    ]

    /// The 29th of February may be eight years away.
    private static let farthestDay = 9 * 366

    private let minutes: UInt64
    private let hours: UInt64
    private let days: UInt64
    private let months: UInt64
    private let weekdays: UInt64
    /// Day and weekday are both given: either will do.
    private let isEitherDay: Bool

    /// Reads five fields, or one of `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly`, `@annually`.
    init(_ text: String) throws(CronError) {
        var fields = Self.fields(text)
        if fields.count == 1, fields[0].hasPrefix("@") {
            guard let macro = Self.macros[fields[0].lowercased()] else {
                throw CronError(
                    message: "'\(fields[0])' is not one of \(Self.macros.keys.sorted().joined(separator: ", "))")
            }
            fields = Self.fields(macro)
        }
        guard fields.count == CronField.allCases.count else {
            throw CronError(
                message: "'\(text)' has \(fields.count) fields and should have 5: minute hour day month weekday")
        }
        minutes = try CronField.minute.parse(fields[0])
        hours = try CronField.hour.parse(fields[1])
        days = try CronField.day.parse(fields[2])
        months = try CronField.month.parse(fields[3])
        weekdays = try CronField.weekday.parse(fields[4])
        isEitherDay = !fields[2].hasPrefix("*") && !fields[4].hasPrefix("*")
        guard next(after: 0) != nil else { throw CronError(message: "no date fits '\(text)'") }
    }

    /// The first due time later than `seconds`, both in seconds since 1970; it is a whole minute.
    func next(after seconds: Int) -> Int? {
        let minute = seconds.floorDivided(by: 60) + 1
        let today = minute.floorDivided(by: 1_440)
        if let found = nextMinute(from: minute - today * 1_440), fits(day: today) {
            return (today * 1_440 + found) * 60
        }
        let first = hours.trailingZeroBitCount * 60 + minutes.trailingZeroBitCount
        for day in (today + 1)...(today + Self.farthestDay) where fits(day: day) {
            return (day * 1_440 + first) * 60
        }
        return nil
    }

    private static func fields(_ text: String) -> [Substring] {
        text.split { $0 == " " || $0 == "\t" }
    }

    private func fits(day: Int) -> Bool {
        let date = CivilDate(daysSince1970: day)
        guard Self.has(months, date.month) else { return false }
        let fitsDay = Self.has(days, date.day)
        let fitsWeekday = Self.has(weekdays, date.weekday)
        return isEitherDay ? fitsDay || fitsWeekday : fitsDay && fitsWeekday
    }

    /// The first due minute of a day that is not before `minute`.
    private func nextMinute(from minute: Int) -> Int? {
        let hour = minute / 60
        let rest = minutes >> UInt64(minute % 60)
        if Self.has(hours, hour), rest != 0 { return minute + rest.trailingZeroBitCount }
        let later = hours >> UInt64(hour + 1)
        guard later != 0 else { return nil }
        return (hour + 1 + later.trailingZeroBitCount) * 60 + minutes.trailingZeroBitCount
    }

    private static func has(_ set: UInt64, _ value: Int) -> Bool { set >> UInt64(value) & 1 != 0 }
}
