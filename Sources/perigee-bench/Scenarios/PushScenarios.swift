// Fan-out: one backend pushes to a channel by HTTP, and many clients receive. The next push begins when the admin API has
// answered the previous one and fewer than the allowed number are still on their way to subscribers.
//
// Read next: ../Clients/Publisher.swift.

/// Pushes to a channel with many subscribers.
struct FanoutScenario: Scenario {
    private static let channel = "bench"

    let subscribers: Int
    let inFlight: Int
    let size: Int
    let path: String

    var connections: Int { subscribers }

    func run(on server: ServerUnderTest, seconds: Double) throws(BenchError) -> Figures {
        let separator = path.utf8.contains(UInt8(ascii: "?")) ? "&" : "?"
        let load = FanoutLoad(
            server, path: "\(path)\(separator)channel=\(Self.channel)", subscribers: subscribers, inFlight: inFlight)
        try load.open(subscribers)
        try load.start(channel: Self.channel, size: size)
        let window = try load.measure(seconds: seconds)
        let missing = try load.finish()
        let people = subscribers == 1 ? "1 subscriber" : "\(subscribers.grouped) subscribers"
        var figures = Figures(
            scenario: "fan-out", setting: "\(size.bytesText) to \(people)", unit: "delivery", window: window,
            lost: load.lostCount)
        if missing > 0 { figures.notes.append("\(missing.grouped) deliveries did not arrive") }
        return figures
    }
}

/// Subscribers, and the backend that pushes to them.
private final class FanoutLoad: Load {
    private let subscribers: Int
    private let inFlight: Int
    private var publisher: Publisher?
    private var published = 0
    private var isFinishing = false

    init(_ server: ServerUnderTest, path: String, subscribers: Int, inFlight: Int) {
        self.subscribers = subscribers
        self.inFlight = inFlight
        super.init(server, path: path)
    }

    func start(channel: String, size: Int) throws(BenchError) {
        publisher = try Publisher(server, channel: channel, size: size, on: loop) { [unowned self] in answered($0) }
        publishIfDue()
    }

    /// Stops publishing, waits for deliveries on their way, and returns the number of those that are missing.
    func finish() throws(BenchError) -> Int {
        isFinishing = true
        try run(for: 2) { [self] in count >= published * subscribers }
        return published * subscribers - count
    }

    override func clientReceived(_ client: LoadClient, _ messages: Int) {
        count += messages
        publishIfDue()
    }

    private func answered(_ outcome: Result<Int, BenchError>) {
        switch outcome {
        case .failure(let error):
            fail(error)
        case .success(let matched) where matched < subscribers:
            fail("only \(matched) of \(subscribers) clients are subscribed: does the path's script do that?")
        case .success:
            publishIfDue()
        }
    }

    private func publishIfDue() {
        guard let publisher, !publisher.isWaiting, !isFinishing else { return }
        guard published * subscribers < count + inFlight * subscribers else { return }
        published += 1
        publisher.publish()
    }
}
