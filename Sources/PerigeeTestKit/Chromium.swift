// Chromium: a headless browser of one test, driven over its DevTools WebSocket with our own client. It runs in a process
// group of its own with a profile in a temporary folder; both are gone when the last reference is.
//
// Runs on: any thread, one at a time.
// Read next: ChromiumPage.swift, DevTools.swift

import Glibc

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

    // The group must be gone before the folder it writes to is removed.
    deinit { process.kill() }

    /// Starts the `chromium` in PATH and connects to it; its absence is an error that says how to install it.
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

    /// Where the browser listens, out of the line in which it says so.
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
