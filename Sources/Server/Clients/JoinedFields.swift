// Header fields as scripts see them: each name once.

import HTTP1

/// Header fields whose repeated names are joined by `, ` (RFC 9110, section 5.3), in the order in which the names came first.
struct JoinedFields {
    private(set) var fields: [(name: String, value: String)] = []
    private var places: [String: Int] = [:]

    /// Joins fields whose names are in lower case.
    init(_ given: some Sequence<(name: String, value: String)>) {
        for field in given { add(field) }
    }

    private mutating func add(_ field: (name: String, value: String)) {
        if let place = places[field.name] {
            fields[place].value += ", "
            fields[place].value += field.value
        } else {
            places[field.name] = fields.count
            fields.append(field)
        }
    }
}

extension RequestHead {
    /// The header fields, each name once.
    var joinedFields: [(name: String, value: String)] { JoinedFields(fields).fields }
}
