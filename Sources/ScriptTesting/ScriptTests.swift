// The command `perigee test`: runs the files of Scripts/tests, one after the other, and counts.
//
// Read next: TestFile.swift.

public import Scripting
public import Settings

/// Runs the tests of a scripts' folder, without a server.
public enum ScriptTests {
    /// How many tests passed and failed.
    public struct Totals: Sendable {
        public fileprivate(set) var passed = 0
        public fileprivate(set) var failed = 0
    }

    /// Runs every `tests/*.lua` whose test's name has the filter in it, and writes a line or more about each.
    public static func run(
        _ configuration: Configuration, filter: String?, _ write: @escaping (String) -> Void
    ) throws(ScriptErrors) -> Totals {
        let folder = configuration.scripts.folder
        let bundle = try ScriptBundle.load(folder: folder, version: 1)
        let files = try ScriptBundle.tests(folder: folder)
        var totals = Totals()
        for file in files {
            let test = TestFile(
                path: String(file.path.dropFirst(6)), bundle: bundle, configuration: configuration, filter: filter
            ) { outcome in
                if outcome.failure == nil { totals.passed += 1 } else { totals.failed += 1 }
                write(describe(outcome, file))
            }
            test.run(file.source)
        }
        return totals
    }

    /// "ok NAME", or "FAIL NAME" with the place, and below it the failure and the line of the test.
    private static func describe(_ outcome: TestFile.Outcome, _ file: ScriptFile) -> String {
        guard let failure = outcome.failure else { return "ok   \(outcome.name)" }
        let line = place(in: failure, of: file)
        var lines = ["FAIL \(outcome.name) (\(line.map { "\(file.path):\($0)" } ?? outcome.place))"]
        lines += failure.split(separator: "\n", omittingEmptySubsequences: false).map { "     \($0)" }
        if let line, let source = file.line(line), !failure.contains("\(line) | ") {
            lines.append("         \(line) | \(source)")
        }
        return lines.joined(separator: "\n")
    }

    /// The line of the test file that a text begins with.
    private static func place(in text: String, of file: ScriptFile) -> Int? {
        guard text.hasPrefix(file.path + ":") else { return nil }
        return Int(text.dropFirst(file.path.count + 1).prefix { $0 != ":" })
    }
}
