// One thread's loop: wait for readiness, let each ready source act, fire timers, drain the inbox, and at the end of the
// turn write every socket that has output, once.
//
// Runs on: the thread that calls `run`; nothing here is safe from another thread but the inbox.
// Allocates: its buffers once.
// Read next: Socket.swift, then Socket+Output.swift.

import CLinux
import Glibc

/// An epoll loop with its sources, timers, inbox and end-of-turn writes.
public final class EventLoop {
    /// The buffer into which every socket of this loop receives: an idle connection owns no read buffer.
    public let receiveBuffer: UnsafeMutableRawBufferPointer
    static let receiveCapacity = 512 << 10
    private static let eventCapacity: Int32 = 1024
    /// Deadlines are kept in ticks of this many milliseconds.
    static let deadlineTick: UInt64 = 100

    private let epoll: Int32
    private let events: UnsafeMutablePointer<epoll_event>
    private var sources = SourceTable()
    private var timers: TimerWheel
    private var expired: [Token] = []
    private var inbox: InboxSource?
    private var isRunning = false
    private var lastTick: UInt32
    var turnBuffer = TurnBuffer()
    /// The buffer in which small pieces of one socket's queue are put side by side for one send.
    let gatherBuffer: UnsafeMutableRawBufferPointer = .allocate(byteCount: OutputQueue.gatherLimit, alignment: 64)
    /// The encrypted bytes of this loop's TLS connections, from the first of them on.
    private(set) lazy var lane = TLSLane()
    /// Sockets with output to write at the end of this turn.
    var dirty: [Socket] = []
    /// The sockets that `flushDirty` is writing.
    private var flushing: [Socket] = []
    /// Sockets to close at the end of this turn.
    var closing: [Socket] = []
    private var deferred: [() -> Void] = []
    var stalls = WriteStalls()
    /// The longest time in milliseconds in which a peer takes none of the bytes that wait for it; then
    /// `Socket.writeStalled` is called. Nil: no limit.
    public var writeTimeout: UInt64?
    /// The most bytes that a socket receives at once, at most the receive buffer. A smaller limit suits a subclass that
    /// must keep the bytes that it cannot handle yet.
    public var receiveLimit = receiveCapacity
    /// Called after a turn's sockets are written and before the loop may sleep, for example to tell other threads what
    /// the turn has done.
    public var turnFinished: () -> Void = {}
    /// Set while another thread is expected to post soon. The loop then gives way once before it sleeps: where both
    /// threads share a core, the other one runs now, and its post is found without a wake-up.
    public var expectsPost = false
    /// Work that was put off until the next turn. It is called after the sockets, the timers and the inbox, in each
    /// turn in which `hasWork` is set.
    public var work: () -> Void = {}
    /// Whether `work` is to be called in each turn; the loop does not sleep then.
    public var hasWork = false

    /// Milliseconds of the monotonic clock, read once a turn.
    public private(set) var now: UInt64
    /// The time at which the current turn began, in nanoseconds of the same clock.
    public private(set) var turnStart: UInt64
    /// A clock in milliseconds that a test moves by hand; nil for the machine's clock.
    private let testClock: (() -> UInt64)?

    /// - Parameter clock: a clock in milliseconds that never goes back, for a test that moves it by hand; nil for the
    ///   machine's clock.
    public init(clock: (() -> UInt64)? = nil) {
        testClock = clock
        epoll = clinux_epoll_create()
        precondition(epoll >= 0, "epoll_create1 failed")
        events = .allocate(capacity: Int(Self.eventCapacity))
        receiveBuffer = .allocate(byteCount: Self.receiveCapacity, alignment: 64)
        turnStart = clinux_monotonic_nanoseconds()
        now = testClock?() ?? turnStart / 1_000_000
        timers = TimerWheel(now: now)
        lastTick = UInt32(truncatingIfNeeded: now / Self.deadlineTick)
    }

    deinit {
        sources.removeAll()
        events.deallocate()
        receiveBuffer.deallocate()
        gatherBuffer.deallocate()
        close(epoll)
    }

    // MARK: Sources

