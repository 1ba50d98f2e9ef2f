// The whole server: starts the threads in the one order that never shows a half-ready server, and stops them in the reverse.
//
// Runs on: the caller's thread, usually main.
// Read next: Gateway/Node/Node.swift, then Gateway/Worker/Worker.swift.

import Admin
import CLinux
import EventLoop
import Gateway
import Glibc
public import LineLog
public import Logging
public import PubSub
import Scripting
public import Settings
import Synchronization
import WebSocket

/// How a server ended, once it has.
private final class EndNote: Sendable {
    private let end = Mutex(ServerEnd.complete)
    var value: ServerEnd { end.withLock { $0 } }
    func note(_ value: ServerEnd) { end.withLock { $0 = value } }
}

/// A running server.
public final class Server {
    /// The report of a starting thread to the thread that starts it.
    private enum Start: Sendable {
        /// - listening: the sockets that the thread has opened.
        case ready(listening: [Int32])
        case failed(StartError)
    }

    /// Where clients connect, as `127.0.0.1:8080`, the port being the one in use, or as `unix:/run/perigee.sock`.
    public let clientAddress: String
    /// Where the admin API listens.
    public let adminAddress: String
    /// The base URL of the clients' port, such as `wss://127.0.0.1:8080`; `unix:` and the path for a UNIX socket.
    public var clientURL: String { clientPort == 0 ? clientAddress : "ws\(secureSuffix)://\(clientAddress)" }
    /// The URL of the demo page, without the slash at the end.
    public var pageURL: String { "http\(secureSuffix)://\(clientAddress)" }
    /// The port of `clientAddress`; 0 for a UNIX socket.
    public let clientPort: UInt16
    /// The port of `adminAddress`; 0 for a UNIX socket.
    public let adminPort: UInt16
    /// How many workers there are.
    public var workerCount: Int { node.workers.count }

    private let node: Node
    private let adminPlace: AdminPlace
    private let workers: [LoopThread]
    private let adminThread: LoopThread
    private let reloadThread: LoopThread
    private let lifecycleThread: LoopThread
    private let end = EndNote()

    /// Starts a server: when this returns, clients can connect and backends can push.
    /// - Parameters:
    ///   - logOutput: the writer of the log, whose dropped entries are then counted.
    ///   - host: the process around the server, where it has one to itself.
    ///   - broker: makes the broker, which delivers through the node's fan-out; without one, memory is the broker.
    public init(
        _ configuration: Configuration, log: Logger, logOutput: LogOutput? = nil, host: HostProcess = .none,
        broker: ((LocalFanout) -> any Broker)? = nil
    ) throws(StartError) {
        // The first use of SHA-1 sets OpenSSL up, which takes a megabyte and a moment: better now than in the first handshake.
        _ = Handshake.acceptValue(key: "")
        clinux_tune_malloc()
        var configuration = configuration
        configuration.scripts.folder = host.located(configuration.scripts.folder)
        let count = configuration.workers > 0 ? configuration.workers : max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let node = Node(
            configuration: configuration, workers: min(count, 256), log: log, logOutput: logOutput,
            hasPredecessor: host.sockets.ready != nil, broker: broker)
        try Self.loadCertificates(node)
        let bundle = try Self.loadScripts(node)
        try Self.checkAccess(host.sockets, configuration)
        let clients = try ClientListener(configuration.listen, sockets: host.sockets, workers: node.workers.count)
        let adminFile = try Self.openFile(configuration.admin.listen, host.sockets)
        let (adminThread, admin, adminSockets) = try Self.startAdmin(node, file: adminFile, passed: host.sockets.admin)
        let sockets: ListeningDescriptors
        let adminPath = adminFile?.path ?? host.sockets.admin.first.flatMap { UnixSocketFile.path(of: $0) }
        adminPlace = AdminPlace(admin, path: adminPath, isSecure: configuration.admin.tls)
        let page = PlainPages(
            adminURL: adminPlace.url, adminSocket: adminPlace.socket, for: configuration.demo)
        do throws(StartError) {
            let started = try Self.startWorkers(
                node, bundle: bundle, place: clients.place, page: page,
                admin: adminSockets.map { SocketAddress.local(of: $0) })
            workers = started.threads
            sockets = ListeningDescriptors(
                clients: clients.passed + started.listening, admin: adminSockets, clientFile: clients.file,
                adminFile: adminFile)
        } catch {
            node.admin.post(.stop)
            adminThread.join()
            throw error
        }
        clients.release()
        adminFile?.release()
        log.info(
            "started",
            metadata: [
                "perigee": "\(PerigeeVersion.text)", "lua": "\(ScriptEngine.luaVersion)", "workers": "\(workers.count)",
            ])
        node.setLive(BundleHistory(live: bundle, loadedAt: time(nil)))
        // Not earlier: a server that does not come up would lose the connections that it has accepted.
        clients.accept(on: node.workers)
        node.admin.post(.accept(host.sockets.admin, adminFile))
        reloadThread = LoopThread(name: "perigee-reload") { Reloader(node: node, live: bundle).run() }
        lifecycleThread = LoopThread(name: "perigee-life") { [end] in
            end.note(Lifecycle(node: node, host: host, sockets: sockets).run())
        }
        self.node = node
        self.adminThread = adminThread
        clientAddress = clients.shown
        adminAddress = adminPath.map { "unix:\($0)" } ?? admin.reachable
        clientPort = clients.port
        adminPort = admin.port
    }

