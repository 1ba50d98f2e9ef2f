// Puts the layers of a configuration on top of each other, defaults, file, environment, command line, and collects the problems of
// all. It never stops at a problem: a value that cannot be used leaves the key as it was, and the next one is read.
//
// Read next: ConfigurationKey.swift, LinkVariables.swift, Configuration+Rules.swift

import Glibc
import JSON
import Scripting

extension Configuration {
    /// The effective configuration.
    ///
    /// - Parameters:
    ///   - file: The path of a YAML file of at most 1 MiB; nil for none. No file is read by default.
    ///   - environment: The process's variables; those that begin with `PERIGEE_` are ours, and an unknown one is a problem, but for
    ///     those that Kubernetes and Docker set for a Service or container of that name.
    ///   - flags: The flags of the command line as key path and text; the last of several for one key counts.
    /// - Throws: The problems of all layers at once.
    public static func load(
        file: String? = nil, environment: [String: String] = [:], flags: [(path: String, value: String)] = []
    ) throws(ConfigurationProblems) -> Configuration {
        var loader = ConfigurationLoader()
        if let file { loader.read(file: file) }
        loader.read(environment: environment)
        loader.read(flags: flags)
        return try loader.finish()
    }
}

/// A configuration while it is being put together.
struct ConfigurationLoader {
    private var configuration = Configuration()
    private var problems: [ConfigurationProblems.Problem] = []
    private var omitted = 0
    /// The layer that set a key last; a broken rule names it.
    private var origins: [String: ConfigurationProblems.Source] = [:]
    /// Keys with a problem of their own; rules between keys skip them.
    private var faulty: Set<String> = []

    private static let keys = Dictionary(uniqueKeysWithValues: Configuration.keys.map { ($0.path, $0) })
    private static let sections = Set(Configuration.sections.compactMap(\.name))

    /// Puts a YAML file on top.
    mutating func read(file: String) {
        do throws(ConfigurationFile.Unreadable) {
            read(yaml: try ConfigurationFile.read(file), file: file)
        } catch {
            add(.file(name: JSONQuoting.bare(file), line: nil, column: nil), error.reason)
        }
    }

    /// Puts the text of a YAML file on top.
    mutating func read(yaml: String, file: String) {
        let source = { (position: YAMLNode.Position?) -> ConfigurationProblems.Source in
            .file(name: JSONQuoting.bare(file), line: position?.line, column: position?.column)
        }
        let (root, mistakes) = YAMLReader.read(yaml)
        for mistake in mistakes { add(source(mistake.position), mistake.message) }
        var seen: Set<String> = []
        if let root, !root.isNull { read(section: nil, root, &seen, source) }
    }

    /// Puts the variables that begin with `PERIGEE_` on top; those of Kubernetes Services and Docker links are not ours.
    mutating func read(environment: [String: String]) {
        let names = Dictionary(uniqueKeysWithValues: Configuration.keys.map { ($0.environmentName, $0) })
        let links = LinkVariables(in: environment)
        for (name, value) in environment.sorted(by: { $0.key < $1.key })
        where name.hasPrefix(ConfigurationKey.environmentPrefix) {
            let source = ConfigurationProblems.Source.environment(name: JSONQuoting.bare(name))
            if let key = names[name] {
                assign(key, text: value, from: source)
            } else if !links.contains(name, value: value) {
                add(source, "unknown variable" + Self.hint(variable: name))
            }
        }
    }

    /// Puts the flags of the command line on top.
    mutating func read(flags: [(path: String, value: String)]) {
        for (path, value) in flags {
            guard let key = Self.keys[path] else {
                add(.flag, "unknown key '\(path)'" + Self.hint(path), path: path)
                continue
            }
            assign(key, text: value, from: .flag)
        }
    }

    /// The configuration, or all problems.
    consuming func finish() throws(ConfigurationProblems) -> Configuration {
        for breach in configuration.breaches where faulty.isDisjoint(with: breach.keys) {
            let source = breach.keys.lazy.compactMap { origins[$0] }.first ?? .defaults
            add(source, "\(breach.keys[0]): \(breach.message)", path: breach.keys[0])
        }
        guard problems.isEmpty else { throw ConfigurationProblems(problems: problems, omitted: omitted) }
        return configuration
    }
}

extension ConfigurationLoader {
    private typealias Locate = (YAMLNode.Position?) -> ConfigurationProblems.Source

    /// Reads the entries of a section, or of the file's top.
    private mutating func read(section: String?, _ node: YAMLNode, _ seen: inout Set<String>, _ source: Locate) {
        guard case .map(let entries) = node.content else {
            let subject = section ?? "the file"
            return add(source(node.position), "\(subject) is \(node.kind); allowed: a map of keys", path: section)
        }
        for entry in entries {
            let path = section.map { "\($0).\(entry.name)" } ?? entry.name
            if let key = Self.keys[path] {
                if seen.insert(path).inserted {
                    assign(key, entry.value, source)
                } else {
                    add(source(entry.position), "\(path): given more than once", path: path)
                }
            } else if section == nil, Self.sections.contains(path) {
                if !entry.value.isNull { read(section: path, entry.value, &seen, source) }
            } else {
                add(source(entry.position), "unknown key '\(path)'" + Self.hint(path), path: path)
            }
        }
    }

