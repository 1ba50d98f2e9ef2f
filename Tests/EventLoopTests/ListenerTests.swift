// Opening, sharing and refusing ports.

import Glibc
import Testing

@testable import EventLoop

@Suite("Listener", .bounded)
struct ListenerTests {
    private let stage = Stage()

    private func listen(_ host: String, port: UInt16 = 0, isShared: Bool = false) throws(ListenError) -> Listener {
        try Listener(SocketAddress(host: host, port: port)!, isShared: isShared, on: stage.loop) {
            close($0); _ = $1
        }
    }

    @Test("port 0 listens on a port that the kernel picked and reports it", arguments: ["127.0.0.1", "::1"])
    func portZero(_ host: String) throws {
        var clients: [SocketAddress] = []
        let listener = try Listener(SocketAddress(host: host, port: 0)!, isShared: false, on: stage.loop) {
            clients.append($1)
            close($0)
        }
        #expect(listener.address.port > 0)
        #expect(listener.address.host == host)
        let peers = (0..<3).map { _ in Stage.connect(to: listener.address) }
        #expect(stage.turn { clients.count == 3 })
        #expect(clients.allSatisfy { $0.isLoopback && $0.host == host && $0.port > 0 })
        #expect(Set(clients).count == peers.count)
        stage.loop.remove(listener)
    }

    @Test("accepted descriptors do not block, delay, or leak into child processes")
    func descriptor() throws {
        var flags: (status: Int32, descriptor: Int32, noDelay: Int32)?
        let listener = try Listener(SocketAddress(host: "127.0.0.1", port: 0)!, isShared: false, on: stage.loop) {
            var noDelay: Int32 = 0
            var size = socklen_t(4)
            getsockopt($0, Int32(IPPROTO_TCP), TCP_NODELAY, &noDelay, &size)
            flags = (fcntl($0, F_GETFL), fcntl($0, F_GETFD), noDelay)
            close($0)
            _ = $1
        }
        let peer = Stage.connect(to: listener.address)
        stage.turn { flags != nil }
        let seen = try #require(flags)
        #expect(seen.status & O_NONBLOCK != 0)
        #expect(seen.descriptor & FD_CLOEXEC != 0)
        #expect(seen.noDelay != 0)
        _ = peer
        stage.loop.remove(listener)
    }

    @Test("a port in use is reported in words")
    func inUse() throws {
        let first = try listen("127.0.0.1")
        let error = #expect(throws: ListenError.self) { _ = try self.listen("127.0.0.1", port: first.address.port) }
        #expect(error?.code == EADDRINUSE)
        #expect(
            error?.description == "cannot listen on \(first.address): the port is in use by another process")
        stage.loop.remove(first)
    }

    @Test("an address of another machine is reported in words")
    func foreignAddress() {
        let error = #expect(throws: ListenError.self) { _ = try self.listen("192.0.2.1", port: 1) }
        #expect(error?.description == "cannot listen on 192.0.2.1:1: this machine has no such address")
    }

    @Test("loops share a port only on request")
    func shared() throws {
        let first = try listen("127.0.0.1", isShared: true)
        let second = try listen("127.0.0.1", port: first.address.port, isShared: true)
        #expect(second.address == first.address)
        #expect(throws: ListenError.self) { _ = try self.listen("127.0.0.1", port: first.address.port) }
        stage.loop.remove(first)
        stage.loop.remove(second)
    }

    @Test("reservePort picks or keeps a port and sees listeners that would share")
    func reservePort() throws {
        // An address that only this test uses, so that no other test takes the port between two checks.
        let picked = try Listener.reservePort(of: SocketAddress(host: "127.0.0.2", port: 0)!)
        #expect(picked.port > 0)
        #expect(try Listener.reservePort(of: picked) == picked)
        let listener = try listen("127.0.0.2", port: picked.port, isShared: true)
        let error = #expect(throws: ListenError.self) { _ = try Listener.reservePort(of: picked) }
        #expect(error?.code == EADDRINUSE)
        stage.loop.remove(listener)
    }

    @Test("the IPv6 wildcard takes IPv4 clients too and shows them as IPv4")
    func dualStack() throws {
        var clients: [SocketAddress] = []
        let listener = try Listener(SocketAddress(host: "::", port: 0)!, isShared: false, on: stage.loop) {
            clients.append($1)
            close($0)
        }
        let peers = ["127.0.0.1", "::1"].map {
            Stage.connect(to: SocketAddress(host: $0, port: listener.address.port)!)
        }
        #expect(stage.turn { clients.count == peers.count })
        #expect(Set(clients.map(\.host)) == ["127.0.0.1", "::1"])
        #expect(clients.contains { $0.isIPv4 && "\($0)".hasPrefix("127.0.0.1:") })
        stage.loop.remove(listener)
    }

    @Test("a listener that was shut down reports it once and accepts again")
    func shutDown() throws {
        let address = try Listener.reservePort(of: SocketAddress(host: "127.0.0.4", port: 0)!)
        var clients = 0
        let listener = try Listener(address, isShared: false, on: stage.loop) {
            clients += 1
            close($0)
            _ = $1
        }
        var failures: [ListenError] = []
        listener.failed = { failures.append($0) }
        #expect(shutdown(listener.descriptor, Int32(SHUT_RDWR)) == 0)
        #expect(stage.turn { !failures.isEmpty })
        #expect(failures.first?.description == "cannot accept on \(address): another process has shut the socket down")
        #expect(stage.sleeps)
        #expect(
            stage.turn {
                var listens: Int32 = 0
                var size = socklen_t(4)
                getsockopt(listener.descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size)
                return listens == 1
            })
        let peer = Stage.connect(to: address)
        #expect(stage.turn { clients == 1 })
        #expect(failures.count == 1)
        stage.loop.remove(listener)
        _ = peer
    }

    /// Its port is free.
    @Test("a removed listener refuses clients")
    func removed() throws {
        let listener = try listen("127.0.0.3")
        let address = listener.address
        stage.loop.remove(listener)
        #expect(try Listener.reservePort(of: address) == address)
    }
}
