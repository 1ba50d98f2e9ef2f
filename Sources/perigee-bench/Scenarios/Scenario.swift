// What can be measured.

/// One measurement with its settings.
protocol Scenario {
    /// How many connections it opens at a time.
    var connections: Int { get }
    /// Loads `server` for `seconds` and answers what that showed.
    func run(on server: ServerUnderTest, seconds: Double) throws(BenchError) -> Figures
}

extension Scenario {
    /// What a process has open beside its connections.
    static var spareDescriptors: Int { 64 }

    /// Throws when this process may not open as many connections; the server it starts may open no more than it.
    func check(descriptors: UInt64) throws(BenchError) {
        guard connections + Self.spareDescriptors <= Int(clamping: descriptors) else {
            throw BenchError(
                "\(connections) connections are more than the \(descriptors) descriptors a process may open here")
        }
    }
}
