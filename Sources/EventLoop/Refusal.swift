// The cheapest answer there is: "503, come back later", before a byte of the client has been read and before anything is
// allocated for it.

import CLinux
import Glibc

/// Turning a client away at the door.
public enum Refusal {
    private static let answer: StaticString =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    /// The same for who awaits a TLS handshake: the fatal alert internal_error (RFC 8446, section 6.2).
    private static let alert: [UInt8] = [21, 3, 3, 0, 2, 2, 80]

    /// Takes ownership of the descriptor of a client that was just accepted, answers 503 with a `Retry-After`, or with an alert
    /// where TLS is spoken, and closes it.
    public static func turnAway(_ descriptor: Int32, speaksTLS: Bool = false) {
        if speaksTLS {
            _ = clinux_send(descriptor, alert, alert.count)
        } else {
            _ = clinux_send(descriptor, answer.utf8Start, answer.utf8CodeUnitCount)
        }
        // Closing over a request that has not been read would reset the connection, and the answer could be lost.
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { unread in
            _ = clinux_receive(descriptor, unread.baseAddress!, unread.count)
        }
        close(descriptor)
    }
}
