// `perigee version`.

import ArgumentParser
import Server

struct Version: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the versions of Perigee and of the linked Lua.")

    func run() { print("perigee \(PerigeeVersion.text) (\(ScriptCheck.luaVersion))") }
}
