// The time of a log entry: UTC, to the millisecond, as RFC 3339 writes it.

import CLinux
internal import Glibc

/// A moment in nanoseconds since 1970, as the wall clock has it.
struct LogTime {
    let nanoseconds: Int64

    @Sendable static func now() -> LogTime { LogTime(nanoseconds: clinux_wall_clock_nanoseconds()) }

    /// `2026-11-22T16:24:22.123Z`.
    var text: String {
        var seconds = time_t(nanoseconds / 1_000_000_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let date =
            "\(Self.padded(Int(parts.tm_year) + 1900, 4))-\(Self.padded(Int(parts.tm_mon) + 1, 2))-\(Self.padded(parts.tm_mday, 2))"
        let clock = "\(Self.padded(parts.tm_hour, 2)):\(Self.padded(parts.tm_min, 2)):\(Self.padded(parts.tm_sec, 2))"
        return "\(date)T\(clock).\(Self.padded(nanoseconds / 1_000_000 % 1_000, 3))Z"
    }

    private static func padded(_ number: some BinaryInteger, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
