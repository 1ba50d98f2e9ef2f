// RawSocket: a TCP (or UNIX) connection on which a test decides which bytes go out, in which pieces, and how the connection ends:
// half closed, closed or reset. It knows no protocol and corrects nothing.
//
// Runs on: any thread, one at a time; every call blocks until it is done or its deadline has passed.
// Read next: ByteReader.swift, WebSocketClient.swift, HTTPClient.swift.

import Glibc

/// A blocking client connection; closed when the last reference goes.
public final class RawSocket {
    /// The time that each call may take.
    public var timeout: Duration

    let reader: ByteReader
    private var descriptor: Int32
    /// The connection's TLS; nil on a plain one.
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
    /// `receiveBuffer` sets the kernel's receive buffer in bytes before connecting, when it still limits the TCP window: that
    /// makes a slow consumer.
    public static func connect(
        host: String = "127.0.0.1", port: some BinaryInteger, timeout: Duration = .seconds(5),
        receiveBuffer: Int? = nil, security: Security = .asServed
    ) throws(ClientError) -> RawSocket {
        let descriptor = try connectPlainly(host: host, port: Int(port), timeout: timeout, receiveBuffer: receiveBuffer)
        let socket = RawSocket(descriptor: descriptor, timeout: timeout)
        if let options = ServedPorts.options(security, port: Int(port)) { try socket.startTLS(options) }
        return socket
    }

    private static func connectPlainly(
        host: String, port: Int, timeout: Duration, receiveBuffer: Int?
    ) throws(ClientError) -> Int32 {
        let deadline = Deadline(after: timeout)
        var failure = ClientError.unexpected("no address for \(host)")
        for address in try ResolvedAddress.resolve(host: host, port: port) {
            do {
                return try address.connect(name: "\(host):\(port)", receiveBuffer: receiveBuffer, by: deadline)
            } catch {
                failure = error
            }
        }
        throw failure
    }

    /// The host and port as in a URL and a Host field, an IPv6 host in brackets.
    static func authority(_ host: String, _ port: some BinaryInteger) -> String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// Connects to the UNIX socket at `path`.
    public static func connect(path: String, timeout: Duration = .seconds(5)) throws(ClientError) -> RawSocket {
        let descriptor = try ResolvedAddress(path: path).connect(name: path, by: Deadline(after: timeout))
        return RawSocket(descriptor: descriptor, timeout: timeout)
    }

    /// Sends all of `bytes`; waits for a slow peer until the deadline.
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

    /// Sends `bytes` in segments of `size` bytes, each with its own send and without Nagle's algorithm. The peer's kernel may
    /// still join segments that the peer has not read yet.
    public func send(_ bytes: [UInt8], inPiecesOf size: Int) throws(ClientError) {
        for start in stride(from: 0, to: bytes.count, by: size) {
            try send(Array(bytes[start..<min(start + size, bytes.count)]))
        }
    }

    /// Sends as much of `bytes` as the kernel takes at this moment and returns the number of bytes; never waits.
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

    /// The bytes up to and including `delimiter`, at most `limit`.
    public func read(until delimiter: String, limit: Int = 1 << 20) throws(ClientError) -> [UInt8] {
        let wanted = "the delimiter \(ClientError.excerpt(delimiter.utf8))"
        return try reader.read(
            until: Array(delimiter.utf8), limit: limit, for: wanted, by: Deadline(after: timeout))
    }

    /// All bytes until the peer ends the stream; a reset is an error.
    public func readToEnd() throws(ClientError) -> [UInt8] {
        try reader.readToEnd(for: "the end of the stream", by: Deadline(after: timeout))
    }

    /// The bytes that have already arrived; never waits.
    public func readAvailable() -> [UInt8] {
        reader.readAvailable()
    }

    /// Takes one byte from the kernel, if one is there, and drops it, as a very slow reader does.
    public func swallowByte() {
        var byte: UInt8 = 0
        _ = recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT))
    }

    /// Waits until the peer ends or resets the stream, and returns the bytes before that.
    public func awaitEnd() throws(ClientError) -> [UInt8] {
        do {
            return try readToEnd()
        } catch .reset(_, let got) {
            return got
        }
    }

    /// Half-closes: the peer reads an end of stream, and may still send.
    public func shutdownWrite() throws(ClientError) {
        if let tls {
            tls.end()
            try sendPlain(tls.takeOutput())
        }
        guard shutdown(descriptor, Int32(SHUT_WR)) == 0 else { throw .system(call: "shutdown", code: errno) }
    }

    /// Sets the kernel's receive buffer in bytes (the kernel doubles it, and has a minimum of about 2 KiB).
    public func setReceiveBuffer(_ bytes: Int) throws(ClientError) {
        try ResolvedAddress.setReceiveBuffer(bytes, on: descriptor)
    }

    /// Closes with a reset (RST) instead of an orderly end (FIN).
    public func reset() throws(ClientError) {
        try ResolvedAddress.set(SO_LINGER, at: SOL_SOCKET, to: linger(l_onoff: 1, l_linger: 0), on: descriptor)
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
}
