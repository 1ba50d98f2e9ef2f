// An answered publication survives `kill -9`: a program publishes as fast as it can and says what the store has answered, is killed at a
// random moment, and the file is compared with what it said. HISTORY_KILLS=100 kills that often.

import CLinux
import Glibc
import SeededGenerator
import Testing
import TimeBound

@testable import History

@Suite(.bounded)
struct HistoryKillTests {
    private static let kills = getenv("HISTORY_KILLS").flatMap { Int(String(cString: $0)) } ?? 20

    @Test(
        "has each publication that was answered, in order and once, after kill -9",
        arguments: [HistorySync.full, .normal])
    func kills(_ sync: HistorySync) throws {
        let folder = Folder()
        var random = SeededGenerator(seed: 11)
        var epochs: [Int: UInt64] = [:]
        var answered = 0
        for kill in 1...Self.kills {
            let program = try LoadProgram(["write", folder.file, sync.rawValue, "3", "200"])
            // The moment is counted in answers, so that a slow machine is killed under load, too.
            let lines = try program.read(atLeast: Int.random(in: 1...2_000, using: &random))
            program.kill()
            let said = (lines + program.readToEnd()).compactMap(Answer.init)
            #expect(!said.isEmpty)
            answered += said.count
            let store = Store(folder.file, sync: sync)
            defer { store.store.closeAndWait() }
            for channel in 0..<3 {
                let page = try store.read(
                    "channel-\(channel)", .after(0), count: .max, bytes: .max, within: LoadProgram.limits)
                // In order and once: number n is at offset n.
                #expect(page.texts == (0..<page.texts.count).map { "\($0 + 1)" }, "after kill \(kill)")
                for answer in said where answer.channel == channel {
                    #expect(answer.offset <= page.texts.count && answer.number == answer.offset, "after kill \(kill)")
                    #expect(answer.epoch == page.position.epoch)
                }
                if let epoch = epochs[channel] { #expect(epoch == page.position.epoch) }
                if page.position.offset > 0 { epochs[channel] = page.position.epoch }
            }
        }
        #expect(answered >= Self.kills)
    }

    @Test("an I/O error is answered, and stored publications stay readable")
    func fileSizeLimit() throws {
        let folder = Folder()
        let program = try LoadProgram(["limit", folder.file, "\(300 << 10)"])
        let lines = try program.read { $0.contains { $0.hasPrefix("! ") && $0.contains("cannot be read or written") } }
        program.kill()
        let said = lines.compactMap(Answer.init)
        #expect(said.count >= 10)
        let store = Store(folder.file)
        let page = try store.read("channel-0", .after(0), count: .max, bytes: .max, within: LoadProgram.limits)
        for answer in said { #expect(page.texts[answer.offset - 1] == "\(answer.number)") }
        store.store.closeAndWait()
    }
}

/// A line about a publication that was stored.
private struct Answer {
    let channel: Int
    let offset: Int
    let epoch: UInt64
    let number: Int

    init?(_ line: Substring) {
        let words = line.split(separator: " ")
        guard words.count == 4, let channel = Int(words[0]), let offset = Int(words[1]), let epoch = UInt64(words[2]),
            let number = Int(words[3])
        else { return nil }
        (self.channel, self.offset, self.epoch, self.number) = (channel, offset, epoch, number)
    }
}

private struct ProgramFailure: Error, CustomStringConvertible {
    let description: String
}

/// The program that publishes, as a child process.
private final class LoadProgram {
    static let limits = HistoryLimits(size: 1_000_000, age: 86_400_000)
    /// It lies beside the test bundle.
    private static let path: String = {
        var buffer = [CChar](repeating: 0, count: 4_096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let own = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return own.split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/perigee-history"
    }()

    private let pid: pid_t
    private let output: Int32
    private var rest = ""

    init(_ arguments: [String]) throws {
        var ends: [Int32] = [0, 0]
        guard ends.withUnsafeMutableBufferPointer({ clinux_pipe($0.baseAddress!) }) == 0 else { throw NoAnswer() }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        var words: [UnsafeMutablePointer<CChar>?] = ([Self.path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var started: pid_t = 0
        let failure = posix_spawn(&started, Self.path, &actions, nil, &words, environ)
        close(ends[1])
        (pid, output) = (started, ends[0])
        guard failure == 0 else { throw ProgramFailure(description: "cannot start \(Self.path): \(failure)") }
    }

    deinit {
        kill()
        close(output)
    }

    func kill() {
        Glibc.kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
    }

    /// Reads whole lines, at least so many.
    func read(atLeast count: Int) throws -> [Substring] { try read { $0.count >= count } }

    /// Reads whole lines until they are enough.
    func read(until isEnough: ([Substring]) -> Bool) throws -> [Substring] {
        var lines: [Substring] = []
        try repeatUntil("enough lines") {
            guard let more = chunk() else {
                throw ProgramFailure(description: "the program has ended after \(lines.suffix(3))")
            }
            lines += more
            return isEnough(lines)
        }
        return lines
    }

    /// What was written before the end.
    func readToEnd() -> [Substring] {
        var lines: [Substring] = []
        while let more = chunk() { lines += more }
        return lines
    }

    /// The whole lines that come next; nil at the end.
    private func chunk() -> [Substring]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var ready = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
        guard poll(&ready, 1, 60_000) > 0 else { return nil }
        let count = Glibc.read(output, &buffer, buffer.count)
        guard count > 0 else { return nil }
        rest += String(decoding: buffer[..<count], as: UTF8.self)
        var lines = rest.split(separator: "\n", omittingEmptySubsequences: false)
        rest = String(lines.removeLast())
        return lines
    }
}
