// The proof that a server has understood a handshake: SHA-1 of the client's key and a fixed text, in base64 (RFC 6455,
// 4.2.2, step 5.4). SHA-1 protects nothing here; it only keeps a server that knows no WebSocket from answering rightly
// by accident.

import COpenSSL

extension Handshake {
    private static let guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    /// The value of Sec-WebSocket-Accept for a Sec-WebSocket-Key.
    public static func acceptValue(key: String) -> String {
        var input = key + guid
        let digest = input.withUTF8 { text in
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digest in
                let isDone = perigee_sha1(text.baseAddress, text.count, digest.baseAddress)
                precondition(isDone, "this build of OpenSSL refuses SHA-1, without which there is no WebSocket")
                return base64(digest)
            }
        }
        return digest
    }

    /// Base64 with padding (RFC 4648, 4).
    private static func base64(_ bytes: UnsafeMutableBufferPointer<UInt8>) -> String {
        let digits: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        return String(unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4) { text in
            var count = 0
            for start in stride(from: 0, to: bytes.count, by: 3) {
                let length = min(3, bytes.count - start)
                var group = UInt32(0)
                for offset in 0..<length {
                    group |= UInt32(bytes[start + offset]) << (16 - 8 * offset)
                }
                for digit in 0..<4 {
                    let index = Int(group >> (18 - 6 * digit)) & 0x3F
                    text[count] = digit <= length ? digits.utf8Start[index] : UInt8(ascii: "=")
                    count += 1
                }
            }
            return count
        }
    }
}
