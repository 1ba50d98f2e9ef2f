// Reading an HTTPResponse from a connection.

extension HTTPResponse {
    /// Reads the next response. `method` is the request's: a HEAD is answered without a body.
    ///
    /// An interim response (100 Continue) is skipped unless `skipsInterim` is false; a 101 never is.
    public static func read(
        from socket: RawSocket, method: String, skipsInterim: Bool = true
    ) throws(ClientError) -> HTTPResponse {
        let deadline = Deadline(after: socket.timeout)
        while true {
            let head = try HTTPHead.read(from: socket.reader, by: deadline)
            if skipsInterim, head.status < 200, head.status != 101 { continue }
            let bodiless = head.status < 200 || head.status == 204 || head.status == 304 || method == "HEAD"
            let body = bodiless ? [] : try readBody(of: head, from: socket.reader, by: deadline)
            return HTTPResponse(status: head.status, reason: head.reason, headers: head.fields, body: body)
        }
    }

    private static func readBody(
        of head: HTTPHead, from reader: ByteReader, by deadline: Deadline
    ) throws(ClientError) -> [UInt8] {
        let lengths = head.values("Content-Length")
        let codings = head.values("Transfer-Encoding")
        guard lengths.isEmpty || codings.isEmpty else { throw .violation("both a length and a transfer coding") }
        if let coding = codings.first {
            guard codings.count == 1, coding.lowercased() == "chunked" else { throw .violation("coding \(codings)") }
            return try readChunks(from: reader, by: deadline)
        }
        guard let length = lengths.first else {
            return try reader.readToEnd(for: "the end of the body", by: deadline)
        }
        guard lengths.count == 1, let count = Int(length), count >= 0 else { throw .violation("lengths \(lengths)") }
        return try reader.read(count: count, for: "a body of \(count) bytes", by: deadline)
    }

    private static func readChunks(from reader: ByteReader, by deadline: Deadline) throws(ClientError) -> [UInt8] {
        var body: [UInt8] = []
        while true {
            let line = try HTTPHead.readLine(from: reader, for: "a chunk's size", by: deadline)
            guard let size = Int(line.prefix { $0 != ";" }, radix: 16), size >= 0, size <= 1 << 30 else {
                throw .violation("chunk size \"\(line)\"")
            }
            if size == 0 { break }
            body += try reader.read(count: size, for: "a chunk of \(size) bytes", by: deadline)
            guard try HTTPHead.readLine(from: reader, for: "a chunk's end", by: deadline).isEmpty else {
                throw .violation("a chunk longer than its size")
            }
        }
        while try !HTTPHead.readLine(from: reader, for: "the trailer's end", by: deadline).isEmpty {}
        return body
    }
}
