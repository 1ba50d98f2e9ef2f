// ClientError: every way in which a test client can fail. A failing test prints its description, which names the expected bytes
// and shows the bytes that came instead.

import Glibc
import JSON

/// The error of every client in this kit.
public enum ClientError: Error, Equatable {
    /// A system call failed.
    case system(call: String, code: Int32)
    /// The deadline passed; `got` are the bytes that had come and were not yet used.
    case deadline(waitingFor: String, got: [UInt8])
    /// The peer ended the stream in an orderly way (FIN).
    case ended(waitingFor: String, got: [UInt8])
    /// The peer aborted the connection (RST).
    case reset(waitingFor: String, got: [UInt8])
    /// TLS failed, in OpenSSL's words.
    case tls(String)
    /// The peer broke its protocol.
    case violation(String)
    /// The peer kept to its protocol, but did not do as the test expects.
    case unexpected(String)
}

extension ClientError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .system(let call, let code):
            "\(call): \(String(cString: strerror(code)))"
        case .deadline(let wanted, let got):
            "time is over waiting for \(wanted); got \(Self.excerpt(got))"
        case .ended(let wanted, let got):
            "the peer ended the stream before \(wanted); got \(Self.excerpt(got))"
        case .reset(let wanted, let got):
            "the peer reset the connection before \(wanted); got \(Self.excerpt(got))"
        case .tls(let what):
            "TLS: \(what)"
        case .violation(let what):
            "protocol violation: \(what)"
        case .unexpected(let what):
            what
        }
    }

    /// Up to 200 bytes as text, with unprintable bytes escaped.
    static func excerpt(_ bytes: some Collection<UInt8>) -> String {
        guard !bytes.isEmpty else { return "nothing" }
        let shown = bytes.prefix(200).map { byte -> String in
            switch byte {
            case 0x0A: "\\n"
            case 0x0D: "\\r"
            case 0x20...0x7E: String(UnicodeScalar(byte))
            default: "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        let rest = bytes.count > 200 ? "… (\(bytes.count) bytes)" : ""
        return "\"\(shown.joined())\"\(rest)"
    }
}

extension JSON {
    /// Parses what a peer sent; anything but JSON is a violation.
    init(received text: String) throws(ClientError) {
        do {
            self = try JSON(parsing: text)
        } catch {
            throw .violation("not JSON: \(error.message): \(ClientError.excerpt(text.utf8))")
        }
    }
}