    /// Begins to watch a source; its token names it until `remove`.
    /// - Returns: false when the kernel has no room to watch one more descriptor (`epoll_ctl`: ENOSPC, ENOMEM). The
    ///   source is in the table even then, and must be removed.
    @discardableResult
    public func add(_ source: Source, for interest: Readiness) -> Bool {
        source.token = sources.insert(source)
        let result = clinux_epoll_control(
            epoll, EPOLL_CTL_ADD, source.descriptor, interest.rawValue, source.token.packed)
        return result == 0
    }

    /// Changes the readiness that the source is watched for; errors and hang-ups are always reported.
    public func watch(_ source: Source, for interest: Readiness) {
        guard source.descriptor >= 0 else { return }
        _ = clinux_epoll_control(epoll, EPOLL_CTL_MOD, source.descriptor, interest.rawValue, source.token.packed)
    }

    /// Stops watching a source until `resume`; it keeps its place in the table.
    func suspend(_ source: Source) {
        _ = clinux_epoll_control(epoll, EPOLL_CTL_DEL, source.descriptor, 0, 0)
    }

    /// Watches a suspended source again; false when the kernel has no room for it just now.
    func resume(_ source: Source, for interest: Readiness) -> Bool {
        clinux_epoll_control(epoll, EPOLL_CTL_ADD, source.descriptor, interest.rawValue, source.token.packed) == 0
    }

    /// Stops watching and closes the source's descriptor; reports that wait for it in this turn are dropped.
    public func remove(_ source: Source) {
        guard source.descriptor >= 0 else { return }
        _ = clinux_epoll_control(epoll, EPOLL_CTL_DEL, source.descriptor, 0, 0)
        source.closeDescriptor()
        if !stalls.isEmpty { stalls.end(source.token) }
        sources.remove(source.token)
    }

    /// Stops watching a source and leaves its descriptor open: it belongs to a library that closes it.
    public func release(_ source: Source) {
        guard source.descriptor >= 0 else { return }
        _ = clinux_epoll_control(epoll, EPOLL_CTL_DEL, source.descriptor, 0, 0)
        source.disown()
        sources.remove(source.token)
    }

    /// The source that a token names, nil when it is gone.
    public func source(_ token: Token) -> Source? { sources[token] }

    /// The source in a slot, nil when it is unused; for walking over all of them.
    public func source(at slot: Int) -> Source? { sources.source(at: slot) }

    /// One more than the highest slot ever used.
    public var slotCount: Int { sources.capacity }

    /// Sets the time in milliseconds after which `deadlineReached` is called, once; nil cancels it. Exact to a tenth of
    /// a second, never early.
    func setDeadline(_ milliseconds: UInt64?, of socket: Socket) {
        guard let milliseconds else { return sources.setDeadline(SourceTable.noDeadline, of: socket.token) }
        let tick = (now + milliseconds) / Self.deadlineTick + 1
        sources.setDeadline(UInt32(truncatingIfNeeded: tick), of: socket.token)
    }

    // MARK: Timers and inbox

    /// Runs `action` once, `milliseconds` from now; until it has run, another timer of the same turn can still cancel
    /// it.
    @discardableResult
    public func schedule(after milliseconds: UInt64, _ action: @escaping () -> Void) -> TimerID {
        timers.add(due: now + milliseconds, action)
    }

    /// Sets the time after which `deadlineReached` is called, unless an earlier one is set.
    func shortenDeadline(to milliseconds: UInt64, of socket: Socket) {
        let tick = UInt32(truncatingIfNeeded: (now + milliseconds) / Self.deadlineTick + 1)
        if tick < sources.deadline(of: socket.token) { sources.setDeadline(tick, of: socket.token) }
    }

    /// Cancels a timer; false when it has fired already.
    @discardableResult
    public func cancel(_ timer: TimerID) -> Bool { timers.cancel(timer) }

    /// Makes this loop the one that drains `inbox`, once a turn, before its sockets are written.
    public func attach<Message: Sendable>(_ inbox: Inbox<Message>, handle: @escaping (Message) -> Void) {
        let source = InboxSource(inbox, handle: handle)
        self.inbox = source
        // Every wake-up is a change of the counter, so it need never be read.
        add(source, for: [.readable, .onChange])
    }

    /// Whether the batch that is being handled has more messages.
    public var isHandlingInbox: Bool { (inbox?.pending ?? 0) > 0 }

