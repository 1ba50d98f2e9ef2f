// The plan for a request, before any worker hears of it: the sources, checked; and the report when it has ended.

import Gateway
import Logging
import Scripting
import Settings

extension Reloader {
    enum Planned {
        case plan(ReloadPlan)
        /// Nothing is to be done; nil when there is nothing to say either.
        case end(ReloadReport?)
    }

    /// The plan for the requests, which all want the same. A version that fails uses up no number.
    func plan(_ requests: [ReloadRequest]) -> Planned {
        let version = history.live.bundle.version + 1
        do throws(ScriptErrors) {
            switch requests[0].kind {
            case .folder:
                let bundle = try load(version)
                let isWatched = requests.allSatisfy { $0.ticket == nil && $0.cause == ReloadRequest.fileChange }
                // An editor touched a file without changing it.
                if isWatched && bundle.hash == history.live.bundle.hash { return .end(nil) }
                return check(ReloadPlan(bundle: bundle))
            case .rollback(let wanted):
                guard let old = history.bundle(of: wanted) else { return .end(.refused(notKept(wanted))) }
                return check(ReloadPlan(bundle: old.renumbered(version), rolledBackTo: old.version))
            case .upload(let path, let text):
                return stage(text, as: path, check(ReloadPlan(bundle: try load(version, replacing: (path, text)))))
            }
        } catch {
            return .end(.failed(error.errors))
        }
    }

    private func load(
        _ version: UInt64, replacing replacement: (path: ScriptPath, text: [UInt8])? = nil
    ) throws(ScriptErrors) -> ScriptBundle {
        try ScriptBundle.load(
            folder: node.configuration.scripts.folder, version: version, routes: node.configuration.scripts.routes,
            replacing: replacement)
    }

    private func check(_ plan: ReloadPlan) -> Planned {
        let errors = ScriptEngine.check(plan.bundle, options: node.scriptOptions)
        return errors.isEmpty ? .plan(plan) : .end(.failed(errors))
    }

    private func stage(_ text: [UInt8], as path: ScriptPath, _ planned: Planned) -> Planned {
        guard case .plan(var plan) = planned else { return planned }
        do throws(StagedFile.Failure) {
            plan.upload = try StagedFile(path.file, in: node.configuration.scripts.folder, bytes: text)
            return .plan(plan)
        } catch {
            return .end(.refused(.notWritten("\(path.file) \(error.message)")))
        }
    }

    /// Puts an uploaded file into its place; why it cannot be, if so.
    func publish(_ plan: ReloadPlan) -> ReloadReport.Refusal? {
        guard let upload = plan.upload else { return nil }
        do throws(StagedFile.Failure) {
            try upload.publish()
            return nil
        } catch {
            upload.discard()
            return .notWritten("the file \(error.message)")
        }
    }

    private func notKept(_ version: UInt64?) -> ReloadReport.Refusal {
        let kept = history.previous.map { String($0.bundle.version) }.joined(separator: ", ")
        guard let version, !kept.isEmpty else { return .noPreviousVersion }
        return .versionNotKept("version \(version) is not kept; these are: \(kept)")
    }

    func tell(_ report: ReloadReport, cause: String) {
        switch report {
        case .swapped(let version, let changed, let rolledBackTo, let late):
            var metadata: Logger.Metadata = [
                "version": "\(version)", "changed": "\(changed.joined(separator: " "))", "cause": "\(cause)",
            ]
            if let rolledBackTo { metadata["rolledBackTo"] = "\(rolledBackTo)" }
            node.log.notice(rolledBackTo == nil ? "scripts reloaded" : "scripts rolled back", metadata: metadata)
            for worker in late { node.log.warning("\(worker)", metadata: ["version": "\(version)"]) }
        case .failed(let errors):
            for error in errors {
                node.log.error(
                    "scripts not reloaded, version \(history.live.bundle.version) goes on: \(error.summary)",
                    metadata: error.metadata.merging(["cause": "\(cause)"]) { $1 })
            }
        case .refused(let error):
            node.log.warning("scripts not reloaded: \(error.message)", metadata: ["cause": "\(cause)"])
        }
    }
}

// The plan for a request: the bundle that is to be live, and the file to put in its place then.

/// A bundle on its way to the workers.
struct ReloadPlan {
    let bundle: ScriptBundle
    /// The version whose sources these are.
    var rolledBackTo: UInt64?
    /// The file that is to be in its place when the bundle is live.
    var upload: StagedFile?
}
