// Runs the commands of the documentation as they stand, in a folder of their own: `perigee` is the built program, `curl` fails where
// the server refuses, `make` only says what it would do, and the addresses are those of a server that runs for them.

import Foundation
import JSON
import PerigeeTestKit
import Testing

/// A folder like a fresh build of the repository, and a server.
final class CommandSandbox {
    private let folder: TemporaryFolder
    private let server: PerigeeProcess
    private let client: WebSocketClient
    private let id: String

    init() throws {
        folder = try TemporaryFolder()
        let main = try String(contentsOfFile: "\(Documentation.root)/Scripts/main.lua", encoding: .utf8)
        server = try PerigeeProcess(
            scripts: ["main.lua": main],
            environment: ["PERIGEE_SCRIPTS_BUDGET": "30s", "PERIGEE_SCRIPTS_WATCH": "false"])
        client = try WebSocketClient.connect(port: server.clientPort, timeout: .seconds(20))
        id = try #require(client.receiveJSON()["id"]?.string)
        // A reload makes another version, so that there is one to return to.
        try server.folder.write(main + "\n-- changed\n", to: "main.lua")
        try folder.write("\u{89}PNG", to: "picture.png")
        try folder.write(Self.perigee, to: "bin/perigee")
        try folder.write("#!/bin/sh\nexec /usr/bin/curl --fail-with-body -sS \"$@\"\n", to: "bin/curl")
        try folder.write(
            "#!/bin/sh\nexec /usr/bin/make -n -C '\(Documentation.root)' \"$@\" >/dev/null\n", to: "bin/make")
        let program = PerigeeProgram.path
        let root = Documentation.root
        let setUp = try ChildProcess.shell(
            """
            cd '\(folder.path)' && chmod +x bin/* && mkdir -p .build/release && ln -s '\(program)' bin/program &&
            ln -s ../../bin/perigee .build/release/perigee && cp -r '\(root)/Scripts' '\(root)/config' .
            """)
        try #require(setUp.status == 0, "\(setUp.errors)")
    }

    /// `perigee serve` ends when it has started; every other command is the program's.
    private static let perigee = """
        #!/bin/sh
        program="$(dirname "$(readlink -f "$0")")/program"
        [ "$1" = serve ] || exec "$program" "$@"
        pipe="$(mktemp -u)"
        mkfifo "$pipe"
        "$program" "$@" --listen 127.0.0.1:0 --admin 127.0.0.1:0 > "$pipe" &
        while read -r word rest; do [ "$word" = try ] && break; done < "$pipe"
        rm "$pipe"
        kill $!
        wait $!

        """

    /// Runs the lines of a block, up to the first that fails. Each block begins in the folder.
    func run(_ block: String) throws -> (status: Int32, output: String, errors: String) {
        let here = block.replacing("127.0.0.1:8080", with: "127.0.0.1:\(server.clientPort)")
            .replacing("127.0.0.1:9080", with: "127.0.0.1:\(server.adminPort)")
        return try ChildProcess.shell(
            """
            set -e
            cd '\(folder.path)'
            export PATH="$PWD/bin:$PATH" ID='\(id)' PERIGEE_ADMIN_LISTEN=127.0.0.1:\(server.adminPort)
            \(here)
            """, timeout: .seconds(60))
    }
}
