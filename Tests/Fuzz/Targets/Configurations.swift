// The configuration: as a YAML file, and as the text of single keys from variables and flags. An accepted text can be written
// and read again without a change; the errors of a refused one are lines that are safe to show.

import JSON

@testable import Settings

@Sendable func checkConfiguration(_ input: [UInt8]) {
    guard let text = String(validating: input, as: UTF8.self) else { return }
    check { $0.read(yaml: text, file: "fuzz.yaml") }
}

/// Each line is KEY=VALUE, as on the command line.
@Sendable func checkSettings(_ input: [UInt8]) {
    guard let text = String(validating: input, as: UTF8.self) else { return }
    let flags = text.split(separator: "\n").prefix(6).map { line in
        let path = line.prefix { $0 != "=" }
        return (path: String(path), value: String(line.dropFirst(path.count + 1)))
    }
    check { $0.read(flags: flags) }
    let names = Dictionary(uniqueKeysWithValues: Configuration.keys.map { ($0.path, $0.environmentName) })
    let variables = flags.map { (names[$0.path] ?? ConfigurationKey.environmentPrefix + $0.path, $0.value) }
    check { $0.read(environment: Dictionary(variables, uniquingKeysWith: { $1 })) }
}

private func check(_ read: (inout ConfigurationLoader) -> Void) {
    var loader = ConfigurationLoader()
    read(&loader)
    do throws(ConfigurationProblems) {
        let configuration = try loader.finish()
        taken()
        let written = configuration.render(showSecrets: true)
        var second = ConfigurationLoader()
        second.read(yaml: written, file: "written.yaml")
        let again = try second.finish()
        expect(again == configuration, "the written text reads as the same configuration:\n\(written)")
    } catch {
        expect((1...ConfigurationProblems.most).contains(error.problems.count), "problems are told, and not too many")
        for line in error.problems.map(\.description) {
            expect(
                !line.unicodeScalars.contains(where: JSONQuoting.isUnsafe), "a problem is one harmless line: \(line)")
            expect(!line.hasPrefix("written.yaml"), "the written text is right: \(line)")
        }
    }
}
