// Chromium: a headless browser of one test, driven over its DevTools WebSocket with the kit's own client. It runs in a process
// group of its own with a profile in a temporary folder; both go with the last reference.
//
// Runs on: any thread, one at a time.
// Read next: ChromiumPage.swift.

import Glibc
import JSON

/// A running headless Chromium.
public final class Chromium {
    private let process: ChildProcess
    private let profile: TemporaryFolder
    private let devTools: DevTools

    private init(process: ChildProcess, profile: TemporaryFolder, devTools: DevTools) {
        self.process = process
        self.profile = profile
        self.devTools = devTools
    }

    // The group must end before the folder it writes to is removed.
    deinit { process.kill() }

    /// Starts the `chromium` in PATH and connects to it. The error of a missing one says how to install it.
    public static func start(timeout: Duration = .seconds(30)) throws(ClientError) -> Chromium {
        let profile = try TemporaryFolder()
        let process = try launch(profile: profile.path, timeout: timeout)
        let line = try process.errorLine(containing: "DevTools listening on ws://")
        guard let endpoint = Endpoint(line) else { throw .unexpected("no DevTools address in: \(line)") }
        let client = try WebSocketClient.connect(
            host: endpoint.host, port: endpoint.port, path: endpoint.path, timeout: timeout)
        let devTools = DevTools(client: client, timeout: timeout) { process.discardAvailable() }
        return Chromium(process: process, profile: profile, devTools: devTools)
    }

    /// Opens `url` in a new page of `width` × `height` CSS pixels and waits until it is loaded.
    public func open(_ url: String, width: Int = 1000, height: Int = 800) throws(ClientError) -> ChromiumPage {
        let page = try ChromiumPage(devTools: devTools)
        try page.resize(width: width, height: height)
        try page.load(url)
        return page
    }

    private static func launch(profile: String, timeout: Duration) throws(ClientError) -> ChildProcess {
        let arguments = [
            "--headless=new", "--ignore-certificate-errors", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-crash-reporter",
            "--disable-sync", "--disable-extensions", "--mute-audio", "--remote-debugging-port=0",
            "--user-data-dir=\(profile)", "about:blank",
        ]
        do {
            return try ChildProcess.start("chromium", arguments, environment: ["HOME": profile], timeout: timeout)
        } catch .system(_, ENOENT) {
            throw .unexpected("chromium is not installed: apt-get install chromium")
        }
    }

    /// The address of the browser's DevTools, from the line that it prints at its start.
    private struct Endpoint {
        let host: String
        let port: Int
        let path: String

        init?(_ line: String) {
            guard let url = line.split(separator: "ws://", maxSplits: 1).last,
                let slash = url.firstIndex(of: "/"), let colon = url[..<slash].lastIndex(of: ":"),
                let port = Int(url[url.index(after: colon)..<slash])
            else { return nil }
            host = String(url[..<colon])
            self.port = port
            path = String(url[slash...])
        }
    }
}

/// A connection in the browser's debugging protocol (Chrome DevTools Protocol), shared by its pages: numbered JSON commands and
/// their responses over one WebSocket, with events in between.
final class DevTools {
    private let client: WebSocketClient
    private let timeout: Duration
    private let beforeWaiting: () -> Void
    private var lastNumber = 0
    private var events: [JSON] = []

    /// `beforeWaiting` runs before each wait for the browser.
    init(client: WebSocketClient, timeout: Duration, beforeWaiting: @escaping () -> Void) {
        self.client = client
        self.timeout = timeout
        self.beforeWaiting = beforeWaiting
    }

    /// Sends a command, to a page if there is a session, and returns its result.
    func call(_ method: String, _ parameters: [String: JSON] = [:], session: String? = nil) throws(ClientError) -> JSON
    {
        lastNumber += 1
        let number = lastNumber
        var command: [String: JSON] = [
            "id": .number(Double(number)), "method": .string(method), "params": .object(parameters),
        ]
        if let session { command["sessionId"] = .string(session) }
        try client.send(JSON.object(command).description)
        while true {
            let message = try receive()
            guard message["id"]?.int == number else { continue }
            if let error = message["error"] { throw .unexpected("\(method): \(error)") }
            return message["result"] ?? .null
        }
    }

    /// Waits for the session's next event of that name; an earlier one that was not yet taken counts.
    func waitForEvent(_ method: String, session: String) throws(ClientError) {
        while takeEvents(method, session: session).isEmpty { _ = try receive() }
    }

    /// The parameters of the session's events of that name since the last call, in order.
    func takeEvents(_ method: String, session: String) -> [JSON] {
        func matches(_ event: JSON) -> Bool {
            event["method"]?.string == method && event["sessionId"]?.string == session
        }
        let taken = events.filter(matches)
        events.removeAll(where: matches)
        return taken.compactMap { $0["params"] }
    }

    private func receive() throws(ClientError) -> JSON {
        beforeWaiting()
        let message = try JSON(received: client.receiveText(timeout: timeout))
        if message["method"] != nil {
            events.append(message)
            if events.count > 10_000 { events.removeFirst(5_000) }
        }
        return message
    }
}
