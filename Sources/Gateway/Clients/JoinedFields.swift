// Header fields as scripts see them: each name once, and values as bytes, so that values that differ in any byte stay distinct.

package import HTTP1

/// Header fields whose repeated names are joined by `, ` (RFC 9110, section 5.3), in the order in which the names came first.
struct JoinedFields {
    private(set) var fields: [(name: String, value: [UInt8])] = []
    private var places: [String: Int] = [:]

    /// Joins fields whose names are in lower case.
    init(_ given: some Sequence<(name: String, value: [UInt8])>) {
        for field in given { add(field) }
    }

    private mutating func add(_ field: (name: String, value: [UInt8])) {
        if let place = places[field.name] {
            fields[place].value += ", ".utf8
            fields[place].value += field.value
        } else {
            places[field.name] = fields.count
            fields.append(field)
        }
    }
}

extension RequestHead {
    /// The header fields, each name once.
    package var joinedFields: [(name: String, value: [UInt8])] { JoinedFields(fields).fields }
}
