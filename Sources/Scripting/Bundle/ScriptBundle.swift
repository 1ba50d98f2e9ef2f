// The immutable set of sources that one version of the scripts is made of, with the routes from paths to scripts.
//
// Runs on: any thread. Read next: ScriptFile.swift, ScriptBundle+Folder.swift.

/// Scripts, modules and routes under one version number.
public struct ScriptBundle: Sendable {
    /// The number that names this version in the log, in answers and in errors.
    public let version: UInt64
    /// The scripts, by name.
    public let scripts: [ScriptFile]
    /// The modules that `require` finds, by name.
    public let modules: [ScriptFile]
    /// The paths and their scripts: derived from the file names, or as given.
    public let routes: [ScriptRoute]

    /// Makes a bundle from sources in memory. A script "chat" is the file "chat.lua", a module "util" is
    /// "lib/util.lua".
    ///
    /// Without explicit routes the script "main" serves every path that no other does, and "chat" serves "/chat".
    /// Explicit routes replace these; in them "*" stands for every other path.
    public init(
        version: UInt64, scripts: [String: String], modules: [String: String] = [:], routes: [String: String] = [:]
    ) throws(ScriptErrors) {
        try self.init(
            version: version,
            scripts: scripts.map { ScriptFile(name: $0, path: "\($0).lua", source: $1) },
            modules: modules.map { ScriptFile(name: $0, path: "lib/\($0).lua", source: $1) },
            routes: routes)
    }

    init(
        version: UInt64, scripts: [ScriptFile], modules: [ScriptFile], routes: [String: String]
    ) throws(ScriptErrors) {
        self.version = version
        self.scripts = scripts.sorted { $0.name < $1.name }
        self.modules = modules.sorted { $0.name < $1.name }
        if routes.isEmpty {
            self.routes = self.scripts.map {
                ScriptRoute(path: $0.name == "main" ? "*" : "/\($0.name)", script: $0.name)
            }
            return
        }
        self.routes = routes.map { ScriptRoute(path: $0, script: $1) }.sorted { $0.path < $1.path }
        let names = Set(scripts.map(\.name))
        let problems = self.routes.filter { !names.contains($0.script) }.map {
            ScriptError(
                file: "\($0.script).lua", message: "the route \($0.path) names a script that does not exist",
                version: version)
        }
        if !problems.isEmpty { throw ScriptErrors(problems) }
    }

    /// The same sources and routes under another number.
    public func renumbered(_ version: UInt64) -> ScriptBundle {
        ScriptBundle(version: version, scripts: scripts, modules: modules, routes: routes)
    }

    private init(version: UInt64, scripts: [ScriptFile], modules: [ScriptFile], routes: [ScriptRoute]) {
        self.version = version
        self.scripts = scripts
        self.modules = modules
        self.routes = routes
    }

    /// The script or module at a place.
    public func file(at path: ScriptPath) -> ScriptFile? {
        (scripts + modules).first { $0.path == path.file }
    }

    /// Equal for bundles with equal files.
    public var hash: UInt64 {
        let files = (scripts + modules).map { "\($0.path) \($0.hash)\n" }.joined()
        return ScriptFile.hash(of: files.utf8)
    }

    /// The paths of files that this bundle adds, changes or removes, in order.
    public func changes(since old: ScriptBundle) -> [String] {
        let before = Dictionary(uniqueKeysWithValues: (old.scripts + old.modules).map { ($0.path, $0.hash) })
        let after = Dictionary(uniqueKeysWithValues: (scripts + modules).map { ($0.path, $0.hash) })
        return Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }.sorted()
    }

    /// The file that a message names, which Lua cuts at the front when it is long.
    func file(named path: String) -> ScriptFile? {
        let files = scripts + modules
        guard path.hasPrefix("...") else { return files.first { $0.path == path } }
        return files.first { $0.path.hasSuffix(path.dropFirst(3)) }
    }
}

/// A path of the clients' port and the script that serves it.
public struct ScriptRoute: Sendable, Hashable, CustomStringConvertible {
    /// "/chat", or "*" for every path that no other route names.
    public let path: String
    /// The script's name.
    public let script: String

    public var description: String { "\(path) → \(script)" }
}