    /// Reads the text of a variable or flag; a list or map may be written as YAML there, too.
    private mutating func assign(_ key: ConfigurationKey, text: String, from source: ConfigurationProblems.Source) {
        guard let split = key.split else { return assign(key, .text(text)) { _ in source } }
        guard let first = text.first(where: { $0 != " " }), "[{".contains(first) else {
            return assign(key, split(text)) { _ in source }
        }
        let (root, mistakes) = YAMLReader.read(text)
        for mistake in mistakes { add(source, "\(key.path): \(mistake.message)", path: key.path) }
        if let root, mistakes.isEmpty { assign(key, root) { _ in source } }
    }

    private mutating func assign(_ key: ConfigurationKey, _ node: YAMLNode, _ source: Locate) {
        var findings: [Finding] = []
        key.assign(node, &configuration, &findings)
        if findings.isEmpty {
            origins[key.path] = source(node.position)
        } else {
            faulty.insert(key.path)
        }
        for finding in findings {
            let path = key.path + finding.path
            switch finding.fault {
            case .notAllowed(let given, let allowed):
                let what = given.map { "\(path) is \($0)" } ?? "\(path) is not allowed"
                add(
                    source(finding.position), "\(what); allowed: \(allowed)", path: path, given: given, allowed: allowed
                )
            case .unknown(let hint): add(source(finding.position), "unknown key '\(path)'\(hint)", path: path)
            case .told(let message): add(source(finding.position), "\(path): \(message)", path: path)
            }
        }
    }

    private mutating func add(
        _ source: ConfigurationProblems.Source, _ message: @autoclosure () -> String, path: String? = nil,
        given: String? = nil, allowed: String? = nil
    ) {
        guard problems.count < ConfigurationProblems.most else { return omitted += 1 }
        problems.append(
            .init(
                source: source, path: path.map(Self.shown), message: Self.shown(message()), given: given,
                allowed: allowed))
    }

    /// The text on one line of at most 500 characters.
    private static func shown(_ text: String) -> String {
        JSONQuoting.bare(text.count > 500 ? text.prefix(499) + "…" : text[...])
    }

    /// The variable that an unknown one was probably meant to be.
    private static func hint(variable name: String) -> String {
        let prefix = ConfigurationKey.environmentPrefix
        let known = Configuration.keys.map { String($0.environmentName.dropFirst(prefix.count)) }
        let nearest = NearestName.of(String(name.dropFirst(prefix.count)), among: known)
        return nearest.map { "; did you mean \(prefix)\($0)?" } ?? ""
    }

    /// The key that an unknown one was probably meant to be: one of the same name in another section, or the nearest; else the keys
    /// of its section.
    private static func hint(_ path: String) -> String {
        let all = Configuration.keys.map(\.path) + sections.sorted()
        let sameNames = all.filter { lastStep($0) == lastStep(path) }
        if let meant = NearestName.of(path, among: sameNames) ?? sameNames.first ?? NearestName.of(path, among: all) {
            return "; did you mean '\(meant)'?"
        }
        let section = path.firstIndex(of: ".").map { String(path[..<$0]) }
        let known = Configuration.keys.filter { $0.section == section }.map(\.name)
        return known.isEmpty ? "" : "; known\(section.map { " in '\($0)'" } ?? ""): \(known.joined(separator: ", "))"
    }

    /// The name within the section, in small letters.
    private static func lastStep(_ path: String) -> String {
        path[(path.lastIndex(of: ".").map(path.index(after:)) ?? path.startIndex)...].lowercased()
    }
}

/// Reads a configuration file.
enum ConfigurationFile {
    /// The largest file that is read, in bytes.
    static let largest = 1 << 20

    /// The reason why a file was not read, in words that follow its name.
    struct Unreadable: Error, Equatable {
        let reason: String
    }

    /// The file's text, UTF-8.
    static func read(_ path: String) throws(Unreadable) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Unreadable(reason: "cannot be read: \(systemMessage())") }
        defer { close(descriptor) }
        let bytes = try read(descriptor)
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Unreadable(reason: "is not UTF-8 text") }
        return text
    }

    private static func read(_ descriptor: Int32) throws(Unreadable) -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &piece, piece.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw Unreadable(reason: "cannot be read: \(systemMessage())") }
            if count == 0 { return bytes }
            bytes += piece[..<count]
            guard bytes.count <= largest else { throw Unreadable(reason: "is larger than 1 MiB") }
        }
    }

    private static func systemMessage() -> String { String(cString: strerror(errno)) }
}
