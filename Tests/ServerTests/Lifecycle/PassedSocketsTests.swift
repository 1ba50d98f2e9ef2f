// Sockets that another process opens for the server: how they are named, checked and spread over the workers.

import EventLoop
import Glibc
import JSON
import Logging
import PerigeeTestKit
import Settings
import Testing

@testable import Gateway
@testable import Server

@Suite("Passed sockets", .bounded)
struct PassedSocketsTests {
    /// Without names the first is for clients and the second for the admin API.
    @Test("assigns sockets by their names or by their order")
    func names() throws {
        let sockets = try (0..<3).map { _ in try OwnListener() }
        let all = sockets.map(\.descriptor)
        let rows: [(names: [String], count: Int, clients: [Int32], admin: [Int32])] = [
            (["clients", "admin", "clients"], 3, [all[0], all[2]], [all[1]]),
            (["admin"], 1, [], [all[0]]),
            ([], 2, [all[0]], [all[1]]),
            (["perigee.socket", "perigee.socket"], 2, [all[0]], [all[1]]),
            (["unknown"], 1, [all[0]], []),
            ([], 0, [], []),
        ]
        for row in rows {
            let passed = try PassedSockets.sorted(Array(all.prefix(row.count)), names: row.names)
            #expect(passed.clients == row.clients && passed.admin == row.admin && passed.ready == nil, "\(row.names)")
        }
        for names in [["clients", "admin", "other"], ["clients", "admin"], [], ["", "", ""]] {
            let error = #expect(throws: StartError.self) { try PassedSockets.sorted(all, names: names) }
            #expect("\(try #require(error))".contains("needs a name that says what it is for"), "\(names)")
        }
    }

    @Test("a descriptor that is no listening stream socket is refused")
    func kinds() throws {
        let unbound = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let datagram = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        let file = open("/dev/null", O_RDONLY)
        defer { [unbound, datagram, file].forEach { close($0) } }
        for descriptor in [unbound, datagram, file] {
            let error = #expect(throws: StartError.self) { try PassedSockets.sorted([descriptor], names: ["clients"]) }
            #expect("\(try #require(error))".contains("is not a stream socket that listens"))
        }
        let error = #expect(throws: StartError.self) { try PassedSockets.sorted([1_000_000], names: []) }
        #expect("\(try #require(error))".contains("that is not open"))
    }

    /// For any number of either.
    @Test("every worker gets a socket and every socket a worker")
    func shares() {
        for (sockets, workers) in [(1, 1), (1, 4), (2, 4), (3, 4), (4, 4), (5, 4), (9, 4), (3, 1)] {
            var passed = PassedSockets()
            let pipes = (0..<sockets).map { _ in open("/dev/null", O_RDONLY) }
            passed.clients = pipes
            let shares = passed.shares(of: workers)
            #expect(shares.count == workers && shares.allSatisfy { !$0.isEmpty })
            let descriptors = shares.joined().map(\.descriptor)
            #expect(Set(descriptors).count == descriptors.count, "a descriptor has one owner")
            #expect(Set(descriptors).isSuperset(of: pipes), "none is left without one who accepts")
            #expect(shares.joined().allSatisfy { $0.isContested == (sockets < workers) })
            descriptors.forEach { close($0) }
        }
        #expect(PassedSockets().shares(of: 2) == [[], []])
    }

    @Test("takes over the predecessor's socket file by the socket's path")
    func files() throws {
        let place = try SocketFile()
        let made = try UnixSocketFile(path: place.clients)
        defer { made.remove() }
        let socket = try made.duplicate()
        let tcp = try OwnListener()
        defer { close(socket) }
        let identity = try #require(made.owned)
        let text = PassedSockets.text(of: [(.clients, identity), (.admin, nil)])
        #expect(text == "clients:\(identity)" && PassedSockets.files(text) == [.clients: identity])
        for wrong in ["", "clients", "clients:", "clients:1", "clients:1.x", "other:1.2", ":1.2", ",,"] {
            #expect(PassedSockets.files(wrong) == [:], "\(wrong)")
        }
        var passed = PassedSockets()
        passed.files = [.clients: identity]
        #expect(passed.file(.clients, of: socket) == nil, "nobody hands over")
        passed.ready = 0
        #expect(passed.file(.clients, of: socket)?.path == place.clients)
        #expect(passed.file(.clients, of: tcp.descriptor) == nil)
        #expect(passed.file(.admin, of: socket) == nil, "a service manager's")
        #expect(PassedSockets.shown(socket) == "unix:\(place.clients)")
    }

    @Test("does not take over a file that replaced the predecessor's")
    func replacedFile() throws {
        let place = try SocketFile()
        let made = try UnixSocketFile(path: place.clients)
        let successor = UnixSocketFile(inheriting: place.clients, try #require(made.owned))
        made.handOver()
        unlink(place.clients)
        let other = try UnixSocketFile(path: place.clients)
        successor.takeOver()
        successor.remove()
        #expect(access(place.clients, F_OK) == 0)
        other.remove()
    }

    @Test("an admin socket that other machines reach needs a key")
    func openAdmin() throws {
        let listener = try OwnListener(anywhere: true)
        var host = HostProcess()
        host.sockets.admin = [listener.descriptor]
        var configuration = Configuration()
        configuration.listen = .loopback(port: 0)
        configuration.scripts.folder = String(ActivatedProcess.scripts)
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let error = #expect(throws: StartError.self) { try Server(configuration, log: log, host: host) }
        #expect("\(try #require(error))".contains("is reachable from other machines and admin.keys is empty"))
    }

    @Test("all workers of a server share one passed socket or several")
    func served() throws {
        for count in [1, 2, 5] {
            let listeners = try (0..<count).map { _ in try OwnListener() }
            let admin = try OwnListener()
            let child = try ActivatedProcess(clients: listeners.map(\.descriptor), admin: admin.descriptor, workers: 4)
            var clients: [WebSocketClient] = []
            for listener in listeners {
                for _ in 0..<(40 / count) {
                    clients.append(
                        try WebSocketClient.connect(port: listener.port, path: "/echo", timeout: .seconds(20)))
                }
            }
            let perWorker = try #require(
                try HTTPClient.once("GET", "/v1/node", port: admin.port).json()["connectionsPerWorker"]?.array)
            #expect(perWorker.compactMap(\.int).reduce(0, +) == clients.count)
            #expect(perWorker.compactMap(\.int).allSatisfy { $0 >= 1 }, "\(count) sockets: \(perWorker)")
            try clients[0].send("hello")
            #expect(try clients[0].receiveText() == "hello")
            child.signal(SIGTERM)
            for client in clients { #expect(DrainingTests.hint(try client.expectClose(skippingMessages: true)) != nil) }
            #expect(try child.wait() == 0)
        }
    }
}
