// What `perigee check` does about scripts, for the command line: load the folder, compile all, dry-run every top level.

import EventLoop
import Logging
public import Scripting

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
            let options = Node.scriptOptions(
                configuration, store: KeyValueStore(limit: configuration.kv.memory))
            return Report(scriptCount: bundle.scripts.count, errors: ScriptEngine.check(bundle, options: options))
        } catch {
            return Report(scriptCount: 0, errors: error.errors)
        }
    }
}