    /// Runs `action` at the end of this turn, before sockets are written: for work that must not be done inside a
    /// callback.
    public func atEndOfTurn(_ action: @escaping () -> Void) { deferred.append(action) }

    // MARK: Running

    /// Runs turns until `stop`.
    public func run() {
        isRunning = true
        while isRunning { turn() }
    }

    /// Ends `run` after the current turn.
    public func stop() { isRunning = false }

    /// One turn. Public so that tests can drive the loop by hand.
    /// - Parameter limit: the longest time to wait in milliseconds; nil waits for the next event.
    public func turn(waitingAtMost limit: UInt64? = nil) {
        var timeout = timeUntilNextDue()
        if let limit { timeout = min(timeout ?? limit, limit) }
        if !closing.isEmpty || !dirty.isEmpty || !deferred.isEmpty || hasWork { timeout = 0 }
        if expectsPost { giveWay() }
        if let inbox, !inbox.prepareToSleep() { timeout = 0 }
        let count = clinux_epoll_wait(epoll, events, Self.eventCapacity, timeout.map { Int32(min($0, 60_000)) } ?? -1)
        inbox?.awake()
        turnStart = clinux_monotonic_nanoseconds()
        now = testClock?() ?? turnStart / 1_000_000
        dispatch(count)
        fireTimers()
        sweepDeadlines()
        _ = inbox?.drain()
        if hasWork {
            // Leftover work may take a while, so answers that are ready are sent first.
            flushDirty()
            work()
        }
        finishTurn()
    }

    /// Lets the other threads of this core run, and handles the messages that they have posted.
    private func giveWay() {
        sched_yield()
        if inbox?.drain() == true { finishTurn() }
    }

    private func dispatch(_ count: Int32) {
        var index: Int32 = 0
        while index < count {
            let event = clinux_event_at(events, index)
            if let source = sources[Token(packed: event.token)] {
                source.ready(Readiness(rawValue: event.events))
            }
            index += 1
        }
    }

    private func timeUntilNextDue() -> UInt64? {
        var next = timers.nextDue
        if sources.armed > 0 {
            let nextTick = (UInt64(lastTick) + 1) * Self.deadlineTick
            next = min(next ?? .max, nextTick)
        }
        guard let next else { return nil }
        let current = testClock?() ?? clinux_monotonic_nanoseconds() / 1_000_000
        return next > current ? next - current : 0
    }

    private func fireTimers() {
        timers.advance(to: now)
        while let action = timers.popDue() { action() }
    }

    private func sweepDeadlines() {
        let tick = UInt32(truncatingIfNeeded: now / Self.deadlineTick)
        guard tick != lastTick else { return }
        lastTick = tick
        guard sources.armed > 0 else { return }
        sources.findExpired(at: tick, into: &expired)
        for token in expired where sources.takeExpired(token, at: tick) {
            if let socket = sources[token] as? Socket { socket.deadlineExpired() }
        }
        expired.removeAll(keepingCapacity: true)
    }

    /// Writes and closes sockets until none is left to write or to close: closing runs callbacks, which may write to
    /// others.
    private func finishTurn() {
        repeat {
            runDeferred()
            flushDirty()
            finishClosing()
        } while !dirty.isEmpty || !closing.isEmpty || !deferred.isEmpty
        turnFinished()
    }

    /// Closes the sockets that are to be closed, except those that put it off.
    private func finishClosing() {
        let batch = closing
        closing.removeAll(keepingCapacity: true)
        for socket in batch { socket.finishClosing() }
    }

    private func runDeferred() {
        while !deferred.isEmpty {
            let batch = deferred
            deferred.removeAll(keepingCapacity: true)
            for action in batch { action() }
        }
    }

    /// Writes every socket that has output; afterwards the turn buffer is empty. It runs no callback, so no socket
    /// joins the list while the loop goes through it; if one did, the next round would write it before the turn buffer
    /// is used again.
    func flushDirty() {
        while !dirty.isEmpty {
            swap(&dirty, &flushing)
            // The flag is gone if the socket was flushed earlier in this loop, or has been blocked since.
            for socket in flushing where socket.flags.contains(.dirty) { socket.flush() }
            flushing.removeAll(keepingCapacity: true)
        }
        turnBuffer.reset()
    }
}
