// The seeds: files that each target begins with, one input each.

import Foundation

/// The folder Tests/Fuzz/Corpus, with a folder for each target; a file TARGET.dict holds words that mean something to it.
public enum FuzzCorpus {
    private static let folder = String(#filePath.dropLast("/Targets/FuzzCorpus.swift".count)) + "/Corpus"

    /// The inputs of a target by the names of their files.
    public static func seeds(of target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(target.name)").sorted()
        return try names.map { ($0, try bytes(at: "\(folder)/\(target.name)/\($0)")) }
    }

    /// The targets that there are seeds or words for.
    public static func names() throws -> Set<String> {
        Set(
            try FileManager.default.contentsOfDirectory(atPath: folder).map { name in
                name.hasSuffix(".dict") ? String(name.dropLast(".dict".count)) : name
            })
    }

    /// The whole content of a file.
    public static func bytes(at path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    }
}
