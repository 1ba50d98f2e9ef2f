import Glibc
import Testing

@testable import Scripting

@Suite("the scripts' folder", .bounded)
final class FolderTests {
    private let root: String

    init() throws {
        var template = Array("/tmp/perigee-scripts-XXXXXX".utf8CString)
        root = String(cString: try #require(mkdtemp(&template)))
    }

    deinit {
        Self.removeAll(root)
    }

    private static func removeAll(_ path: String) {
        var status = stat()
        if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, let folder = opendir(path) {
            while let entry = readdir(folder) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != ".", name != ".." { removeAll(path + "/" + name) }
            }
            closedir(folder)
        }
        remove(path)
    }

    private func write(_ path: String, _ bytes: [UInt8]) {
        var folder = root
        for part in path.split(separator: "/").dropLast() {
            folder += "/\(part)"
            mkdir(folder, 0o755)
        }
        let file = fopen(root + "/" + path, "w")!
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
    }

    private func write(_ path: String, _ text: String = "") {
        write(path, Array(text.utf8))
    }

    private func problems() -> [String] {
        do throws(ScriptErrors) {
            _ = try ScriptBundle.load(folder: root, version: 1)
            return []
        } catch {
            return error.errors.map(\.summary)
        }
    }

    /// Other files are skipped.
    @Test("scripts, modules and routes are found")
    func finds() throws {
        let passedOver = [
            "perigee.d.lua", ".luarc.json", ".hidden.lua", "tests/chat.lua", "notes.txt", "chat.lua~", ".chat.lua.swp",
            "#chat.lua#", ".git/x.lua",
            "chat.lua.tmp",
        ]
        passedOver.forEach { write($0, "x =") }
        write("main.lua", "function onOpen() end")
        write("games/chess.lua", "\u{FEFF}local x = 1")
        write("games/tests/x.lua")
        write("lib/util.lua", "return 1")
        write("lib/game/board.lua", "return 2")
        let bundle = try ScriptBundle.load(folder: root, version: 4)
        #expect(bundle.scripts.map(\.name) == ["games/chess", "games/tests/x", "main"])
        #expect(bundle.modules.map(\.name) == ["game/board", "util"])
        #expect(bundle.modules.map(\.path) == ["lib/game/board.lua", "lib/util.lua"])
        #expect(bundle.routes.map(\.path) == ["/games/chess", "/games/tests/x", "*"])
        #expect(bundle.scripts.first?.source == "local x = 1")
        #expect(bundle.version == 4)
    }

    @Test("the hash is that of the content and changes with any file")
    func hash() throws {
        write("main.lua", "local a = 1")
        let first = try ScriptBundle.load(folder: root, version: 1)
        let again = try ScriptBundle.load(folder: root, version: 2)
        #expect(first.hash == again.hash)
        write("main.lua", "local a = 2")
        #expect(try ScriptBundle.load(folder: root, version: 3).hash != first.hash)
        #expect(ScriptFile.hash(of: "foobar".utf8) == 0x8594_4171_F739_67E8)
    }

    @Test("a folder that is missing, empty, or a file is refused")
    func unusable() {
        #expect(problems() == ["\(root): the folder holds no script, not even main.lua"])
        #expect(throws: ScriptErrors.self) { try ScriptBundle.load(folder: root + "/none", version: 1) }
        write("main.lua")
        #expect(throws: ScriptErrors.self) { try ScriptBundle.load(folder: root + "/main.lua", version: 1) }
    }

    @Test("all that is wrong with the files is reported at once")
    func manyProblems() {
        write("bad name.lua")
        write("big.lua", [UInt8](repeating: 32, count: 1 << 20 + 1))
        write("latin1.lua", [0x2D, 0x2D, 0xE4])
        write("fits.lua", [UInt8](repeating: 32, count: 1 << 20))
        symlink("nowhere", root + "/broken.lua")
        mkdir(root + "/dir.lua", 0o755)
        mkfifo(root + "/pipe.lua", 0o644)
        #expect(
            problems() == [
                "bad name.lua: the name may have letters, digits, '_' and '-' only", "big.lua: is larger than 1 MiB",
                "broken.lua: cannot be read: No such file or directory", "latin1.lua: is not valid UTF-8",
                "pipe.lua: is not a regular file",
            ])
    }

    @Test("symbolic links are followed, circles are refused")
    func links() throws {
        write("main.lua")
        write("real/chat.lua", "local chat = 1")
        symlink("real/chat.lua", root + "/alias.lua")
        #expect(try ScriptBundle.load(folder: root, version: 1).scripts.map(\.name) == ["alias", "main", "real/chat"])
        symlink("..", root + "/real/up")
        #expect(problems() == ["real/up/: is a folder that contains itself, by a symbolic link"])
    }

    @Test("folders deeper than 8 are refused")
    func depth() {
        write("1/2/3/4/5/6/7/8/ok.lua")
        #expect(problems().isEmpty)
        write("1/2/3/4/5/6/7/8/9/deep.lua")
        #expect(problems() == ["1/2/3/4/5/6/7/8/9/: folders are nested more than 8 deep"])
    }
}
