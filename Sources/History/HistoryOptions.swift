// How a store works, and every bound that it has.

import Glibc
import CLinux

/// When the file is written to the disk itself, so that it survives a power failure.
public enum HistorySync: String, Sendable, CaseIterable {
    /// At each commit: nothing that was answered is ever lost.
    case full
    /// At checkpoints: a power failure loses the commits since the last one.
    case normal
    /// When the system likes: a power failure may lose anything, perhaps the file.
    case off
}

/// What to do with a damaged file.
public enum DamagedFile: String, Sendable, CaseIterable {
    /// Leave it as it is, and answer that the history is unavailable, until an operator has moved it away.
    case refuse
    /// Keep it under another name, and begin an empty one.
    case startOver
}

/// How a store works.
public struct HistoryOptions: Sendable {
    /// The path of the file. Beside it lie `-wal`, `-shm` and `.lock`.
    public var file: String
    public var sync = HistorySync.normal
    public var onCorrupt = DamagedFile.refuse
    /// Bytes of publications that may wait for the writer; beyond it they are refused as `overloaded`.
    public var maxQueue = 64 << 20
    /// Bytes that the file may have; beyond it the history is unavailable until something has expired. 0: the disk alone decides.
    public var maxFile = 0
    /// Milliseconds for which a channel's position outlives its last publication.
    public var positionAge: Int64 = 30 * 86_400_000

    /// The time, in milliseconds since 1970.
    var clock: @Sendable () -> Int64 = { clinux_wall_clock_nanoseconds() / 1_000_000 }
    /// Changes when the system starts; nil if the system does not say.
    var bootID: String? = Self.readBootID()

    public init(file: String) { self.file = file }

    private static func readBootID() -> String? {
        let descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(descriptor, &bytes, bytes.count)
        guard count >= 36 else { return nil }
        return String(decoding: bytes[..<36], as: UTF8.self)
    }
}

/// The bounds that have no key.
enum HistoryBounds {
    /// Publications and bytes of one transaction.
    static let batchCount = 4_096
    static let batchBytes = 4 << 20
    /// Requests besides publications that may wait.
    static let requests = 16_384
    /// Milliseconds for which the writer waits for a lock of another process on the file.
    static let busyPatience = 250
    /// Milliseconds for which publications wait for another server to let go of the file, as in an upgrade.
    static let lockPatience: UInt64 = 2_000
    /// Milliseconds between two tries to take that lock, and between two tries after any other failure.
    static let lockRetry: UInt64 = 50
    static let retry: UInt64 = 1_000
    /// Milliseconds between two searches for what has expired, and the rows that one step of it deletes.
    static let sweepInterval: UInt64 = 10_000
    static let sweepRows = 1_000
    /// Channels that one step visits.
    static let sweepChannels = 100
    /// Bytes in the log at which it is copied to the file: when nothing waits, and always.
    static let idleCheckpoint = 16 << 20
    static let checkpoint = 64 << 20
    /// Bytes in the log at which a check of the file gives up, because the log cannot begin anew beside it.
    static let checkedLog = 512 << 20
    /// Channels whose state is kept in memory. The state of others is read when it is needed.
    static let knownChannels = 65_536
    /// Results of idempotency keys; the ones that expire first go first.
    static let answered = 1_000_000
    /// Bytes of a frame in the log.
    static let frame = 4_096 + 24
    /// Milliseconds between two times at which positions are forgotten.
    static let forgetting: Int64 = 3_600_000
}
