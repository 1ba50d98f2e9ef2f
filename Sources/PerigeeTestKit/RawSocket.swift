// RawSocket: a TCP (or UNIX) connection on which a test says exactly which bytes go out, in which pieces, and how the connection
// ends: half closed, closed or reset. It knows no protocol, so nothing it sends is corrected on the way.
//
// Runs on: any thread, one at a time; every call blocks until it is done or its deadline has passed.
// Read next: WebSocketClient.swift, HTTPClient.swift

import Glibc

/// A blocking client connection; closed when the last reference goes.
public final class RawSocket {
    /// How long each call may take unless it is told otherwise.
    public var timeout: Duration

    let reader: ByteReader
    private var descriptor: Int32
    /// The connection's TLS, once it has begun.
    public internal(set) var tls: TLSClient?
    /// Encrypted bytes that the kernel did not take.
    var unsent: [UInt8] = []

    private init(descriptor: Int32, timeout: Duration) {
        self.descriptor = descriptor
        self.timeout = timeout
        reader = ByteReader(descriptor: descriptor)
    }

    deinit { close() }

    /// Connects to `host` (a name or an address, IPv4 or IPv6).
    ///
    /// `receiveBuffer` sets the kernel's receive buffer in bytes before connecting, which is when it still limits the TCP
    /// window: what a slow consumer is made of.
    public static func connect(
        host: String = "127.0.0.1", port: some BinaryInteger, timeout: Duration = .seconds(5),
        receiveBuffer: Int? = nil,
        security: Security = .asServed
    ) throws(ClientError) -> RawSocket {
        let socket = try connectPlainly(host: host, port: Int(port), timeout: timeout, receiveBuffer: receiveBuffer)
        if let options = ServedPorts.options(security, port: Int(port)) { try socket.startTLS(options) }
        return socket
    }

    private static func connectPlainly(
        host: String, port: Int, timeout: Duration, receiveBuffer: Int?
    ) throws(ClientError) -> RawSocket {
        let deadline = Deadline(after: timeout)
        var failure = ClientError.unexpected("no address for \(host)")
        for address in try SocketAddress.resolve(host: host, port: port) {
            let socket = try RawSocket.open(family: address.family, timeout: timeout)
            if let receiveBuffer { try socket.setReceiveBuffer(receiveBuffer) }
            do {
                try socket.connect(to: address, name: "\(host):\(port)", by: deadline)
                return socket
            } catch {
                failure = error
            }
        }
        throw failure
    }

    /// The host and port as a URL and a Host field have them, an IPv6 host in brackets.
    static func authority(_ host: String, _ port: some BinaryInteger) -> String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// Connects to the UNIX socket at `path`.
    public static func connect(path: String, timeout: Duration = .seconds(5)) throws(ClientError) -> RawSocket {
        let address = try SocketAddress(path: path)
        let socket = try RawSocket.open(family: address.family, timeout: timeout)
        try socket.connect(to: address, name: path, by: Deadline(after: timeout))
        return socket
    }

    private static func open(family: Int32, timeout: Duration) throws(ClientError) -> RawSocket {
        let flags = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(family, flags, 0)
        guard descriptor >= 0 else { throw .system(call: "socket", code: errno) }
        let opened = RawSocket(descriptor: descriptor, timeout: timeout)
        if family != AF_UNIX { try opened.set(TCP_NODELAY, at: Int32(IPPROTO_TCP), to: Int32(1)) }
        return opened
    }

    private func connect(to address: SocketAddress, name: String, by deadline: Deadline) throws(ClientError) {
        let result = address.withPointer { Glibc.connect(descriptor, $0, $1) }
        if result == 0 { return }
        guard errno == EINPROGRESS else { throw .system(call: "connect to \(name)", code: errno) }
        guard try deadline.wait(for: POLLOUT, on: descriptor) else {
            throw .deadline(waitingFor: "a connection to \(name)", got: [])
        }
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
        guard code == 0 else { throw .system(call: "connect to \(name)", code: code) }
    }

    /// Sends all of `bytes`, waiting for a peer that reads slowly until the deadline.
    public func send(_ bytes: [UInt8]) throws(ClientError) {
        if tls == nil { try sendPlain(bytes) } else { try sendEncrypted(bytes) }
    }

