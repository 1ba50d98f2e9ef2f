// The scripts' part of `perigee check`: load the folder, compile all, dry-run every top level.

public import Scripting
public import Settings

/// A check of the scripts without a server.
public enum ScriptCheck {
    /// The result of a check.
    public struct Report: Sendable {
        public let scriptCount: Int
        public let errors: [ScriptError]
    }

    /// The linked Lua, as `Lua 5.4.4`.
    public static var luaVersion: String { ScriptEngine.luaVersion }

    /// Checks the scripts that the configuration names.
    public static func run(_ configuration: Configuration) -> Report {
        do throws(ScriptErrors) {
            let bundle = try ScriptBundle.load(
                folder: configuration.scripts.folder, version: 0, routes: configuration.scripts.routes)
            let options = ScriptOptions(configuration, store: KeyValueStore(limit: configuration.kv.memory))
            let errors = ScriptEngine.check(bundle, options: options)
            let inTests = try checkTests(configuration.scripts.folder, options)
            return Report(scriptCount: bundle.scripts.count, errors: errors + inTests)
        } catch {
            return Report(scriptCount: 0, errors: error.errors)
        }
    }

    /// Test files are not run, but their names are looked at as those of scripts are.
    private static func checkTests(_ folder: String, _ options: ScriptOptions) throws(ScriptErrors) -> [ScriptError] {
        let files = try ScriptBundle.tests(folder: folder)
        do throws(ScriptError) {
            return try ScriptEngine.check(tests: files, testKit: PackageResources.kit_lua, options: options)
        } catch {
            throw ScriptErrors([error])
        }
    }
}
