// What the store does when its file fails: each fault is named in words, live calls are answered at once, and the store goes on by
// itself when the fault is gone.

import CSQLite
import Glibc
import Testing

@testable import History

@Suite(.bounded)
struct HistoryFaultTests {
    /// A fault of a file that was well, and its end.
    struct Fault: CustomTestStringConvertible, Sendable {
        let name: String
        let begin: String
        let end: String
        let why: String
        var testDescription: String { name }
    }

    @Test(
        "names the fault, refuses, and recovers by itself",
        arguments: [
            Fault(
                name: "missing folder", begin: "rm -rf $DIR", end: "mkdir $DIR", why: "the folder $DIR cannot be found"),
            Fault(
                name: "file in place of the folder", begin: "rm -rf $DIR && touch $DIR", end: "rm $DIR && mkdir $DIR",
                why: "$DIR is not a folder"),
            Fault(
                name: "read-only folder", begin: "mount -t tmpfs -o ro none $DIR 2>/dev/null", end: "umount $DIR",
                why: "the folder $DIR cannot be written to: Read-only file system"),
            Fault(
                name: "other database", begin: "cd $DIR && rm -f history.db* && sqlite3 history.db 'create table t(a)'",
                end: "rm $DIR/history.db*", why: "is a database, but not a history"),
            Fault(
                name: "newer schema",
                begin: "cd $DIR && rm -f history.db* && sqlite3 history.db "
                    + "'create table t(a); pragma application_id = 1348946025; pragma user_version = 9'",
                end: "rm $DIR/history.db*", why: "has schema 9"),
            Fault(
                name: "no database", begin: "cd $DIR && rm -f history.db* && yes garbage | head -c 8192 > history.db",
                end: "mv $DIR/history.db $DIR/moved", why: "is damaged"),
        ])
    func faultBeforeOpening(_ fault: Fault) throws {
        let folder = Folder()
        let place = folder.path + "/place"
        mkdir(place, 0o755)
        func fill(_ text: String) -> String { text.replacing("$DIR", with: place) }
        let hasBegun = shell(fill(fault.begin)) == 0
        // Not everybody may mount.
        guard hasBegun || !fault.begin.contains("mount") else { return }
        try #require(hasBegun)
        let store = Store(place + "/history.db")
        let why = try #require(try store.publish("a", "lost").why)
        #expect(why.contains(fill(fault.why)), "\(why)")
        switch store.store.state {
        case .unavailable(let said), .corrupt(let said): #expect(said == why)
        default: Issue.record("the state is \(store.store.state)")
        }
        #expect(throws: HistoryFailure.unavailable(why: why)) { try store.read("a") }
        #expect(shell(fill(fault.end)) == 0)
        try store.notice { $0 == .recovered }
        #expect(store.store.state == .open)
        #expect(try store.publish("a", "kept").position?.offset == 1)
    }

    @Test("a removed file is noticed, and a new one begins with another epoch")
    func removed() throws {
        let folder = Folder()
        let store = Store(folder.file)
        let before = try #require(try store.publish("a", "one").position)
        shell("rm \(folder.path)/history.db")
        // The store looks once a second.
        var why: String?
        while why == nil { why = try store.publish("a", "more").why }
        #expect(why?.contains("was removed or replaced") == true)
        try store.notice { $0 == .recovered }
        let after = try #require(try store.publish("a", "two").position)
        #expect(after.offset == 1 && after.epoch != before.epoch)
    }

    @Test("refuses while another program has the file locked, and reads on")
    func locked() throws {
        let folder = Folder()
        let store = Store(folder.file)
        _ = try store.publish("a", "one")
        let other = try Connection(folder.file, .readWrite)
        try other.execute("BEGIN IMMEDIATE")
        let why = try #require(try store.publish("a", "lost").why)
        #expect(why.contains("another program has locked"))
        #expect(try store.read("a").texts == ["one"])
        #expect(try store.read("a", inOrder: true).texts == ["one"])
        try other.execute("ROLLBACK")
        other.close()
        try store.notice { $0 == .recovered }
        #expect(try store.publish("a", "two").position?.offset == 2)
        #expect(try store.read("a").texts == ["one", "two"])
    }

