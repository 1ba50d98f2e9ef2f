// One request to the admin API of the server that runs with a configuration, for the commands of `perigee`.
//
// Runs on: the caller's thread, which waits.

import CLinux
import EventLoop
import Glibc
public import Settings

/// A request to a running server.
public enum AdminRequest {
    /// The request did not get an answer, and this is why.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    /// Sends `POST path` to where the configuration has the admin API, with the first of its keys that may manage.
    /// - Parameter patience: how long the answer may take.
    /// - Returns: the status, and the body as text.
    public static func post(
        _ path: String, _ configuration: Configuration, patience: Duration
    ) throws(Failure) -> (status: Int, body: String) {
        guard !configuration.admin.tls else {
            throw Failure(
                description: "the admin API speaks TLS, which this command does not: use curl, or send a signal")
        }
        let descriptor = try connect(configuration.admin.listen, patience)
        defer { close(descriptor) }
        let key = configuration.admin.keys.first { $0.scopes.contains(.manage) }
        let request =
            "POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n"
            + (key.map { "X-API-Key: \($0.key)\r\n" } ?? "") + "\r\n"
        let bytes = Array(request.utf8)
        guard clinux_send(descriptor, bytes, bytes.count) == bytes.count else {
            throw Failure(description: "the admin API does not take the request")
        }
        return try answer(String(decoding: readToEnd(descriptor), as: UTF8.self))
    }

    private static func connect(_ address: ListenAddress, _ patience: Duration) throws(Failure) -> Int32 {
        let host = address.unixPath == nil ? address.socketAddress.reachableAddress : .unix
        let family = address.unixPath != nil ? AF_UNIX : host.isIPv4 ? AF_INET : AF_INET6
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var time = timeval(tv_sec: Int(patience.components.seconds), tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        let result =
            if let path = address.unixPath {
                clinux_connect_path(descriptor, path)
            } else {
                host.connect(descriptor)
            }
        guard result == 0 else {
            close(descriptor)
            throw Failure(
                description: "no server answers at \(address) (admin.listen): \(String(cString: strerror(-result)))")
        }
        return descriptor
    }

    private static func readToEnd(_ descriptor: Int32) -> [UInt8] {
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while received.count < 1 << 20 {
            let count = clinux_receive(descriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            received += buffer.prefix(count)
        }
        return received
    }

    private static func answer(_ text: String) throws(Failure) -> (status: Int, body: String) {
        guard text.hasPrefix("HTTP/1.1 "), let end = text.firstRange(of: "\r\n\r\n"),
            let status = Int(text.dropFirst("HTTP/1.1 ".count).prefix(3))
        else { throw Failure(description: "the admin API did not answer in time") }
        return (status, String(text[end.upperBound...]))
    }
}
