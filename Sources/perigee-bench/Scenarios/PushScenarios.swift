// Scenarios with backends that push to a channel by HTTP: a fan-out to many subscribers, and many pushes to one subscriber.
//
// Read next: ../Clients/Publisher.swift, Load.swift.

/// The channel of all pushes, and the path that subscribes to it.
private enum BenchChannel {
    static let name = "bench"

    static func subscribing(_ path: String) -> String {
        "\(path)\(path.utf8.contains(UInt8(ascii: "?")) ? "&" : "?")channel=\(name)"
    }
}

/// One backend pushes to a channel with many subscribers. The next push begins when the admin API has answered the previous one
/// and fewer than the allowed number are still on their way to subscribers.
struct FanoutScenario: Scenario {
    let subscribers: Int
    let inFlight: Int
    let size: Int
    let path: String

    var connections: Int { subscribers }

    func run(on server: ServerUnderTest, seconds: Double) throws(BenchError) -> Figures {
        let load = FanoutLoad(
            server, path: BenchChannel.subscribing(path), subscribers: subscribers, inFlight: inFlight)
        try load.open(subscribers)
        try load.start(size: size)
        let window = try load.measure(seconds: seconds)
        let missing = try load.finish()
        let people = subscribers == 1 ? "1 subscriber" : "\(subscribers.grouped) subscribers"
        var figures = Figures(
            scenario: "fan-out", setting: "\(size.bytesText) to \(people)", unit: "delivery", window: window,
            lost: load.lostCount)
        if missing > 0 { figures.losses.append("\(missing.grouped) deliveries did not arrive") }
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

    func start(size: Int) throws(BenchError) {
        publisher = try Publisher(server, channel: BenchChannel.name, size: size, on: loop) { [unowned self] in
            answered($1)
        }
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
        guard let publisher, publisher.inFlight == 0, !isFinishing else { return }
        guard published * subscribers < count + inFlight * subscribers else { return }
        published += 1
        publisher.publish()
    }
}

/// Some backends push to one subscriber, each with some pushes in flight on its connection. The responses are counted.
struct PushScenario: Scenario {
    let publishers: Int
    let inFlight: Int
    let size: Int
    let path: String

    var connections: Int { publishers + 1 }

    func run(on server: ServerUnderTest, seconds: Double) throws(BenchError) -> Figures {
        let load = PushLoad(server, path: BenchChannel.subscribing(path))
        try load.open(1)
        try load.start(publishers: publishers, inFlight: inFlight, size: size)
        let window = try load.measure(seconds: seconds)
        let people = publishers == 1 ? "1 publisher" : "\(publishers.grouped) publishers"
        let depth = inFlight == 1 ? "1 push" : "\(inFlight.grouped) pushes"
        return Figures(
            scenario: "pushes", setting: "\(size.bytesText), \(people), \(depth) in flight", unit: "push",
            window: window, lost: load.lostCount)
    }
}

/// Backends that answer each response with the next push.
private final class PushLoad: Load {
    private var publishers: [Publisher] = []

    func start(publishers count: Int, inFlight: Int, size: Int) throws(BenchError) {
        for _ in 0..<count {
            let publisher = try Publisher(server, channel: BenchChannel.name, size: size, on: loop) { [unowned self] in
                answered($0, $1)
            }
            publishers.append(publisher)
            for _ in 0..<inFlight { publisher.publish() }
        }
    }

    private func answered(_ publisher: Publisher, _ outcome: Result<Int, BenchError>) {
        switch outcome {
        case .failure(let error):
            fail(error)
        case .success(0):
            fail("no client is subscribed: does the path's script do that?")
        case .success:
            count += 1
            publisher.publish()
        }
    }
}
