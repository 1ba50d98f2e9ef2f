// How the store is: for readiness, metrics and the log.

/// Whether the store can be used.
public enum HistoryState: Equatable, Sendable {
    /// The file is being opened for the first time.
    case opening
    case open
    /// It cannot be used now; a try follows each second.
    case unavailable(why: String)
    /// The file is damaged, and the options say to leave it.
    case corrupt(why: String)
    /// By request.
    case closed
}

/// Something that an operator should read in the log.
public enum HistoryNotice: Equatable, Sendable {
    /// - isNewEpoch: positions of before may be lost, so no client can continue from one.
    case opened(file: String, isNewEpoch: Bool, wasUnclean: Bool)
    case unavailable(why: String)
    case corrupt(why: String)
    /// The store works again.
    case recovered
    /// The damaged file has another name now, and an empty one is in its place.
    case startedOver(keptAs: String, why: String)
    /// The check after an unclean end has found nothing wrong.
    case checked
    /// The check was not finished.
    case unchecked
    case closed
}

/// What the store has done since it began, and how much waits.
public struct StoreFigures: Equatable, Sendable {
    /// Publications that were stored.
    public var stored: UInt64 = 0
    /// Publications that were answered from an idempotency key.
    public var repeated: UInt64 = 0
    /// Publications that were refused because too much waited.
    public var overloaded: UInt64 = 0
    /// Publications that failed otherwise.
    public var failed: UInt64 = 0
    /// Transactions with publications.
    public var commits: UInt64 = 0
    /// Publications that were deleted: too old or too many.
    public var trimmed: UInt64 = 0
    /// Reads of the file.
    public var reads: UInt64 = 0
    /// Copies of the log into the file.
    public var checkpoints: UInt64 = 0
    /// Publications that wait, and their bytes.
    public var waiting = 0
    public var waitingBytes = 0
    /// Bytes in the log.
    public var logBytes = 0
    /// Bytes of the file, without its log.
    public var fileBytes = 0

    mutating func add(_ outcomes: [HistoryOutcome]) {
        let before = stored
        for outcome in outcomes {
            switch outcome {
            case .stored: stored += 1
            case .repeated: repeated += 1
            case .failed: failed += 1
            }
        }
        if stored > before { commits += 1 }
    }
}
