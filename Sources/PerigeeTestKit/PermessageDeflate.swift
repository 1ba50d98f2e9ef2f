// PermessageDeflate: a client's side of RFC 7692, directly on zlib and independent of the server's, so that tests hold the
// server's compression against a second reading of the RFC.

import CZlib

/// The agreement of a client and the server, and the two streams that keep to it.
public final class PermessageDeflate {
    private static let tail: [UInt8] = [0, 0, 0xFF, 0xFF]

    /// The parameters of the server's response, by name.
    public let parameters: [String: String]
    private let deflater: UnsafeMutablePointer<z_stream> = .allocate(capacity: 1)
    private let inflater: UnsafeMutablePointer<z_stream> = .allocate(capacity: 1)

    /// Takes the server's response: `permessage-deflate` with parameters that a server may give.
    init(response: String) throws(ClientError) {
        let words = response.split(separator: ";").map { $0.trimmingSpaces }
        guard words.first == "permessage-deflate" else { throw .violation("an extension \"\(response)\"") }
        var parameters: [String: String] = [:]
        for word in words.dropFirst() {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parameters.updateValue(parts.count > 1 ? parts[1] : "", forKey: parts[0]) == nil else {
                throw .violation("\(parts[0]) twice in \"\(response)\"")
            }
        }
        self.parameters = parameters
        let own = try Self.bits(parameters["client_max_window_bits"], in: response)
        let servers = try Self.bits(parameters["server_max_window_bits"], in: response)
        deflater.initialize(to: z_stream())
        inflater.initialize(to: z_stream())
        _ = perigee_deflate_begin(deflater, 6, max(9, own), 8)
        _ = perigee_inflate_begin(inflater, servers)
    }

    deinit {
        deflateEnd(deflater)
        inflateEnd(inflater)
        deflater.deallocate()
        inflater.deallocate()
    }

    private static func bits(_ text: String?, in response: String) throws(ClientError) -> Int32 {
        guard let text else { return 15 }
        guard let bits = Int32(text), (8...15).contains(bits) else { throw .violation("\"\(response)\"") }
        return bits
    }

    /// The payload of a compressed message: flushed, and without its last four bytes.
    public func compress(_ bytes: [UInt8]) -> [UInt8] {
        if parameters["client_no_context_takeover"] != nil { deflateReset(deflater) }
        let output = Self.run(deflater, bytes, limit: .max) { CZlib.deflate($0, Z_SYNC_FLUSH) }.output
        return output.dropLast(4)
    }

    /// The message of a compressed payload, at most 1 GiB.
    public func inflate(_ payload: [UInt8]) throws(ClientError) -> [UInt8] {
        if parameters["server_no_context_takeover"] != nil { inflateReset(inflater) }
        let (output, result) = Self.run(inflater, payload + Self.tail, limit: 1 << 30) {
            CZlib.inflate($0, Z_SYNC_FLUSH)
        }
        guard result == Z_OK || result == Z_BUF_ERROR else {
            throw .violation("compressed data that zlib refuses with \(result): \(ClientError.excerpt(payload))")
        }
        return output
    }

    /// Runs a stream until it has taken all of its input and produced all of its output.
    private static func run(
        _ stream: UnsafeMutablePointer<z_stream>, _ input: [UInt8], limit: Int,
        _ step: (UnsafeMutablePointer<z_stream>) -> Int32
    ) -> (output: [UInt8], result: Int32) {
        var (output, result) = ([UInt8](), Z_OK)
        var input = input
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        input.withUnsafeMutableBufferPointer { source in
            stream.pointee.next_in = source.baseAddress
            stream.pointee.avail_in = UInt32(source.count)
            repeat {
                let count = piece.withUnsafeMutableBufferPointer { target in
                    stream.pointee.next_out = target.baseAddress
                    stream.pointee.avail_out = UInt32(target.count)
                    result = step(stream)
                    return target.count - Int(stream.pointee.avail_out)
                }
                output += piece[..<count]
            } while result == Z_OK && stream.pointee.avail_out == 0 && output.count < limit
        }
        return (output, result)
    }
}

extension Substring {
    fileprivate var trimmingSpaces: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
