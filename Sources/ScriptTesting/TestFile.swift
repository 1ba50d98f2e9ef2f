// One test file while it runs: it is loaded as a script is, in a state of its own, and the commands of its table `t`
// arrive here. Scripts under test run in other states, nested in the call that asked.
//
// Runs on: the thread that runs the tests. Read next: kit.lua, TestFile+Commands.swift.

import Scripting
import Settings

final class TestFile: SilentHost, ScriptTestHost {
    /// Seconds of CPU that one file may take.
    static let budget = 30.0

    /// The outcome of one test.
    struct Outcome {
        let name: String
        /// "tests/chat.lua:12".
        let place: String
        /// `nil` when it passed.
        let failure: String?
    }

    let path: String
    let bundle: ScriptBundle
    let options: ScriptOptions
    /// Seconds that an event of a script may take, waits included.
    let eventTimeout: Double
    /// Seconds for a request of `http` that names no timeout.
    let requestTimeout: Double
    private let filter: String?
    private let report: (Outcome) -> Void
    /// The engine of the file itself.
    private(set) var engine: ScriptEngine?
    /// The scripts under test, by number.
    var apps: [Int: TestApp] = [:]
    private var lastApp = 0
    private var firstAppOfTest = 0
    private var testCount = 0

    /// - Parameter bundle: The scripts that tests can load.
    init(
        path: String, bundle: ScriptBundle, configuration: Configuration, filter: String?,
        report: @escaping (Outcome) -> Void
    ) {
        self.path = path
        self.bundle = bundle
        self.options = ScriptOptions(configuration, store: KeyValueStore(limit: configuration.kv.memory))
        self.eventTimeout = configuration.scripts.eventTimeout.seconds
        self.requestTimeout = configuration.httpClient.timeout.seconds
        self.filter = filter
        self.report = report
    }

    /// Runs the file. A file without a `t.test` is one test.
    func run(_ source: String) {
        let name = "tests/\(path)"
        do {
            let errors = try failures(of: source)
            let failure =
                errors.isEmpty ? takeUnexpectedError(of: apps) : errors.map(\.description).joined(separator: "\n")
            if testCount == 0 || failure != nil {
                report(Outcome(name: name, place: name, failure: failure))
            }
        } catch {
            report(Outcome(name: name, place: name, failure: "\(error)"))
        }
        apps = [:]
    }

    private func failures(of source: String) throws -> [ScriptError] {
        var options = options
        options.loadBudget = Self.budget
        options.store = KeyValueStore(limit: 0)
        let engine = try ScriptEngine(host: self, options: options)
        try engine.installTestKit(PackageResources.kit_lua)
        engine.setTime(VirtualClock.start)
        self.engine = engine
        defer { self.engine = nil }
        let name = "tests/" + path.dropLast(4)
        let modules = Dictionary(uniqueKeysWithValues: bundle.modules.map { ($0.name, $0.source) })
        let test = try ScriptBundle(version: 1, scripts: [name: source], modules: modules)
        if case .failure(let problems) = engine.prepare(test) { return problems.errors }
        return []
    }

    // MARK: Tests

    /// Whether the test is to run.
    func begin(_ name: String) -> Bool {
        testCount += 1
        firstAppOfTest = lastApp
        return filter.map { "tests/\(path): \(name)".contains($0) } ?? true
    }

    func end(_ outcome: Outcome) {
        for number in apps.keys where number > firstAppOfTest { apps[number] = nil }
        report(outcome)
    }

    /// An error that a script raised and the test did not expect.
    func takeUnexpectedError(of apps: [Int: TestApp]) -> String? {
        let errors = apps.sorted { $0.key < $1.key }.flatMap { $0.value.errors }
        for app in apps.values { app.errors = [] }
        return errors.first.map { "a script raised an error: \($0)" }
    }

    func add(_ app: TestApp) -> Int {
        lastApp += 1
        apps[lastApp] = app
        return lastApp
    }

    func perform(_ strings: [[UInt8]], into answer: inout ScriptStrings) -> Bool {
        do throws(TestMistake) {
            try perform(TestCommand(strings), &answer)
            return true
        } catch {
            answer.append(error.message)
            return false
        }
    }

    func log(
        level: ScriptLogLevel, message: UnsafeRawBufferPointer, fields: [(name: String, value: String)],
        script: String, line: Int
    ) {
        print("     \(script):\(line): \(String(decoding: message, as: UTF8.self))")
    }
}
