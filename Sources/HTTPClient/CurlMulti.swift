// libcurl on an event loop. libcurl says which descriptors to watch and when to call it back; the loop does both.
//
// libcurl must not be called from within its own callbacks, so these only take notes. The client learns of a finished transfer
// afterwards.
//
// Runs on: the loop's thread.
// Read next: HTTPClient.swift, Transfer.swift.

import CCurl
import EventLoop

/// The transfers of one loop, and the connections that they share.
final class CurlMulti {
    /// The most calls of libcurl in a row before the loop goes on.
    private static let patience = 8
    /// Initialises the library once in the process; libcurl's own guard makes this safe if other code uses the library
    /// too.
    private static let library: CURLcode = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

    private let handle: UnsafeMutableRawPointer
    private let loop: EventLoop
    private var sockets: [Int32: CurlSocket] = [:]
    private var timer: TimerID?
    private var isActing = false
    /// Whether libcurl wants to be called back as soon as possible.
    private var isDue = false
    /// Whether the call is running that `wait` has put off to the end of the turn.
    private var isCatchingUp = false
    private var isClosed = false
    private let finished: (Transfer, CURLcode) -> Void

    /// - Parameter finished: called for each transfer that is over, after it has been taken out.
    init(on loop: EventLoop, idleConnections: Int, finished: @escaping (Transfer, CURLcode) -> Void) {
        precondition(Self.library == CURLE_OK, "curl_global_init failed")
        handle = curl_multi_init()!
        self.loop = loop
        self.finished = finished
        _ = perigee_multi_set_number(handle, CURLMOPT_MAXCONNECTS, idleConnections)
        perigee_multi_on_change(handle, curlWatches, curlWaits, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Closes all connections. There must be no transfers left.
    func close() {
        isClosed = true
        curl_multi_cleanup(handle)
        for socket in sockets.values { loop.release(socket) }
        sockets = [:]
        cancelTimer()
    }

    /// Begins a transfer, at the end of the turn at the latest.
    func add(_ transfer: Transfer) { curl_multi_add_handle(handle, transfer.easy) }

    /// Takes a transfer out, over or not; its connection is closed unless another request may use it.
    func remove(_ transfer: Transfer) { curl_multi_remove_handle(handle, transfer.easy) }

    // MARK: The loop's side

    func act(on descriptor: Int32, _ readiness: Readiness) {
        var events: Int32 = 0
        // An error shows when libcurl reads.
        if !readiness.isDisjoint(with: [.readable, .broken]) { events |= CURL_CSELECT_IN }
        if readiness.contains(.writable) { events |= CURL_CSELECT_OUT }
        act(descriptor, events)
    }

    private func act(_ descriptor: Int32, _ events: Int32) {
        var running: Int32 = 0
        isActing = true
        curl_multi_socket_action(handle, descriptor, events, &running)
        for _ in 0..<Self.patience where isDue {
            isDue = false
            curl_multi_socket_action(handle, CURL_SOCKET_TIMEOUT, 0, &running)
        }
        isActing = false
        if isDue { callBackSoon() }
        reportFinished()
    }

    private func timeIsUp() { act(CURL_SOCKET_TIMEOUT, 0) }

    private func reportFinished() {
        var code = CURLE_OK
        // The callback may close everything.
        while !isClosed, let easy = perigee_multi_next_done(handle, &code) {
            let transfer = Unmanaged<Transfer>.fromOpaque(perigee_easy_context(easy)!).takeUnretainedValue()
            remove(transfer)
            finished(transfer, code)
        }
    }

    // MARK: libcurl's side

    fileprivate func watch(_ descriptor: Int32, _ what: Int32) {
        var interest: Readiness = []
        if what == CURL_POLL_IN || what == CURL_POLL_INOUT { interest.insert(.readable) }
        if what == CURL_POLL_OUT || what == CURL_POLL_INOUT { interest.insert(.writable) }
        if what == CURL_POLL_REMOVE {
            if let socket = sockets.removeValue(forKey: descriptor) { loop.release(socket) }
        } else if let socket = sockets[descriptor] {
            loop.watch(socket, for: interest)
        } else {
            let socket = CurlSocket(descriptor: descriptor, multi: self)
            sockets[descriptor] = socket
            // If the kernel cannot watch one more descriptor, the request runs into its own timeout.
            loop.add(socket, for: interest)
        }
    }

    fileprivate func wait(_ milliseconds: Int) {
        cancelTimer()
        isDue = milliseconds == 0
        if milliseconds > 0 {
            setTimer(UInt64(milliseconds))
        } else if isDue, !isActing {
            callBack()
        }
    }

    /// Calls libcurl at the end of this turn, but only once there: otherwise requests that fail at once and are
    /// repeated would keep the loop from going on.
    private func callBack() {
        guard !isCatchingUp else { return callBackSoon() }
        loop.atEndOfTurn { [weak self] in
            guard let self, self.isDue, !self.isClosed else { return }
            self.isDue = false
            self.isCatchingUp = true
            self.timeIsUp()
            self.isCatchingUp = false
        }
    }

    private func callBackSoon() {
        isDue = false
        setTimer(1)
    }

    private func setTimer(_ milliseconds: UInt64) {
        timer = loop.schedule(after: milliseconds) { [weak self] in
            guard let self, !self.isClosed else { return }
            self.timer = nil
            self.timeIsUp()
        }
    }

    private func cancelTimer() {
        if let timer { loop.cancel(timer) }
        timer = nil
    }
}

private func multi(_ context: UnsafeMutableRawPointer?) -> CurlMulti {
    Unmanaged<CurlMulti>.fromOpaque(context!).takeUnretainedValue()
}

private func curlWatches(
    _ easy: UnsafeMutableRawPointer?, _ descriptor: curl_socket_t, _ what: Int32, _ context: UnsafeMutableRawPointer?,
    _ ours: UnsafeMutableRawPointer?
) -> Int32 {
    multi(context).watch(descriptor, what)
    return 0
}

private func curlWaits(
    _ handle: UnsafeMutableRawPointer?, _ milliseconds: Int, _ context: UnsafeMutableRawPointer?
) -> Int32 {
    multi(context).wait(milliseconds)
    return 0
}

/// A descriptor that libcurl wants to have watched.
final class CurlSocket: Source {
    private unowned let multi: CurlMulti

    init(descriptor: Int32, multi: CurlMulti) {
        self.multi = multi
        super.init(descriptor: descriptor)
    }

    override func ready(_ readiness: Readiness) { multi.act(on: descriptor, readiness) }
}
