import Testing

@testable import Scripting

@Suite("time", .bounded)
struct TimeTests {
    @Test(
        "a time is read as RFC 3339 says",
        arguments: [
            ("1970-01-01T00:00:00Z", "0"), ("2026-11-22T22:30:00.123Z", "1795386600.123"),
            ("2026-11-22T23:30:00+01:00", "1795386600"), ("2026-11-22T17:00:00-05:30", "1795386600"),
            ("2026-11-22t22:30:00z", "1795386600"), ("2026-11-22 22:30:00Z", "1795386600"),
            ("1985-04-12T23:20:50.52Z", "482196050.52"), ("1990-12-31T23:59:60Z", "662688000"),
            ("1990-12-31T15:59:60-08:00", "662688000"), ("1937-01-01T12:00:27.87+00:20", "-1041337172.13"),
            ("0000-01-01T00:00:00Z", "-62167219200"), ("9999-12-31T23:59:59Z", "253402300799"),
            ("2000-02-29T00:00:00Z", "951782400"), ("1969-12-31T23:59:59.5Z", "-0.5"),
            ("2026-11-22T22:30:00.123456789012345678901Z", "1795386600.1234567"),
        ])
    func reading(text: String, seconds: String) throws {
        #expect(
            try Stage().run("show(time.parse('\(text)') == \(seconds), time.parse('\(text)'))").first?.hasPrefix("true")
                == true)
    }

    @Test(
        "text that is no time gives nil and a reason",
        arguments: [
            ("", "not a time such as 2026-11-22T22:30:00Z"), ("now", "not a time such as 2026-11-22T22:30:00Z"),
            ("2026-11-22", "not a time such as 2026-11-22T22:30:00Z"),
            ("2026-11-22T22:30Z", "not a time such as 2026-11-22T22:30:00Z"),
            ("2026-11-22T22:30:00", "not a time such as 2026-11-22T22:30:00Z"),
            ("2026-11-22T22:30:00.Z", "not a time such as 2026-11-22T22:30:00Z"),
            ("2026-11-22T22:30:00+0100", "not a time such as 2026-11-22T22:30:00Z"),
            ("2026-11-22T22:30:00+24:00", "not a time such as 2026-11-22T22:30:00Z"),
            ("2026-11-22T22:30:00Z ", "not a time such as 2026-11-22T22:30:00Z"),
            ("26-11-22T22:30:00Z", "not a time such as 2026-11-22T22:30:00Z"),
            ("2026-1-22T22:30:00Z", "not a time such as 2026-11-22T22:30:00Z"),
            ("+026-11-22T22:30:00Z", "not a time such as 2026-11-22T22:30:00Z"),
            ("2026-02-29T00:00:00Z", "no such day"), ("1900-02-29T00:00:00Z", "no such day"),
            ("2026-04-31T00:00:00Z", "no such day"), ("2026-00-01T00:00:00Z", "no such day"),
            ("2026-13-01T00:00:00Z", "no such day"), ("2026-01-00T00:00:00Z", "no such day"),
            ("2026-01-01T24:00:00Z", "no such time of day"), ("2026-01-01T00:60:00Z", "no such time of day"),
            ("2026-01-01T00:00:61Z", "no such time of day"), ("2026-01-01T12:00:60Z", "no such time of day"),
        ])
    func refused(text: String, reason: String) throws {
        #expect(try Stage().run("show(time.parse('\(text)'))") == ["nil \(reason)"])
    }

    @Test("no text that ends early is a time")
    func cuts() throws {
        let shown = try Stage().run(
            """
            local text = "2026-11-22T22:30:00.123+01:00"
            for i = 0, #text - 1 do assert(time.parse(text:sub(1, i)) == nil, i) end
            show(time.parse(text) == time.parse("2026-11-22T21:30:00.123Z"))
            """)
        #expect(shown == ["true"])
    }

    @Test("a time is written in UTC, to the nearest millisecond")
    func writing() throws {
        let shown = try Stage().run(
            """
            for _, s in ipairs{0, -0.001, 1795386600.123, 0.0004, 0.9996, 951782399.9999, -62167219200, 253402300799.999} do
                show(time.iso(s))
            end
            show(math.abs(time.parse(time.iso()) - time.now()) < 5, time.monotonic() <= time.monotonic())
            """)
        #expect(
            shown == [
                "1970-01-01T00:00:00.000Z", "1969-12-31T23:59:59.999Z", "2026-11-22T22:30:00.123Z",
                "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:01.000Z", "2000-02-29T00:00:00.000Z",
                "0000-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z", "true true",
            ])
    }

    @Test("every day of the calendar's cycle is written and read correctly")
    func everyDay() throws {
        let stage = try Stage()
        try stage.load([
            "main": Stage.script(
                """
                local day, dates = message:match("^(%S+) (.*)$")
                day = tonumber(day)
                for date in dates:gmatch("%S+") do
                    local text = date .. "T00:00:00.000Z"
                    assert(time.iso(day * 86400) == text and time.parse(text) == day * 86400, text)
                    day = day + 1
                end
                """)
        ])
        var dates: [String] = []
        var day = -719_528
        func check() {
            let outcome = stage.message("\(day) \(dates.joined(separator: " "))")
            #expect(outcome.error?.message == nil)
            day += dates.count
            dates.removeAll(keepingCapacity: true)
        }
        // A cycle of the calendar is 400 years; the last ones of the range follow.
        for year in Array(0..<400) + Array(1900..<2101) + Array(9996..<10_000) {
            if year == 1900 { day = -25_567 }
            if year == 9996 { day = 2_931_436 }
            let isLeap = year.isMultiple(of: 4) && !year.isMultiple(of: 100) || year.isMultiple(of: 400)
            for (month, length) in [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].enumerated() {
                for date in 1...length { dates.append("\(padded(year, 4))-\(padded(month + 1, 2))-\(padded(date, 2))") }
            }
            check()
        }
    }

    private func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: width - digits.count) + digits
    }

    @Test(
        "mistakes raise and name the function",
        arguments: [
            ("time.iso('now')", "time.iso: seconds must be a number, not string"),
            ("time.iso(1e15)", "time.iso: 1e+15 is not in the years 0000 to 9999"),
            ("time.iso(253402300800)", "time.iso: 253402300800.0 is not in the years 0000 to 9999"),
            ("time.iso(math.huge)", "time.iso: inf is not in the years 0000 to 9999"),
            ("time.parse(nil)", "time.parse: the text must be a string, not nil"),
            ("time.later()", "time has no field 'later'"),
        ])
    func mistakes(call: String, message: String) throws {
        #expect(try Stage().failure(call).message == message)
    }
}