    @Test("a full file refuses, and goes on when something has expired")
    func full() throws {
        let (folder, clock) = (Folder(), ManualClock())
        let store = Store(folder.file, clock: clock) { $0.maxFile = 512 << 10 }
        let limits = HistoryLimits(size: 1_000_000, age: 1_000)
        let text = String(repeating: "x", count: 4_000)
        var stored = 0
        var why: String?
        while why == nil {
            why = try store.publish("a", text, limits).why
            if why == nil { stored += 1 }
            try #require(stored < 1_000)
        }
        #expect(why?.contains("limit of 524288 bytes") == true)
        #expect(stored > 50)
        #expect(try store.read("a", within: limits).publications.count == stored)
        clock.advance(1_001)
        try store.notice { $0 == .recovered }
        #expect(try store.publish("a", "again", limits).position?.offset == UInt64(stored + 1))
        #expect(try store.read("a", within: limits).texts == ["again"])
    }

    @Test("refuses on a full disk, and goes on when there is room", .enabled(if: getuid() == 0, "needs a mount"))
    func fullDisk() throws {
        let folder = Folder()
        guard shell("mount -t tmpfs -o size=2m none '\(folder.path)' 2>/dev/null") == 0 else { return }
        defer { shell("umount -l '\(folder.path)'") }
        let store = Store(folder.file)
        var stored = 1
        _ = try store.publish("a", "first")
        #expect(shell("head -c 1m /dev/zero > '\(folder.path)/filler'") == 0)
        var why: String?
        while why == nil {
            why = try store.publish("a", String(repeating: "x", count: 4_000)).why
            if why == nil { stored += 1 }
            try #require(stored < 1_000)
        }
        #expect(why?.contains("the disk is full") == true)
        unlink(folder.path + "/filler")
        try store.notice { $0 == .recovered }
        #expect(try store.publish("a", "again").position?.offset == UInt64(stored + 1))
        #expect(try store.read("a", .newest, count: 1).texts == ["again"])
        store.store.closeAndWait()
    }

    @Test("finds a damaged page", arguments: DamagedFile.allCases)
    func damaged(_ choice: DamagedFile) throws {
        let folder = Folder()
        let first = Store(folder.file)
        for number in 1...500 { _ = try first.publish("a", "\(number) \(String(repeating: "x", count: 500))") }
        let before = try first.read("a").position
        // A copy of the file while it was open: its end was not clean.
        shell("cd \(folder.path) && mkdir kept && cp history.db history.db-wal kept/")
        first.store.closeAndWait()
        shell("cd \(folder.path) && mv kept/history.db kept/history.db-wal .")
        shell("cd \(folder.path) && sqlite3 history.db 'pragma wal_checkpoint(truncate)' >/dev/null 2>&1")
        for page in 10..<40 {
            shell("dd if=/dev/urandom of=\(folder.file) bs=4096 count=1 seek=\(page) conv=notrunc status=none")
        }
        let store = Store(folder.file) { $0.onCorrupt = choice }
        switch choice {
        case .refuse:
            try store.notice { if case .corrupt = $0 { true } else { false } }
            let why = try #require(try store.publish("a", "lost").why)
            #expect(why.contains("is damaged"))
            store.store.setOnCorrupt(.startOver)
        case .startOver: break
        }
        try store.notice { if case .startedOver(folder.file + ".corrupt", _) = $0 { true } else { false } }
        try store.notice { $0 == .recovered }
        let after = try #require(try store.publish("a", "new").position)
        #expect(after.offset == 1 && after.epoch != before.epoch)
        #expect(access(folder.file + ".corrupt", F_OK) == 0)
        store.store.closeAndWait()
    }

    @Test("checks the file after an end that was not clean, while it serves")
    func checked() throws {
        let folder = Folder()
        let first = Store(folder.file)
        _ = try first.publish("a", "one")
        shell("cd \(folder.path) && mkdir kept && cp history.db history.db-wal kept/")
        first.store.closeAndWait()
        shell("cd \(folder.path) && mv kept/history.db kept/history.db-wal .")
        let store = Store(folder.file)
        try store.notice { $0 == .checked }
        #expect(try store.read("a").texts == ["one"])
    }
}
