// Order, wake-ups and limits of the inbox, the only way between threads.

import Glibc
import Synchronization
import Testing

@testable import EventLoop

@Suite("Inbox", .bounded)
struct InboxTests {
    @Test("hands over each message once in posting order")
    func order() {
        let inbox = Inbox<Int>()
        for number in 0..<100 { inbox.post(number) }
        var batch: [Int] = [-1]
        inbox.drain(into: &batch)
        #expect(batch == Array(0..<100))
        inbox.drain(into: &batch)
        #expect(batch.isEmpty)
    }

    /// Draining makes room.
    @Test("is full from the limit on and still takes more")
    func limit() {
        let inbox = Inbox<Int>(limit: 2)
        inbox.post(1)
        #expect(!inbox.isFull)
        inbox.post(2)
        #expect(inbox.isFull)
        inbox.post(4)
        var batch: [Int] = []
        inbox.drain(into: &batch)
        #expect(batch == [1, 2, 4])
        #expect(inbox.isEmpty)
        #expect(!inbox.isFull)
    }

    /// It never wakes one that is awake.
    @Test("a burst of posts wakes a sleeping owner once")
    func oneWakeUp() {
        let inbox = Inbox<Int>()
        #expect(wakeUps(inbox) == 0)
        #expect(inbox.prepareToSleep())
        for number in 0..<10 { inbox.post(number) }
        #expect(wakeUps(inbox) == 1)
        inbox.awake()
        #expect(!inbox.prepareToSleep(), "messages wait, so it must not sleep")
        inbox.post(10)
        #expect(wakeUps(inbox) == 0)
    }

    @Test("quiet posts wake a sleeping owner when the sender says so, once")
    func quietPosts() {
        let inbox = Inbox<Int>()
        inbox.wakeOwner()
        #expect(inbox.prepareToSleep())
        inbox.wakeOwner()
        #expect(wakeUps(inbox) == 0, "nothing waits")
        for number in 0..<10 { inbox.postQuietly(number) }
        #expect(wakeUps(inbox) == 0)
        inbox.wakeOwner()
        inbox.wakeOwner()
        #expect(wakeUps(inbox) == 1)
        inbox.awake()
        #expect(!inbox.prepareToSleep())
    }

    private func wakeUps(_ inbox: Inbox<Int>) -> UInt64 {
        var counter: UInt64 = 0
        return read(inbox.wakeUp, &counter, 8) == 8 ? counter : 0
    }

    @Test("wakes a sleeping loop, every time")
    func wakesLoop() {
        let questions = Inbox<Int?>()
        let answers = Inbox<Int>()
        let thread = LoopThread(name: "answers") {
            let loop = EventLoop()
            loop.attach(questions) { [unowned loop] question in
                if let question { answers.post(question * 2) } else { loop.stop() }
            }
            loop.run()
        }
        let stage = Stage()
        var received: [Int] = []
        stage.loop.attach(answers) { received.append($0) }
        for number in 0..<2_000 {
            questions.post(number)
            guard stage.turn(until: { received.count == number + 1 }) else { break }
        }
        #expect(received == (0..<2_000).map { $0 * 2 })
        questions.post(nil)
        thread.join()
    }

    @Test("keeps each thread's order and loses nothing when many post at once")
    func manyThreads() {
        let inbox = Inbox<(thread: Int, number: Int)>(limit: 64)
        let threads = (0..<4).map { thread in
            LoopThread(name: "posts") {
                for number in 0..<5_000 {
                    if number % 3 == 0 {
                        inbox.post((thread, number))
                    } else {
                        inbox.post((thread, number))
                    }
                }
            }
        }
        let stage = Stage()
        var next = [0, 0, 0, 0]
        var isOrdered = true
        stage.loop.attach(inbox) { message in
            isOrdered = isOrdered && next[message.thread] == message.number
            next[message.thread] += 1
        }
        stage.turn { next.allSatisfy { $0 == 5_000 } }
        #expect(next == [5_000, 5_000, 5_000, 5_000])
        #expect(isOrdered)
        for thread in threads { thread.join() }
    }

    @Test("tells during a batch whether it has more messages")
    func pendingBatch() {
        let inbox = Inbox<Int>()
        let stage = Stage()
        var pending: [Bool] = []
        stage.loop.attach(inbox) { _ in pending.append(stage.loop.isHandlingInbox) }
        for number in 0..<3 { inbox.post(number) }
        stage.turn()
        #expect(pending == [true, true, false])
        #expect(!stage.loop.isHandlingInbox)
    }

    @Test("is drained before sockets are written, so answers leave in the same turn")
    func drainedBeforeWriting() {
        let inbox = Inbox<Int>()
        let stage = Stage()
        let (socket, peer) = stage.pair()
        stage.loop.attach(inbox) { socket.write([UInt8($0)]) }
        inbox.post(42)
        stage.turn()
        #expect(peer.readAll() == [42])
    }

    @Test("a thread without a loop waits for messages")
    func waitingThread() {
        let inbox = Inbox<Int>()
        let thread = LoopThread(name: "posts") { for number in 0..<1_000 { inbox.post(number) } }
        var received: [Int] = []
        // Each wait brings at least one message.
        for _ in 0..<1_000 where received.count < 1_000 { received += inbox.wait() }
        #expect(received == Array(0..<1_000))
        thread.join()
        thread.join()
    }

    @Test("may be posted to when its loop is gone")
    func outlivesLoop() {
        let inbox = Inbox<Int>()
        do { Stage().loop.attach(inbox) { _ in } }
        inbox.post(1)
        #expect(inbox.wait() == [1])
    }
}
