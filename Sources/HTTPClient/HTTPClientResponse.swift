// What a server answered.

/// A whole response: the last one, where redirects were followed.
public struct HTTPClientResponse: Sendable, Equatable {
    /// One header field, in the order in which they came.
    public struct Field: Sendable, Equatable {
        /// In lower case.
        public let name: String
        /// Without the white space around it.
        public internal(set) var value: String
    }

    /// 200 to 599, as a rule.
    public let status: Int
    public let fields: [Field]
    /// The body as it came: nothing is decompressed, because nothing compressed is asked for.
    public let body: [UInt8]

    /// The values of all fields of this name (in lower case), joined with ", " (RFC 9110, section 5.3); nil without any.
    public func value(of name: String) -> String? {
        let values = fields.filter { $0.name == name }.map(\.value)
        return values.isEmpty ? nil : values.joined(separator: ", ")
    }
}
