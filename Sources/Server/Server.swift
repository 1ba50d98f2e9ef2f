// The whole server: starts the threads in the one order that never shows a half-ready server, and stops them in the reverse.
//
// Runs on: the caller's thread, usually main.
// Read next: Node/Node.swift, then Worker/Worker.swift.

import CLinux
import EventLoop
import Glibc
public import Logging
import PubSub
import Scripting
import WebSocket

/// A running server.
public final class Server {
    /// What a starting thread tells the one that starts it.
    private enum Start: Sendable {
        case ready
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
    private let clients: ClientDoor
    private let adminFile: UnixSocketFile?
    private let adminPlace: AdminPlace
    private let workers: [LoopThread]
    private let adminThread: LoopThread
    private let reloadThread: LoopThread

    /// Starts a server: when this returns, clients can connect and backends can push.
    public init(_ configuration: Configuration, log: Logger) throws(StartError) {
        // The first use of SHA-1 sets OpenSSL up, which takes a megabyte and a moment: better now than in the first handshake.
        _ = Handshake.acceptValue(key: "")
        clinux_keep_freed_memory()
        let count = configuration.workers > 0 ? configuration.workers : max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let node = Node(configuration: configuration, workers: min(count, 256), log: log)
        try Self.loadCertificates(node)
        let bundle = try Self.loadScripts(node)
        let clients = try ClientDoor(configuration.listen)
        let adminFile = try Self.openFile(configuration.admin.listen)
        let (adminThread, admin) = try Self.startAdmin(node, file: adminFile)
        adminPlace = AdminPlace(admin, file: adminFile, isSecure: configuration.admin.tls)
        let page = PlainPages(admin: configuration.demo ? adminPlace : nil)
        do throws(StartError) {
            workers = try Self.startWorkers(node, bundle: bundle, place: clients.place, page: page)
        } catch {
            node.admin.post(.stop)
            adminThread.join()
            throw error
        }
        clients.release()
        adminFile?.release()
        node.setLive(bundle)
        reloadThread = LoopThread(name: "perigee-reload") { Reloader(node: node, live: bundle).run() }
        self.node = node
        self.clients = clients
        self.adminFile = adminFile
        self.adminThread = adminThread
        clientAddress = clients.shown
        adminAddress = adminFile.map { "unix:\($0.path)" } ?? admin.reachable
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

    /// Loads scripts and certificates anew, as SIGHUP does; what comes of it is in the log.
    public func reload() {
        node.reloader.post(.reloadCertificates(cause: "signal"))
        node.reloader.post(.reload(cause: "signal", ticket: nil))
    }

    /// Stops accepting, closes every connection with 1001, and returns when all is written or the grace time is over.
    public func stop() {
        clients.close()
        adminFile?.remove()
        node.reloader.post(.stop)
        reloadThread.join()
        node.admin.post(.stop)
        adminThread.join()
        node.workers.postToAll(.stop)
        for worker in workers { worker.join() }
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

    private static func openFile(_ address: ListenAddress) throws(StartError) -> UnixSocketFile? {
        guard let path = address.unixPath else { return nil }
        do throws(ListenError) {
            return try UnixSocketFile(path: path)
        } catch {
            throw .listen("\(error)")
        }
    }

    private static func startAdmin(
        _ node: Node, file: UnixSocketFile?
    ) throws(StartError) -> (LoopThread, SocketAddress) {
        enum AdminStart: Sendable { case ready(SocketAddress), failed(ListenError) }
        let started = Inbox<AdminStart>()
        let place: ListenPlace =
            if let file {
                .file(file, isShared: false)
            } else {
                .address(node.configuration.admin.listen.socketAddress, isShared: false)
            }
        let thread = LoopThread(name: "perigee-admin") {
            let server = AdminServer(node: node)
            do throws(ListenError) {
                started.post(.ready(try server.listen(on: place)))
            } catch {
                return started.post(.failed(error))
            }
            server.run()
        }
        switch started.wait()[0] {
        case .ready(let address): return (thread, address)
        case .failed(let error):
            thread.join()
            throw .listen("\(error)")
        }
    }

    private static func startWorkers(
        _ node: Node, bundle: ScriptBundle, place: ListenPlace, page: PlainPages
    ) throws(StartError) -> [LoopThread] {
        let started = Inbox<Start>()
        let threads = (0..<node.workers.count).map { index in
            LoopThread(name: "perigee-\(index)") {
                run(worker: UInt8(index), node, bundle: bundle, place: place, page: page, started)
            }
        }
        var failures: [StartError] = []
        var awaited = threads.count
        while awaited > 0 {
            for start in started.wait() {
                awaited -= 1
                if case .failed(let failure) = start { failures.append(failure) }
            }
        }
        guard let failure = failures.first else { return threads }
        node.workers.postToAll(.stop)
        for thread in threads { thread.join() }
        throw failure
    }

    private static func run(
        worker index: UInt8, _ node: Node, bundle: ScriptBundle, place: ListenPlace, page: PlainPages,
        _ started: Inbox<Start>
    ) {
        let worker: Worker
        do throws(ScriptError) {
            worker = try Worker(index: index, node: node, page: page)
        } catch {
            return started.post(.failed(.scripts([error])))
        }
        let errors = worker.start(bundle)
        guard errors.isEmpty else { return started.post(.failed(.scripts(errors))) }
        do throws(ListenError) {
            try worker.listen(on: place)
        } catch {
            return started.post(.failed(.listen("\(error)")))
        }
        started.post(.ready)
        worker.run()
    }
}
