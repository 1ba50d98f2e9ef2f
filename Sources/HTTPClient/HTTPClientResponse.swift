// What a server answered.

/// A whole response: the last one, where redirects were followed.
public struct HTTPClientResponse: Sendable, Equatable {
    /// One header field, in the order in which they came.
    public struct Field: Sendable, Equatable {
        /// In lower case.
        public let name: String
        /// Without the white space around it; it need not be UTF-8.
        public internal(set) var value: [UInt8]

        /// The value as text: ISO-8859-1 where it is not UTF-8 (RFC 9110, section 5.5).
        public var text: String {
            String(validating: value, as: UTF8.self)
                ?? String(String.UnicodeScalarView(value.map { Unicode.Scalar($0) }))
        }
    }

    /// 200 to 599, as a rule.
    public let status: Int
    public let fields: [Field]
    /// The body as it came: nothing is decompressed, because nothing compressed is asked for.
    public let body: [UInt8]

    /// The values of all fields of this name (in lower case), joined with ", " (RFC 9110, section 5.3); nil without any.
    public func value(of name: String) -> String? {
        let values = fields.filter { $0.name == name }.map(\.text)
        return values.isEmpty ? nil : values.joined(separator: ", ")
    }
}
