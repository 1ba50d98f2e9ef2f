// A file as the bridge takes it.

import LuaBridge

extension ScriptFile {
    /// Calls `body` with the source, which is valid for that long. `script` is its number, or -1 for a module.
    func withSource<Result>(script: Int32, _ body: (UnsafePointer<BridgeSource>) -> Result) -> Result {
        var text = source
        return text.withUTF8 { text in
            text.withMemoryRebound(to: CChar.self) { text in
                path.withCString { path in
                    name.withCString { name in
                        var empty: CChar = 0
                        return withUnsafePointer(to: &empty) { empty in
                            var source = BridgeSource(
                                script: script, file: path, name: name, bytes: text.baseAddress ?? empty,
                                count: text.count)
                            return body(&source)
                        }
                    }
                }
            }
        }
    }
}
