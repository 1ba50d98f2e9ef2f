// Looking up the fields of a request head. Names are compared in place, case-insensitively (RFC 9110, section 5.1).

extension RequestHead {
    /// The value of the first field with this name, as text: ISO-8859-1 where it is not UTF-8.
    public func first(_ name: String) -> String? {
        let head = unsafe bytes.span.bytes
        for field in table where head.holdsIgnoringCase(name, at: field.name.offsets) {
            return head.string(field.value.offsets)
        }
        return nil
    }

    /// The values of all fields with this name, in the order they were sent.
    public func all(_ name: String) -> [String] {
        let head = unsafe bytes.span.bytes
        var values: [String] = []
        for field in table where head.holdsIgnoringCase(name, at: field.name.offsets) {
            values.append(head.string(field.value.offsets))
        }
        return values
    }

    /// The values of all fields with this name as one list, joined by `, ` (RFC 9110, section 5.3); nil without such a
    /// field.
    public func joined(_ name: String) -> String? {
        let values = all(name)
        return values.isEmpty ? nil : values.joined(separator: ", ")
    }

    /// Whether a token is in the comma-separated lists of all fields with this name; letters of either case are alike.
    public func hasToken(_ token: String, in name: String) -> Bool {
        let head = unsafe bytes.span.bytes
        for field in table where head.holdsIgnoringCase(name, at: field.name.offsets) {
            if head.listHolds(token, in: field.value.offsets) { return true }
        }
        return false
    }

    /// All fields in the order they were sent, names in lower case.
    public var fields: Fields { Fields(head: self) }

    /// The fields of a head, each made when it is reached: its name, and the bytes of its value, which need not be UTF-8.
    public struct Fields: RandomAccessCollection, Sendable {
        let head: RequestHead

        public var startIndex: Int { 0 }

        public var endIndex: Int { head.table.count }

        public subscript(index: Int) -> (name: String, value: [UInt8]) {
            let field = head.table[index]
            return (head.text(field.name.offsets).lowercased(), unsafe head.bytes.span.bytes.array(field.value.offsets))
        }
    }
}
