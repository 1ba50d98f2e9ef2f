// The output of `perigee new`: a scripts' folder that serves at once, with a test, the definitions for editors, and a
// configuration.

import Glibc

/// A new folder with scripts.
public enum NewProject {
    /// Why there is none.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    /// The files, by path.
    static let files: [(path: String, bytes: [UInt8])] = [
        ("Scripts/main.lua", PackageResources.handler_lua),
        ("Scripts/tests/main.lua", PackageResources.handler_test_lua),
        ("Scripts/perigee.d.lua", PackageResources.perigee_d_lua),
        ("Scripts/.luarc.json", PackageResources.luarc_json),
        ("perigee.yaml", PackageResources.perigee_yaml),
    ]

    /// Writes the files below a folder that is new or empty. Answers with their paths.
    public static func write(to folder: String) throws(Failure) -> [String] {
        try makeFolder(folder)
        guard isEmpty(folder) else { throw Failure(description: "\(folder) is not empty") }
        for below in ["Scripts", "Scripts/tests"] { try makeFolder("\(folder)/\(below)") }
        for file in files { try write(file.bytes, to: "\(folder)/\(file.path)") }
        return files.map(\.path)
    }

    private static func makeFolder(_ path: String) throws(Failure) {
        guard mkdir(path, 0o777) == 0 || errno == EEXIST else { throw failure("making", path) }
    }

    /// False, too, for a path that cannot be read, or is no folder.
    private static func isEmpty(_ path: String) -> Bool {
        guard let folder = opendir(path) else { return false }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        return count == 2
    }

    private static func write(_ bytes: [UInt8], to path: String) throws(Failure) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw failure("writing", path) }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw failure("writing", path) }
            rest = rest.dropFirst(count)
        }
    }

    private static func failure(_ doing: String, _ path: String) -> Failure {
        Failure(description: "\(doing) \(path): \(String(cString: strerror(errno)))")
    }
}
