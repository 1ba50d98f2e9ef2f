// How a script's mistake stands in the log: the place and the message on the line, source and traceback below it.

import Logging
import Scripting

extension ScriptError {
    /// The fields of a log entry about this error.
    var metadata: Logger.Metadata {
        var metadata: Logger.Metadata = ["version": "\(version)"]
        if let handler { metadata["handler"] = "\(handler)" }
        if let excerpt { metadata["source"] = "\(excerpt)" }
        if let traceback, !traceback.isEmpty { metadata["traceback"] = "\(traceback)" }
        return metadata
    }
}
