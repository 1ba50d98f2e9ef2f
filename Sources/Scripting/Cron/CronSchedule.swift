// The times at which a cron expression is due: five sets of numbers, and a search for the next minute that is in all of
// them. Times are UTC, so a change to or from daylight saving time neither skips nor doubles a due time.

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
    /// Whether day and weekday are both given: then a date needs only one of them.
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

/// Year, month and day of a number of days since 1970-01-01.
struct CivilDate: Equatable {
    let year: Int
    /// 1 to 12.
    let month: Int
    /// 1 to 31.
    let day: Int
    /// 0 is Sunday.
    let weekday: Int

    /// Counts in eras of 400 years that begin on 1 March, so that a leap day is the last day of its year.
    init(daysSince1970 days: Int) {
        let shifted = days + 719_468
        let era = shifted.floorDivided(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        // 1 January 1970 was a Thursday.
        weekday = days + 4 - (days + 4).floorDivided(by: 7) * 7
    }
}

extension Int {
    /// The quotient rounded down, for negative numbers as well.
    func floorDivided(by divisor: Int) -> Int {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
