// The text of a Date field, which a server with a clock must send (RFC 9110, section 6.6.1), without a calendar library.

/// Writes times in the format of HTTP (`IMF-fixdate`, RFC 9110, section 5.6.7).
public enum HTTPDate {
    /// The text of a time, such as `Sun, 06 Nov 1994 08:49:37 GMT`. A time outside the years 1970 to 9999 becomes the nearest
    /// one inside.
    public static func text(secondsSince1970 seconds: Int) -> String {
        let seconds = min(max(seconds, 0), lastSecond)
        let (days, time) = (seconds / 86400, seconds % 86400)
        let (year, month, day) = date(daysSince1970: days)
        let clock = [time / 3600, time / 60 % 60, time % 60].map(twoDigits).joined(separator: ":")
        // Day 0 was a Thursday.
        return "\(weekdays[(days + 4) % 7]), \(twoDigits(day)) \(months[month]) \(year) \(clock) GMT"
    }

    /// The date of a day; the month counts from 0.
    ///
    /// Goes year by year, which is fast enough for a caller that keeps the text for a second.
    private static func date(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
        var (year, month, rest) = (1970, 0, days)
        while rest >= (isLeap(year) ? 366 : 365) {
            rest -= isLeap(year) ? 366 : 365
            year += 1
        }
        while rest >= length(ofMonth: month, in: year) {
            rest -= length(ofMonth: month, in: year)
            month += 1
        }
        return (year, month, rest + 1)
    }

    private static func isLeap(_ year: Int) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    private static func length(ofMonth month: Int, in year: Int) -> Int {
        month == 1 && isLeap(year) ? 29 : monthLengths[month]
    }

    private static func twoDigits(_ number: Int) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }

    private static let lastSecond = 253_402_300_799
    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let monthLengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
}
