// A row of a table of counters: all properties of a counter but its value. `GET /v1/node`, `/metrics`, the sum over the
// workers and the documentation come from the rows, so a counter is added in one place.
//
// Read next: WorkerStatistics.swift, Admin/Metrics/NodeFigures.swift.

/// One counter or gauge of `Figures`.
package struct Counter<Figures>: Sendable {
    package enum Kind: String, Sendable {
        /// Only grows.
        case counter
        /// How much there is now.
        case gauge
    }

    /// How the figures of several workers are put together.
    package enum Sum: Sendable {
        case total
        case largest
    }

    /// The label that tells the counters of one metric apart.
    package struct Label: Sendable {
        package let name: String
        package let value: String
    }

    /// The name in `GET /v1/node`; a dot leads into an object.
    package let json: String
    /// The name in `/metrics`.
    package let metric: String
    package let label: Label?
    package let kind: Kind
    /// One sentence for `/metrics` and the documentation; the same for all counters of a metric.
    package let help: String
    /// How many of the value make one of the metric's unit.
    package let perUnit: UInt64
    /// Whether JSON has it as true or false.
    package let isFlag: Bool
    package let value: @Sendable (Figures) -> UInt64
    let add: @Sendable (inout Figures, Figures) -> Void
}

extension Counter {
    /// A number.
    package init<Value: BinaryInteger & Sendable>(
        _ json: String, _ metric: String, _ kind: Kind, _ help: String,
        _ path: any WritableKeyPath<Figures, Value> & Sendable, label: Label? = nil, sum: Sum = .total,
        perUnit: UInt64 = 1
    ) {
        self.init(
            json: json, metric: metric, label: label, kind: kind, help: help, perUnit: perUnit, isFlag: false,
            value: { UInt64(clamping: $0[keyPath: path]) },
            add: { left, right in
                switch sum {
                case .total: left[keyPath: path] += right[keyPath: path]
                case .largest: left[keyPath: path] = max(left[keyPath: path], right[keyPath: path])
                }
            })
    }

    /// A gauge that is 1 or 0.
    package init(
        _ json: String, _ metric: String, _ help: String, flag path: any WritableKeyPath<Figures, Bool> & Sendable
    ) {
        self.init(
            json: json, metric: metric, label: nil, kind: .gauge, help: help, perUnit: 1, isFlag: true,
            value: { $0[keyPath: path] ? 1 : 0 },
            add: { left, right in left[keyPath: path] = left[keyPath: path] || right[keyPath: path] })
    }

    /// Counters of one metric that a label tells apart.
    package static func family<Value: BinaryInteger & Sendable>(
        _ metric: String, _ kind: Kind, _ help: String, by label: String,
        _ members: [(value: String, json: String, path: any WritableKeyPath<Figures, Value> & Sendable)]
    ) -> [Counter] {
        members.map { member in
            Counter(
                member.json, metric, kind, help, member.path, label: Label(name: label, value: member.value))
        }
    }
}
