// HTTPHead: the status line and the fields of a response.

/// What comes before a response's body.
struct HTTPHead {
    let status: Int
    let reason: String
    let fields: [(name: String, value: String)]

    func values(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    static func read(from reader: ByteReader, by deadline: Deadline) throws(ClientError) -> HTTPHead {
        let line = try readLine(from: reader, for: "a status line", by: deadline)
        let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "HTTP/1.1", parts[1].count == 3, let status = Int(parts[1]), status >= 100
        else { throw .violation("status line \"\(line)\"") }
        var fields: [(name: String, value: String)] = []
        while true {
            let line = try readLine(from: reader, for: "the end of the response's head", by: deadline)
            if line.isEmpty { return HTTPHead(status: status, reason: String(parts[2]), fields: fields) }
            fields.append(try field(line))
        }
    }

    /// One line without its CRLF, of at most 64 KiB.
    static func readLine(
        from reader: ByteReader, for wanted: String, by deadline: Deadline
    ) throws(ClientError) -> String {
        let bytes = try reader.read(until: [0x0D, 0x0A], limit: 64 << 10, for: wanted, by: deadline)
        return String(decoding: bytes.dropLast(2), as: UTF8.self)
    }

    private static func field(_ line: String) throws(ClientError) -> (name: String, value: String) {
        guard let colon = line.firstIndex(of: ":") else { throw .violation("header line \"\(line)\"") }
        let name = line[..<colon]
        guard !name.isEmpty, !name.contains(where: { $0 == " " || $0 == "\t" }) else {
            throw .violation("header name \"\(name)\"")
        }
        let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
        let end = value.lastIndex { $0 != " " && $0 != "\t" }.map { value.index(after: $0) } ?? value.startIndex
        return (String(name), String(value[..<end]))
    }
}
