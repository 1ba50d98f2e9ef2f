// Reading a bundle from its folder. Editors leave all sorts of files about; what is not a script is passed over, what
// should be one and cannot be used is reported, all of it at once.
//
// Runs on: any thread that may block.

import Glibc

extension ScriptBundle {
    /// Reads every script below a folder.
    ///
    /// `lib/` holds modules. Passed over: `tests/`, `*.d.lua`, hidden files, and files that do not end in `.lua`.
    /// Refused: a folder or file that cannot be read, a file over 1 MiB or not in UTF-8, a name with other characters
    /// than letters, digits, `_`, `-`, folders more than 8 deep or in a circle, more than 1,000 files, and a folder
    /// without a script.
    ///
    /// - Parameter replacement: the text of a file that is to be taken instead of what the folder has, or added to it.
    public static func load(
        folder: String, version: UInt64, routes: [String: String] = [:],
        replacing replacement: (path: ScriptPath, text: [UInt8])? = nil
    ) throws(ScriptErrors) -> ScriptBundle {
        var walk = FolderWalk(root: folder, version: version, passingOver: replacement?.path.file)
        walk.readAll()
        if let replacement { walk.add(replacement.text, as: replacement.path.file) }
        if walk.scripts.isEmpty, walk.problems.isEmpty {
            walk.report(folder, "the folder holds no script, not even main.lua")
        }
        if !walk.problems.isEmpty { throw ScriptErrors(walk.problems) }
        return try ScriptBundle(version: version, scripts: walk.scripts, modules: walk.modules, routes: routes)
    }

    /// Reads the test files of a scripts' folder, in the order of their paths, which begin with "tests/". None when there
    /// is no such folder.
    package static func tests(folder: String) throws(ScriptErrors) -> [ScriptFile] {
        var status = stat()
        guard stat(folder + "/tests", &status) == 0 else { return [] }
        var walk = FolderWalk(root: folder, version: 0)
        walk.readTests()
        if !walk.problems.isEmpty { throw ScriptErrors(walk.problems) }
        return walk.scripts
    }
}
