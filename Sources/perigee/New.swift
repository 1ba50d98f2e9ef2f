// `perigee new`: a folder to start from.

import ArgumentParser
import Server

struct New: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a folder with a handler, a test, definitions for editors and a configuration.",
        discussion: "perigee new shop && cd shop && perigee serve; then 'perigee test', and edit Scripts/main.lua.")

    @Argument(help: "The folder, which must be new or empty.")
    var name: String

    func run() throws {
        let paths: [String]
        do throws(NewProject.Failure) {
            paths = try NewProject.write(to: name)
        } catch {
            throw complaint("\(error)", exitCode: 1)
        }
        for path in paths { print("\(name)/\(path)") }
        print("next: cd \(name) && perigee serve --config perigee.yaml")
    }
}
