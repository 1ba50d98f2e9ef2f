// `perigee config`: what the server would run with.

import ArgumentParser
import Server
import Settings

struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the effective configuration (file, then environment, then flags), secrets hidden.")

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Print the documented defaults instead: the text of config/perigee.yaml.")
    var defaults = false

    func run() throws {
        if defaults {
            print(Configuration.documented(), terminator: "")
        } else {
            print(try options.load().render(), terminator: "")
        }
    }
}
