// `perigee new` as a process, and the folder that it writes.

import JSON
import PerigeeTestKit
import Testing

@Suite("Command line: new", .bounded)
struct NewCommandTests {
    /// Runs a command line in a folder.
    private func shell(_ line: String, in folder: TemporaryFolder) throws -> (status: Int32, output: String) {
        let result = try ChildProcess.shell(
            "cd \(folder.path) && " + line.replacing("perigee ", with: PerigeeProgram.path + " "), timeout: .seconds(30)
        )
        return (result.status, result.output)
    }

    @Test("the folder passes its own check and tests and has a valid configuration")
    func runs() throws {
        let folder = try TemporaryFolder()
        let new = try shell("perigee new shop", in: folder)
        #expect(new.status == 0 && new.output.hasPrefix("shop/Scripts/main.lua\n"))
        #expect(new.output.hasSuffix("next: cd shop && perigee serve --config perigee.yaml\n"))
        let check = try shell("cd shop && perigee check --config perigee.yaml", in: folder)
        #expect(check.status == 0 && check.output == "1 scripts load\n")
        let test = try shell("cd shop && perigee test", in: folder)
        #expect(test.status == 0 && test.output.hasSuffix("2 passed, 0 failed\n"))
        let config = try shell("cd shop && perigee config --config perigee.yaml", in: folder)
        #expect(config.status == 0 && config.output.contains("listen: 127.0.0.1:8080"))
    }

    @Test("it serves at once, with its configuration and without")
    func serves() throws {
        let folder = try TemporaryFolder()
        #expect(try shell("perigee new shop", in: folder).status == 0)
        for (arguments, welcome) in [(["--config", "\(folder.path)/shop/perigee.yaml"], "Hello!"), ([], "Hello!")] {
            let own = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--scripts", "\(folder.path)/shop/Scripts"]
            let process = try ChildProcess.start(
                PerigeeProgram.path, ["serve"] + arguments + own, timeout: .seconds(30))
            let line = try process.outputLine(containing: "clients ")
            let port = try #require(line.split(separator: ":").last.flatMap { UInt16($0) })
            let client = try WebSocketClient.connect(port: port, path: "/?name=Ada")
            #expect(try client.receiveJSON() == ["type": "welcome", "text": .string(welcome)])
            try client.send("hi")
            #expect(try client.receiveJSON() == ["type": "said", "name": "Ada", "text": "hi"])
        }
    }

    /// An empty folder will do.
    @Test("a file and a folder that is not empty are left alone")
    func occupied() throws {
        let folder = try TemporaryFolder()
        try folder.write("mine", to: "shop/notes.txt")
        let result = try PerigeeProgram.run(["new", "\(folder.path)/shop"])
        #expect(result.status == 1 && result.errors == "perigee: \(folder.path)/shop is not empty\n")
        #expect(try shell("ls shop", in: folder).output == "notes.txt\n")
        #expect(try PerigeeProgram.run(["new", "\(folder.path)/shop/notes.txt"]).status == 1)
        let lost = try PerigeeProgram.run(["new", "\(folder.path)/none/shop"])
        #expect(lost.status == 1 && lost.errors.contains("none/shop: No such file or directory"))
        #expect(try shell("mkdir empty && perigee new empty", in: folder).status == 0)
    }
}