    private var secureSuffix: String { node.certificates.clients == nil ? "" : "s" }

    /// The admin API's URL, the one for `--unix-socket` when it listens on a UNIX socket.
    public var adminURL: String { adminPlace.url }
    /// The path of the admin API's UNIX socket; nil when it has a port.
    public var adminSocket: String? { adminPlace.socket }

    /// The scripts that are live: name and route.
    public var scripts: [(name: String, route: String)] { node.liveScripts.scripts.map { ($0.name, $0.route) } }

    /// Loads scripts and certificates anew, as SIGHUP does; the log has the outcome.
    public func reload() {
        node.reloader.post(.reloadCertificates(cause: "signal"))
        node.reloader.post(.request(ReloadRequest(kind: .folder, cause: ReloadRequest.signal, ticket: nil)))
    }

    /// Stops accepting, closes every connection with 1012, spread over `drain.window`, and returns when all is written or the
    /// grace time is over.
    public func stop() {
        node.lifecycle.post(.drain(over: nil, cause: "stop"))
        wait()
    }

    /// Waits until the server has ended, because of `stop`, a signal, or the admin API; answers how.
    @discardableResult
    public func wait() -> ServerEnd {
        lifecycleThread.join()
        guard end.value == .complete else { return end.value }
        for thread in [reloadThread, adminThread] + workers { thread.join() }
        return .complete
    }

    /// Lets the process open as many descriptors as the system allows it: each connection takes one.
    public static func raiseDescriptorLimit() { _ = clinux_raise_descriptor_limit() }

    // MARK: Starting

    private static func loadCertificates(_ node: Node) throws(StartError) {
        do throws(TLSError) {
            let certificates = try Certificates.load(node.configuration, node.certificates.ticketKeys)
            node.certificates.replace(with: certificates)
            for warning in certificates?.clients.warnings ?? [] { node.log.warning("\(warning)") }
        } catch {
            throw .certificates("\(error)")
        }
    }

    private static func loadScripts(_ node: Node) throws(StartError) -> ScriptBundle {
        let scripts = node.configuration.scripts
        let bundle: ScriptBundle
        do throws(ScriptErrors) {
            bundle = try ScriptBundle.load(folder: scripts.folder, version: 1, routes: scripts.routes)
        } catch {
            throw .scripts(error.errors)
        }
        let errors = ScriptEngine.check(bundle, options: node.scriptOptions)
        guard errors.isEmpty else { throw .scripts(errors) }
        return bundle
    }