    func sendPlain(_ bytes: [UInt8]) throws(ClientError) {
        let deadline = Deadline(after: timeout)
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                sent += count
            } else if errno == EAGAIN {
                guard try deadline.wait(for: POLLOUT, on: descriptor) else {
                    throw .deadline(waitingFor: "the peer to take \(bytes.count) bytes; it took \(sent)", got: [])
                }
            } else if errno != EINTR {
                throw .system(call: "send", code: errno)
            }
        }
    }

    /// Sends the UTF-8 of `text`.
    public func send(_ text: String) throws(ClientError) {
        try send(Array(text.utf8))
    }

    /// Sends `bytes` in segments of `size` bytes, each with a send of its own and Nagle's algorithm off. The peer's kernel
    /// may still join what the peer has not read yet.
    public func send(_ bytes: [UInt8], inPiecesOf size: Int) throws(ClientError) {
        for start in stride(from: 0, to: bytes.count, by: size) {
            try send(Array(bytes[start..<min(start + size, bytes.count)]))
        }
    }

    /// Sends as much of `bytes` as the kernel takes at this moment and answers how many that were; never waits.
    public func sendAvailable(_ bytes: [UInt8]) throws(ClientError) -> Int {
        try tls == nil ? sendAvailablePlain(bytes) : sendAvailableEncrypted(bytes)
    }

    func sendAvailablePlain(_ bytes: [UInt8]) throws(ClientError) -> Int {
        let flags = Int32(MSG_NOSIGNAL | MSG_DONTWAIT)
        let count = Glibc.send(descriptor, bytes, bytes.count, flags)
        if count >= 0 { return count }
        guard errno == EAGAIN || errno == EINTR else { throw .system(call: "send", code: errno) }
        return 0
    }

    /// The next `count` bytes.
    public func read(count: Int) throws(ClientError) -> [UInt8] {
        try reader.read(count: count, for: "\(count) bytes", by: Deadline(after: timeout))
    }

    /// Everything up to and including `delimiter`, at most `limit` bytes.
    public func read(until delimiter: String, limit: Int = 1 << 20) throws(ClientError) -> [UInt8] {
        let wanted = "the delimiter \(ClientError.excerpt(delimiter.utf8))"
        return try reader.read(
            until: Array(delimiter.utf8), limit: limit, for: wanted, by: Deadline(after: timeout))
    }

    /// Everything until the peer ends the stream; a reset is an error.
    public func readToEnd() throws(ClientError) -> [UInt8] {
        try reader.readToEnd(for: "the end of the stream", by: Deadline(after: timeout))
    }

    /// Whatever has come already; never waits.
    public func readAvailable() -> [UInt8] {
        reader.readAvailable()
    }

    /// Takes one byte from the kernel, if one is there, and throws it away: how a very slow reader reads.
    public func swallowByte() {
        var byte: UInt8 = 0
        _ = recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT))
    }

    /// Waits until the peer has ended the stream or reset it, and hands back what came before that.
    public func awaitEnd() throws(ClientError) -> [UInt8] {
        do {
            return try readToEnd()
        } catch .reset(_, let got) {
            return got
        }
    }

    /// Half-closes: the peer reads an end of stream, and may still answer.
    public func shutdownWrite() throws(ClientError) {
        if let tls {
            tls.end()
            try sendPlain(tls.takeOutput())
        }
        guard shutdown(descriptor, Int32(SHUT_WR)) == 0 else { throw .system(call: "shutdown", code: errno) }
    }

    /// Sets the kernel's receive buffer in bytes (the kernel doubles it, and has a minimum of about 2 KiB).
    public func setReceiveBuffer(_ bytes: Int) throws(ClientError) {
        try set(SO_RCVBUF, at: SOL_SOCKET, to: Int32(clamping: bytes))
    }

    /// Closes with a reset (RST) in place of an orderly end (FIN).
    public func reset() throws(ClientError) {
        try set(SO_LINGER, at: SOL_SOCKET, to: linger(l_onoff: 1, l_linger: 0))
        tls = nil
        close()
    }

    /// Closes; a second call does nothing.
    public func close() {
        guard descriptor >= 0 else { return }
        if let tls {
            tls.end()
            _ = try? sendAvailablePlain(unsent + tls.takeOutput())
        }
        Glibc.close(descriptor)
        descriptor = -1
        reader.descriptor = -1
    }

    private func set<Value: BitwiseCopyable>(_ option: Int32, at level: Int32, to value: Value) throws(ClientError) {
        let result = withUnsafePointer(to: value) {
            setsockopt(descriptor, level, option, $0, socklen_t(MemoryLayout<Value>.size))
        }
        guard result == 0 else { throw .system(call: "setsockopt", code: errno) }
    }
}
