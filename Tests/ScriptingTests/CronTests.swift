// Cron expressions: correct ones, the errors for wrong ones, and due times.

import SeededGenerator
import Testing

@testable import Scripting

@Suite("cron", .bounded)
struct CronTests {
    /// Seconds since 1970 of a time of 2026, a year that begins on a Thursday.
    private static func seconds(_ month: Int, _ day: Int, _ hour: Int, _ minute: Int, _ second: Int = 0) -> Int {
        let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
        let days = 20_454 + before[month - 1] + day - 1
        return ((days * 24 + hour) * 60 + minute) * 60 + second
    }

    struct Row: CustomTestStringConvertible, Sendable {
        let expression: String
        let after: Int
        let due: Int
        var testDescription: String { "\(expression) after \(after)" }

        init(_ expression: String, _ after: Int, _ due: Int) {
            self.expression = expression
            self.after = after
            self.due = due
        }
    }

    private static let rows = [
        Row("* * * * *", seconds(3, 1, 12, 0), seconds(3, 1, 12, 1)),
        Row("* * * * *", seconds(3, 1, 12, 0, 59), seconds(3, 1, 12, 1)),
        Row("* * * * *", seconds(3, 1, 11, 59, 59), seconds(3, 1, 12, 0)),
        Row("*/5 * * * *", seconds(3, 1, 12, 55), seconds(3, 1, 13, 0)),
        Row("2-59/20 * * * *", seconds(3, 1, 12, 23), seconds(3, 1, 12, 42)),
        Row("50/4 * * * *", seconds(3, 1, 12, 51), seconds(3, 1, 12, 54)),
        Row("0 9-17 * * *", seconds(3, 1, 17, 0), seconds(3, 2, 9, 0)),
        Row("30 3 * * *", seconds(12, 31, 3, 30), seconds(12, 31, 3, 30) + 86_400),
        Row("0,15,45 4 * * *", seconds(3, 1, 4, 15), seconds(3, 1, 4, 45)),
        Row("0 0 31 * *", seconds(4, 1, 0, 0), seconds(5, 31, 0, 0)),
        Row("0 0 * feb-mar *", seconds(4, 1, 0, 0), seconds(2, 1, 0, 0) + 365 * 86_400),
        // 1 March 2026 is a Sunday.
        Row("0 0 * * 0", seconds(2, 28, 0, 0), seconds(3, 1, 0, 0)),
        Row("0 0 * * 7", seconds(2, 28, 0, 0), seconds(3, 1, 0, 0)),
        Row("0 0 * * SUN", seconds(2, 28, 0, 0), seconds(3, 1, 0, 0)),
        Row("0 0 * * mon-fri", seconds(2, 27, 0, 0), seconds(3, 2, 0, 0)),
        Row("0 0 * * fri-sun", seconds(2, 28, 0, 0), seconds(3, 1, 0, 0)),
        Row("0 0 * * 5-7", seconds(3, 1, 0, 0), seconds(3, 6, 0, 0)),
        // Day and weekday: a date needs only one of them if neither begins with a star.
        Row("0 0 13 * fri", seconds(3, 1, 0, 0), seconds(3, 6, 0, 0)),
        Row("0 0 13 * mon", seconds(3, 9, 0, 0), seconds(3, 13, 0, 0)),
        Row("0 0 */2 * mon", seconds(3, 2, 0, 0), seconds(3, 9, 0, 0)),
        Row("0 0 29 2 *", seconds(3, 1, 0, 0), seconds(2, 28, 0, 0) + (2 * 365 + 1) * 86_400),
        Row("@hourly", seconds(3, 1, 12, 0), seconds(3, 1, 13, 0)),
        Row("@daily", seconds(3, 1, 12, 0), seconds(3, 2, 0, 0)),
        Row("@midnight", seconds(3, 1, 12, 0), seconds(3, 2, 0, 0)),
        Row("@weekly", seconds(3, 1, 0, 0), seconds(3, 8, 0, 0)),
        Row("@monthly", seconds(3, 1, 0, 0), seconds(4, 1, 0, 0)),
        Row("@yearly", seconds(3, 1, 0, 0), seconds(1, 1, 0, 0) + 365 * 86_400),
        Row("@Annually", seconds(3, 1, 0, 0), seconds(1, 1, 0, 0) + 365 * 86_400),
        Row("  0\t12  1 * *  ", seconds(3, 1, 12, 0), seconds(4, 1, 12, 0)),
    ]

    @Test("is due at the next minute that fits", arguments: rows)
    func table(row: Row) throws {
        #expect(try CronSchedule(row.expression).next(after: row.after) == row.due)
    }

