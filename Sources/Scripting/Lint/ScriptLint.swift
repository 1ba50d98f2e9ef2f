// The mistakes in a file that can be found without running it: names that do not exist. Lua's compiler has resolved the
// scopes: the compiled form shows exactly which names are globals, and which field is read from which table. Uncertain
// cases are not reported, because a check with false alarms is soon ignored.
//
// Read next: FunctionWalk.swift.

/// The search for misspelt names in one file.
struct ScriptLint {
    /// One mistake.
    struct Finding: Hashable {
        let line: Int?
        let message: String
    }

    let vocabulary: ScriptVocabulary
    /// Whether the file is a script, which may define handlers, or a module.
    let isScript: Bool
    /// The handlers that the file defines as its own functions, which it can then call.
    private(set) var definedHandlers: Set<String> = []
    private(set) var findings: [Finding] = []
    /// Names for which the file tests before it uses them, as the beginning of a finding: their absence is no mistake.
    var lookedFor: Set<String> = []

    static let handlerNames = ScriptHandler.allCases.map(\.name)

    /// The mistakes in a file, by line.
    static func findings(
        in main: LuaFunction, vocabulary: ScriptVocabulary, isScript: Bool
    ) -> [Finding] {
        var lint = ScriptLint(vocabulary: vocabulary, isScript: isScript)
        let environment: FunctionWalk.Value = .environment
        let upvalues = main.upvalues.map { $0.name == "_ENV" ? environment : nil }
        if isScript { lint.definedHandlers = Self.handlers(definedIn: main) }
        lint.walk(main, upvalues: upvalues, objects: [:], outerNames: [], isMain: true)
        var seen: Set<Finding> = []
        return lint.findings
            .filter { finding in !lint.lookedFor.contains { finding.message.hasPrefix($0) } }
            .filter { seen.insert($0).inserted }
            .sorted { ($0.line ?? 0) < ($1.line ?? 0) }
    }

    private init(vocabulary: ScriptVocabulary, isScript: Bool) {
        self.vocabulary = vocabulary
        self.isScript = isScript
    }

    private static func handlers(definedIn main: LuaFunction) -> Set<String> {
        Set(main.code.compactMap { $0.operation == .setInUpvalue ? main.string($0.b) : nil })
            .intersection(handlerNames)
    }

    /// Walks a function, then its inner functions, whose variables are known by then.
    private mutating func walk(
        _ function: LuaFunction, upvalues: [FunctionWalk.Value?], objects: [Int: String], outerNames: [String],
        isMain: Bool
    ) {
        var walk = FunctionWalk(function, upvalues: upvalues, objects: objects, outerNames: outerNames, isMain: isMain)
        walk.run(&self)
        for (index, inner) in function.functions.enumerated() {
            let handler = isMain && isScript ? walk.handlers[index] : nil
            self.walk(
                inner, upvalues: inner.upvalues.map(walk.value(of:)),
                objects: Self.objects(for: handler, in: inner), outerNames: walk.scopes[index] ?? [], isMain: false)
        }
    }

    /// The parameters that are known to be API objects: the first one of a handler, if nothing is assigned to it.
    private static func objects(for handler: String?, in function: LuaFunction) -> [Int: String] {
        let kind: String
        switch handler {
        case "onOpen", "onMessage", "onClose", "onDrain", "onSubscribe": kind = "conn"
        case "onUpgrade": kind = "request"
        case "onPublish": kind = "publication"
        case "onRequest": kind = "call"
        default: return [:]
        }
        let isKept = function.parameterCount > 0 && !function.assigns(register: 0)
        return isKept ? [0: kind] : [:]
    }

    // MARK: The rules

    mutating func read(global name: String, scope: [String], at index: Int, in function: LuaFunction) {
        guard !vocabulary.globals.contains(name), !definedHandlers.contains(name) else { return }
        let known = Set(scope).union(vocabulary.globals)
        report("undefined global '\(name)'" + hint(name, among: known), at: index, in: function)
    }

    mutating func write(global name: String, scope: [String], at index: Int, in function: LuaFunction) {
        if isScript, Self.handlerNames.contains(name) { return }
        let nearest = hint(name, among: scope + (isScript ? Self.handlerNames : []))
        report(
            "undefined global '\(name)'" + (nearest.isEmpty ? "; write 'local \(name)' to declare it" : nearest),
            at: index, in: function)
    }

    mutating func read(_ field: String, of owner: String, at index: Int, in function: LuaFunction) {
        guard let fields = fields(of: owner), !fields.contains(field) else { return }
        report("\(owner) has no field '\(field)'" + hint(field, among: fields), at: index, in: function)
    }

    mutating func write(_ field: String, of owner: String, at index: Int, in function: LuaFunction) {
        if owner == "conn" {
            if field == "data" { return }
            report("conn.\(field) cannot be set; keep your own values in conn.data", at: index, in: function)
        } else if vocabulary.fields[owner] != nil {
            report("\(owner).\(field) cannot be set: \(owner) is read-only", at: index, in: function)
        }
    }

    mutating func returned(handler name: String, at index: Int, in function: LuaFunction) {
        guard isScript, !Self.handlerNames.contains(name) else { return }
        report("unknown handler '\(name)'" + hint(name, among: Self.handlerNames), at: index, in: function)
    }

    /// Whether a table has every field that a script may ask for.
    func isStrict(_ owner: String) -> Bool { !ScriptVocabulary.lenient.contains(owner) }

    private func fields(of owner: String) -> Set<String>? {
        vocabulary.fields[owner] ?? ScriptVocabulary.handlerFields[owner]
    }

    private func hint(_ name: String, among names: some Sequence<String>) -> String {
        NearestName.of(name, among: names.sorted()).map { "; did you mean '\($0)'?" } ?? ""
    }

    private mutating func report(_ message: String, at index: Int, in function: LuaFunction) {
        findings.append(Finding(line: function.line(of: index), message: message))
    }
}

extension LuaFunction {
    /// Whether the function or an inner function assigns to a register that holds a parameter.
    func assigns(register: Int) -> Bool {
        code.contains { !$0.onlyReads && $0.a == register }
            || functions.contains { inner in
                inner.upvalues.indices.contains {
                    inner.upvalues[$0].isLocal && inner.upvalues[$0].index == register && inner.assigns(upvalue: $0)
                }
            }
    }

    private func assigns(upvalue: Int) -> Bool {
        code.contains { $0.operation == .setUpvalue && $0.b == upvalue }
            || functions.contains { inner in
                inner.upvalues.indices.contains {
                    !inner.upvalues[$0].isLocal && inner.upvalues[$0].index == upvalue && inner.assigns(upvalue: $0)
                }
            }
    }
}