    /// The rules for `admin.listen` hold for a passed socket, too: a client that reaches the API without a key may do everything.
    private static func checkAccess(_ sockets: PassedSockets, _ configuration: Configuration) throws(StartError) {
        guard configuration.admin.keys.isEmpty else { return }
        for address in sockets.admin.map({ SocketAddress.local(of: $0) }) where !address.isLoopback {
            throw .listen(
                "the passed socket of the admin API, \(address), is reachable from other machines and admin.keys is empty"
            )
        }
    }

    private static func openFile(
        _ address: ListenAddress, _ sockets: PassedSockets
    ) throws(StartError) -> UnixSocketFile? {
        if let first = sockets.admin.first { return sockets.file(.admin, of: first) }
        guard let path = address.unixPath else { return nil }
        do throws(ListenError) {
            return try UnixSocketFile(path: path)
        } catch {
            throw .listen("\(error)")
        }
    }

    private static func startAdmin(
        _ node: Node, file: UnixSocketFile?, passed: [Int32]
    ) throws(StartError) -> (LoopThread, SocketAddress, listening: [Int32]) {
        enum AdminStart: Sendable { case ready(SocketAddress, listening: [Int32]), failed(ListenError) }
        let started = Inbox<AdminStart>()
        let place: ListenPlace? =
            if !passed.isEmpty {
                nil
            } else if let file {
                .file(file, isShared: false)
            } else {
                .address(node.configuration.admin.listen.socketAddress, isShared: false)
            }
        let thread = LoopThread(name: "perigee-admin") {
            let server = AdminServer(node: node)
            do throws(ListenError) {
                let opened = if let place { try server.listen(on: place) } else { SocketAddress.local(of: passed[0]) }
                started.post(.ready(opened, listening: passed + server.descriptors))
            } catch {
                return started.post(.failed(error))
            }
            server.run()
        }
        switch started.wait()[0] {
        case .ready(let address, let listening): return (thread, address, listening)
        case .failed(let error):
            thread.join()
            throw .listen("\(error)")
        }
    }

    private static func startWorkers(
        _ node: Node, bundle: ScriptBundle, place: ListenPlace?, page: PlainPages, admin: [SocketAddress]
    ) throws(StartError) -> (threads: [LoopThread], listening: [Int32]) {
        let started = Inbox<Start>()
        let threads = (0..<node.workers.count).map { index in
            LoopThread(name: "perigee-\(index)") {
                run(worker: UInt8(index), node, bundle: bundle, place: place, page: page, admin: admin, started)
            }
        }
        var failures: [StartError] = []
        var listening: [Int32] = []
        var awaited = threads.count
        while awaited > 0 {
            for start in started.wait() {
                awaited -= 1
                switch start {
                case .ready(let opened): listening += opened
                case .failed(let failure): failures.append(failure)
                }
            }
        }
        guard let failure = failures.first else { return (threads, listening) }
        node.workers.tellAll { $0.stop() }
        for thread in threads { thread.join() }
        throw failure
    }

    private static func run(
        worker index: UInt8, _ node: Node, bundle: ScriptBundle, place: ListenPlace?, page: PlainPages,
        admin: [SocketAddress], _ started: Inbox<Start>
    ) {
        let worker: Worker
        do throws(ScriptError) {
            worker = try Worker(index: index, node: node, page: page, admin: admin)
        } catch {
            return started.post(.failed(.scripts([error])))
        }
        let errors = worker.start(bundle)
        guard errors.isEmpty else { return started.post(.failed(.scripts(errors))) }
        do throws(ListenError) {
            if let place { try worker.listen(on: place) }
        } catch {
            return started.post(.failed(.listen("\(error)")))
        }
        started.post(.ready(listening: worker.listeningDescriptors))
        worker.run()
    }
}
