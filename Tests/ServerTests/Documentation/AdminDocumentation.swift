// The tables of the page "Admin API", made from the route table and the list of errors.

import Settings

@testable import Admin

/// Rows of requests and of errors.
enum AdminDocumentation {
    /// One row for each path; methods that do the same on one path share a row.
    static var routes: String {
        var rows: [(methods: [String], route: AdminRoute)] = []
        for route in AdminRoute.all {
            let method = "\(route.method)".uppercased()
            if let last = rows.last?.route, last.path == route.path, last.summary == route.summary {
                rows[rows.count - 1].methods.append(method)
            } else {
                rows.append(([method], route))
            }
        }
        let lines = rows.map { methods, route in
            "| `\(methods.joined(separator: " ")) \(route.path)` | \(route.scope?.rawValue ?? "") | \(route.summary) "
                + "| \(route.answers) |"
        }
        return table(["request", "scope", "does", "answers with"], lines)
    }

    /// One row for each error, by status.
    static var errors: String {
        let sorted = AdminError.all.sorted { ($0.status, $0.code) < ($1.status, $1.code) }
        return table(
            ["status", "code", "message", "hint"],
            sorted.map { "| \($0.status) | `\($0.code)` | \($0.message) | \($0.hint ?? "") |" })
    }

    private static func table(_ columns: [String], _ rows: [String]) -> String {
        let head = ["| \(columns.joined(separator: " | ")) |", String(repeating: "|---", count: columns.count) + "|"]
        return (head + rows).joined(separator: "\n") + "\n"
    }
}
