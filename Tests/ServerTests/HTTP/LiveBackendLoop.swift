// The thread's side of a live backend.

import EventLoop

/// Accepts, answers and holds.
final class LiveBackendLoop {
    private let loop = EventLoop()
    private let record: BackendRecord
    private var listener: Listener!
    private var connections: [LiveBackendConnection] = []
    private var held: [(connection: LiveBackendConnection, path: String)] = []
    private var holds = true

    init(_ descriptor: Int32, _ record: BackendRecord) {
        self.record = record
        listener = Listener(adopting: descriptor, competes: false, on: loop) { [unowned self] descriptor, peer in
            let connection = LiveBackendConnection(descriptor: descriptor, peer: peer, on: loop)
            connection.owner = self
            connections.append(connection)
            record.note { $0.open += 1 }
        }
    }

    func run(_ commands: Inbox<LiveBackend.Command>) {
        loop.attach(commands) { [unowned self] command in
            switch command {
            case .release:
                holds = false
                for request in held { request.connection.reply(request.path) }
                held = []
                record.note { $0.held = 0 }
            case .stop: loop.stop()
            }
        }
        loop.run()
    }

    func asked(_ connection: LiveBackendConnection, _ head: String) {
        let line = String(head.prefix { $0 != "\r\n" })
        let path = String(line.split(separator: " ")[1])
        let isHeld = holds && path.hasPrefix("/held")
        if isHeld { held.append((connection, path)) } else { connection.reply(path) }
        record.note {
            $0.lines.append(line)
            $0.heads.append(head)
            $0.held = held.count
        }
    }

    func closed(_ connection: LiveBackendConnection) {
        held.removeAll { $0.connection === connection }
        record.note {
            $0.open -= 1
            $0.held = held.count
        }
    }
}

final class LiveBackendConnection: Socket {
    unowned var owner: LiveBackendLoop!
    private var input: [UInt8] = []

    override func received(_ bytes: UnsafeMutableRawBufferPointer) {
        input += bytes
        // No test sends a body that matters here.
        while let end = input.firstRange(of: Array("\r\n\r\n".utf8)) {
            let head = String(decoding: input[..<end.lowerBound], as: UTF8.self)
            input.removeFirst(end.upperBound)
            owner.asked(self, head)
        }
    }

    override func didClose() { owner.closed(self) }

    func reply(_ path: String) {
        let target = path.hasPrefix("/redirect?") ? "Location: \(path.dropFirst(10))\r\n" : ""
        let status = !target.isEmpty ? "302 Found" : path.contains("forbidden") ? "403 Forbidden" : "200 OK"
        let text = "HTTP/1.1 \(status)\r\n\(target)X-Path: \(path)\r\nContent-Length: \(path.utf8.count)\r\n\r\n\(path)"
        Array(text.utf8).withUnsafeBytes { write($0) }
    }
}