    @Test(
        "a mistake names the field",
        arguments: [
            ("", "'' has 0 fields and should have 5: minute hour day month weekday"),
            ("* * * *", "'* * * *' has 4 fields and should have 5: minute hour day month weekday"),
            ("* * * * * *", "'* * * * * *' has 6 fields and should have 5: minute hour day month weekday"),
            ("60 * * * *", "minute: '60' is not 0 to 59"),
            ("-1 * * * *", "minute: '' is not 0 to 59"),
            ("* 24 * * *", "hour: '24' is not 0 to 23"),
            ("* * 0 * *", "day: '0' is not 1 to 31"),
            ("* * * 13 *", "month: '13' is not 1 to 12 or jan to dec"),
            ("* * * january *", "month: 'january' is not 1 to 12 or jan to dec"),
            ("* * * * 8", "weekday: '8' is not 0 to 7 or sun to sat"),
            ("* * * * x", "weekday: 'x' is not 0 to 7 or sun to sat"),
            ("1,,2 * * * *", "minute: there is an empty part in '1,,2'"),
            ("1, * * * *", "minute: there is an empty part in '1,'"),
            ("*/0 * * * *", "minute: the step in '*/0' is not a number from 1 to 59"),
            ("*/ * * * *", "minute: the step in '*/' is not a number from 1 to 59"),
            ("*/5/5 * * * *", "minute: the step in '*/5/5' is not a number from 1 to 59"),
            ("* 17-9 * * *", "hour: the range '17-9' runs backwards"),
            ("* 1-2-3 * * *", "hour: '2-3' is not 0 to 23"),
            ("* 99999999999999999999 * * *", "hour: '99999999999999999999' is not 0 to 23"),
            ("0 0 30 2 *", "no date fits '0 0 30 2 *'"),
            ("0 0 31 apr,jun *", "no date fits '0 0 31 apr,jun *'"),
            (
                "@often",
                "'@often' is not one of @annually, @daily, @hourly, @midnight, @monthly, @weekly, @yearly"
            ),
        ])
    func mistakes(expression: String, message: String) {
        #expect(throws: CronError(message: message)) { try CronSchedule(expression) }
    }

    @Test("dates follow the calendar, leap years included")
    func calendar() {
        // Counted day by day by the rules of the calendar.
        var year = 1970
        var month = 1
        var day = 1
        for days in 0..<100_000 {
            let date = CivilDate(daysSince1970: days)
            #expect(date.year == year && date.month == month && date.day == day && date.weekday == (days + 4) % 7)
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            day += 1
            if day > lengths[month - 1] { (day, month) = (1, month + 1) }
            if month > 12 { (month, year) = (1, year + 1) }
        }
        #expect(CivilDate(daysSince1970: -1).day == 31 && CivilDate(daysSince1970: -1).weekday == 3)
    }

    /// The text of a field, and its numbers.
    private struct Written {
        var text = ""
        var values: Set<Int> = []
    }

    private func write(_ field: CronField, _ random: inout SeededGenerator) -> Written {
        let range = field.range
        var written = Written()
        for part in 0..<Int.random(in: 1...3, using: &random) {
            if part > 0 { written.text += "," }
            let first = Int.random(in: range, using: &random)
            let last = Int.random(in: first...range.upperBound, using: &random)
            let step = Int.random(in: 1...max(1, range.count / 2), using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0 where field == .minute || field == .hour:
                written.text += "*"
                written.values.formUnion(range)
            case 1:
                written.text += "\(first)-\(last)"
                written.values.formUnion(first...last)
            case 2:
                written.text += "\(first)-\(last)/\(step)"
                written.values.formUnion(stride(from: first, through: last, by: step))
            case 3:
                written.text += "\(first)/\(step)"
                written.values.formUnion(stride(from: first, through: range.upperBound, by: step))
            default:
                written.text += "\(first)"
                written.values.insert(first)
            }
        }
        return written
    }

    /// A random expression that a date fits; the only possible mistake of such an expression is that no date fits.
    private func anySchedule(_ random: inout SeededGenerator) throws -> ([Written], String, CronSchedule) {
        while true {
            var fields = CronField.allCases.map { write($0, &random) }
            // Often enough every day and every month, so that it is due within the examined year.
            for index in 2...4 where Bool.random(using: &random) {
                fields[index] = Written(text: "*", values: Set(CronField.allCases[index].range))
            }
            let text = fields.map(\.text).joined(separator: " ")
            do throws(CronError) {
                return (fields, text, try CronSchedule(text))
            } catch {
                try #require(error.message == "no date fits '\(text)'")
            }
        }
    }

    @Test("agrees with looking at every minute", arguments: [UInt64](1...300))
    func everyMinute(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let (fields, text, schedule) = try anySchedule(&random)
        let isEither = !fields[2].text.hasPrefix("*") && !fields[4].text.hasPrefix("*")
        let start = Int.random(in: 0...4_000_000_000, using: &random)
        var minute = start / 60
        for _ in 0..<400 * 1_440 {
            minute += 1
            let time = minute % 1_440
            guard fields[0].values.contains(time % 60), fields[1].values.contains(time / 60) else { continue }
            let date = CivilDate(daysSince1970: minute / 1_440)
            let fitsDay = fields[2].values.contains(date.day)
            let fitsWeekday = fields[4].values.contains(date.weekday)
            guard fields[3].values.contains(date.month), isEither ? fitsDay || fitsWeekday : fitsDay && fitsWeekday
            else { continue }
            #expect(schedule.next(after: start) == minute * 60, "\(text) after \(start)")
            return
        }
        let due = try #require(schedule.next(after: start))
        #expect(due > minute * 60, "\(text) after \(start)")
    }

    @Test("reading any text ends in a schedule or a mistake")
    func fuzz() {
        var random = SeededGenerator(seed: 8)
        let letters = Array("0123456789*/,-  @abcdefjmnostuwy\t7")
        var taken = 0
        for round in 0..<20_000 {
            // Every second text has five short fields, so that some are accepted.
            let text = (0..<(round % 2 == 0 ? 1 : 5)).map { _ in
                if round % 2 == 1, random.oneIn(2) { return "*" }
                let count = Int.random(in: round % 2 == 0 ? 0...24 : 1...2, using: &random)
                return String((0..<count).map { _ in letters.randomElement(using: &random)! })
            }
            guard let schedule = try? CronSchedule(text.joined(separator: " ")) else { continue }
            taken += 1
            let due = schedule.next(after: 1_000_000_000)
            #expect(due.map { $0 > 1_000_000_000 && $0 % 60 == 0 } == true, "\(text)")
        }
        #expect(taken >= 40)
    }
}
