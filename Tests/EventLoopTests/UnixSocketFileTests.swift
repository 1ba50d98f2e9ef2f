// The socket file: its users, the handling of a file that exists already, and sharing by several loops.

import CLinux
import Glibc
import Testing

@testable import EventLoop

@Suite("UNIX socket file", .serialized, .bounded)
struct UnixSocketFileTests {
    /// A path in a folder that no other test uses; both are removed after the test.
    final class Place {
        let folder = "/tmp/perigee-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        var path: String { folder + "/a.sock" }
        var lock: String { path + ".lock" }

        init() { mkdir(folder, 0o700) }

        deinit {
            unlink(path)
            unlink(lock)
            rmdir(folder)
        }

        var mode: UInt32? {
            var status = stat()
            return lstat(path, &status) == 0 ? UInt32(status.st_mode) : nil
        }

        /// A connection to the file, or the errno with which the kernel refuses one.
        func connect() -> Result<Peer, Refusal> {
            let peer = Peer(descriptor: socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0))
            let result = clinux_connect_path(peer.descriptor, path)
            return result == 0 ? .success(peer) : .failure(Refusal(code: -result))
        }
    }

    struct Refusal: Error { let code: Int32 }

    private let place = Place()

    @Test("is a socket for its owner and group, less the umask's bits")
    func mode() throws {
        let before = umask(0o007)
        let open = try UnixSocketFile(path: place.path)
        #expect(place.mode == UInt32(S_IFSOCK) | 0o660)
        open.remove()
        umask(0o077)
        let closed = try UnixSocketFile(path: place.path)
        #expect(place.mode == UInt32(S_IFSOCK) | 0o600)
        closed.remove()
        umask(before)
    }

    @Test("a client is taken and shows as unix")
    func accepts() throws {
        let stage = Stage()
        var clients: [SocketAddress] = []
        let file = try UnixSocketFile(path: place.path)
        let listener = try Listener(.file(file, isShared: false), on: stage.loop) {
            clients.append($1)
            close($0)
        }
        let peers = try (0..<3).map { _ in try place.connect().get() }
        #expect(stage.turn { clients.count == peers.count })
        #expect(clients.allSatisfy { $0 == .unix } && listener.address == .unix)
        stage.loop.remove(listener)
    }

    @Test("the file of a process that is gone is replaced")
    func stale() throws {
        let dead = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        #expect(clinux_bind_path(dead, place.path) == 0)
        #expect(listen(dead, 1) == 0)
        close(dead)
        let file = try UnixSocketFile(path: place.path)
        _ = try place.connect().get()
        file.remove()
    }

    /// Its file stays.
    @Test("exactly one of several starting processes listens")
    func startingAtOnce() throws {
        for _ in 0..<60 {
            let stale = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            #expect(clinux_bind_path(stale, place.path) == 0)
            close(stale)
            let outcomes = Inbox<UnixSocketFile?>()
            let threads = (0..<6).map { _ in
                LoopThread(name: "test") { [path = place.path] in outcomes.post(try? UnixSocketFile(path: path)) }
            }
            for thread in threads { thread.join() }
            let files = outcomes.wait().compactMap { $0 }
            #expect(files.count == 1)
            _ = try place.connect().get()
            for file in files { file.remove() }
            #expect(place.mode == nil)
        }
    }

    @Test("locks that other users can hold delay nothing")
    func foreignLock() throws {
        let folder = open(place.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(folder) }
        #expect(flock(folder, LOCK_EX | LOCK_NB) == 0)
        let start = ContinuousClock.now
        let first = try UnixSocketFile(path: place.path)
        first.remove()
        let foreign = open(place.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        defer { close(foreign) }
        #expect(fchmod(foreign, 0o666) == 0 && flock(foreign, LOCK_EX) == 0)
        let second = try UnixSocketFile(path: place.path)
        _ = try place.connect().get()
        second.remove()
        #expect(place.mode == nil)
        #expect(ContinuousClock.now - start < .seconds(4))
    }

    /// Its file is gone afterwards.
    @Test("the lock of the same user is waited for")
    func ownLock() throws {
        let holder = try SocketFileLock(of: place.path)
        #expect(throws: ListenError.self) { try SocketFileLock(of: place.path, patience: 50).release() }
        let waiting = Inbox<Bool>()
        let thread = LoopThread(name: "test") { [path = place.path] in
            let lock = try? SocketFileLock(of: path)
            waiting.post(lock != nil)
            lock?.release()
        }
        #expect(waiting.isEmpty)
        holder.release()
        thread.join()
        #expect(waiting.wait() == [true])
        #expect(access(place.lock, F_OK) != 0)
    }

    @Test("a socket file that was shut down is bound again for all its loops")
    func renewed() throws {
        let stages = [Stage(), Stage()]
        let file = try UnixSocketFile(path: place.path)
        var clients = [0, 0]
        let listeners = try stages.indices.map { index in
            try Listener(.file(file, isShared: true), on: stages[index].loop) {
                clients[index] += 1
                close($0)
                _ = $1
            }
        }
        file.release()
        let numbers = listeners.map(\.descriptor)
        for round in 1...2 {
            var failures = [0, 0]
            for index in listeners.indices { listeners[index].failed = { _ in failures[index] += 1 } }
            #expect(shutdown(listeners[0].descriptor, Int32(SHUT_RDWR)) == 0)
            for stage in stages.indices { #expect(stages[stage].turn { failures[stage] == 1 }) }
            clients = [0, 0]
            // Each loop by itself: a client that no other loop takes.
            for stage in stages.indices {
                let takes = stages[stage].turn {
                    _ = try? place.connect().get()
                    return clients[stage] > 0
                }
                #expect(takes, "loop \(stage), round \(round)")
            }
            #expect(failures == [1, 1])
        }
        #expect(listeners.map(\.descriptor) == numbers)
        for (stage, listener) in zip(stages, listeners) { stage.loop.remove(listener) }
        #expect(throws: Refusal.self) { _ = try place.connect().get() }
        file.remove()
        #expect(place.mode == nil)
    }

    @Test("a socket file that was taken over from another process is bound anew too")
    func renewedAfterHandover() throws {
        let stage = Stage()
        let made = try UnixSocketFile(path: place.path)
        let file = UnixSocketFile(inheriting: place.path, try #require(made.owned))
        let passed = try made.duplicate()
        var clients = 0
        let listener = Listener(adopting: passed, competes: false, file: file, on: stage.loop) {
            clients += 1
            close($0)
            _ = $1
        }
        made.handOver()
        made.release()
        file.takeOver()
        var failures = 0
        listener.failed = { _ in failures += 1 }
        #expect(shutdown(listener.descriptor, Int32(SHUT_RDWR)) == 0)
        #expect(stage.turn { failures == 1 })
        let takes = stage.turn {
            _ = try? place.connect().get()
            return clients > 0
        }
        #expect(takes)
        stage.loop.remove(listener)
        file.remove()
        #expect(place.mode == nil)
    }

    @Test("a foreign socket file is checked at times and keeps no loop busy")
    func shutDown() throws {
        let stage = Stage()
        let file = try UnixSocketFile(path: place.path)
        let listener = try Listener(.file(file, isShared: false), on: stage.loop) {
            close($0)
            _ = $1
        }
        file.handOver()
        var failures = 0
        listener.failed = { _ in failures += 1 }
        #expect(shutdown(listener.descriptor, Int32(SHUT_RDWR)) == 0)
        #expect(stage.turn { failures == 1 })
        let turns = (0..<20).count { _ in stage.sleeps }
        #expect(turns >= 4, "\(turns) of 20 turns slept")
        #expect(failures == 1)
        stage.loop.remove(listener)
        file.remove()
    }

    @Test("a file on which a process listens is reported and left alone")
    func live() throws {
        let first = try UnixSocketFile(path: place.path)
        let error = #expect(throws: ListenError.self) { _ = try UnixSocketFile(path: place.path) }
        #expect(error?.description == "cannot listen on unix:\(place.path): another process listens there")
        _ = try place.connect().get()
        first.remove()
    }

    @Test("a file that is no socket is reported and left alone")
    func otherFile() throws {
        close(creat(place.path, 0o600))
        let error = #expect(throws: ListenError.self) { _ = try UnixSocketFile(path: place.path) }
        #expect(error?.description == "cannot listen on unix:\(place.path): there is a file that is no socket")
        #expect(place.mode.map { $0 & UInt32(S_IFMT) } == UInt32(S_IFREG))
    }

    @Test("a folder that does not exist is reported")
    func noFolder() throws {
        let error = #expect(throws: ListenError.self) { _ = try UnixSocketFile(path: "/nowhere/a.sock") }
        #expect(error?.description == "cannot listen on unix:/nowhere/a.sock: its folder does not exist")
    }

    /// Another process's file in its place is not removed.
    @Test("the file is removed once")
    func removed() throws {
        let first = try UnixSocketFile(path: place.path)
        first.remove()
        #expect(place.mode == nil)
        let second = try UnixSocketFile(path: place.path)
        first.remove()
        #expect(place.mode != nil)
        unlink(place.path)
        let third = try UnixSocketFile(path: place.path)
        second.remove()
        #expect(place.mode != nil)
        third.handOver()
        third.remove()
        #expect(place.mode != nil)
    }

    @Test("a released socket refuses clients when its last listener is gone")
    func released() throws {
        let stage = Stage()
        let file = try UnixSocketFile(path: place.path)
        let listener = try Listener(.file(file, isShared: false), on: stage.loop) {
            close($0); _ = $1
        }
        file.release()
        #expect(throws: Never.self) { _ = try place.connect().get() }
        stage.loop.remove(listener)
        #expect(throws: Refusal.self) { _ = try place.connect().get() }
    }

    @Test("loops that share it take turns")
    func turns() throws {
        let file = try UnixSocketFile(path: place.path)
        let accepted = Inbox<Int>()
        let loops = (0..<3).map { index in
            let stop = Inbox<Bool>()
            let ready = Inbox<Bool>()
            let thread = LoopThread(name: "test") {
                let loop = EventLoop()
                loop.attach(stop) { _ in loop.stop() }
                let listener = try? Listener(.file(file, isShared: true), on: loop) { descriptor, _ in
                    close(descriptor)
                    accepted.post(index)
                }
                ready.post(true)
                loop.run()
                if let listener { loop.remove(listener) }
            }
            _ = ready.wait()
            return (thread: thread, stop: stop)
        }
        var counts = [0, 0, 0]
        // On a busy machine a loop that has no processor at the moment is skipped, so not every round is fair.
        for _ in 0..<3_000 where counts.contains(where: { $0 < 10 }) {
            _ = try place.connect().get()
            for index in accepted.wait() { counts[index] += 1 }
        }
        for loop in loops {
            loop.stop.post(true)
            loop.thread.join()
        }
        #expect(counts.allSatisfy { $0 >= 10 }, "\(counts)")
    }
}
