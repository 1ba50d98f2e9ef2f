// ChromiumPage: one page of a browser, used as a person uses it: read, type, press, click, wait until something shows.
//
// Read next: Chromium.swift.

public import JSON

/// A page of a running Chromium; elements are named by CSS selectors.
public final class ChromiumPage {
    private let devTools: DevTools
    private let session: String
    private var seenFaults: [String] = []

    init(devTools: DevTools) throws(ClientError) {
        self.devTools = devTools
        let target = try devTools.call("Target.createTarget", ["url": "about:blank"])["targetId"] ?? .null
        let attached = try devTools.call("Target.attachToTarget", ["targetId": target, "flatten": true])
        session = attached["sessionId"]?.string ?? ""
        for domain in ["Page", "Runtime", "Log"] { _ = try call("\(domain).enable") }
    }

    /// Goes to `url` and waits for its load event.
    public func load(_ url: String) throws(ClientError) {
        _ = devTools.takeEvents("Page.loadEventFired", session: session)
        let answer = try call("Page.navigate", ["url": .string(url)])
        if let fault = answer["errorText"]?.string { throw .unexpected("loading \(url): \(fault)") }
        try devTools.waitForEvent("Page.loadEventFired", session: session)
    }

    /// Opens this page's address again, in a second page.
    public func openSibling() throws(ClientError) -> ChromiumPage {
        let sibling = try ChromiumPage(devTools: devTools)
        try sibling.load(evaluate("location.href").string ?? "")
        return sibling
    }

    /// Evaluates a JavaScript expression, awaits it if it is a promise, and returns its value; an exception is an error.
    @discardableResult
    public func evaluate(_ expression: String) throws(ClientError) -> JSON {
        let parameters: [String: JSON] = [
            "expression": .string(expression), "awaitPromise": true, "returnByValue": true, "userGesture": true,
        ]
        let answer = try call("Runtime.evaluate", parameters)
        if let fault = answer["exceptionDetails"] { throw .unexpected("\(expression): \(Self.text(of: fault))") }
        return answer["result"]?["value"] ?? .null
    }

    /// Waits in the page until the expression is truthy, and returns its value; after false or an exception it tries again.
    @discardableResult
    public func waitUntil(_ expression: String, timeout: Duration = .seconds(10)) throws(ClientError) -> JSON {
        let milliseconds = timeout.components.seconds * 1000
        return try evaluate(
            """
            new Promise((resolve, reject) => {
              const end = performance.now() + \(milliseconds)
              const look = () => {
                let value
                try { value = (\(expression)) } catch (error) { value = undefined }
                if (value) resolve(value)
                else if (performance.now() < end) setTimeout(look, 5)
                else reject(new Error('never came true; the page says: ' + document.body.innerText))
              }
              look()
            })
            """)
    }

    /// The visible text of the element, or the value of a field.
    public func text(of selector: String) throws(ClientError) -> String {
        try evaluate("(e => e.value ?? e.innerText)(\(find(selector)))").string ?? ""
    }

    /// Replaces the value of a field by typing `text`.
    public func type(_ text: String, into selector: String) throws(ClientError) {
        try evaluate("(e => { e.focus(); e.select() })(\(find(selector)))")
        _ = try call("Input.insertText", ["text": .string(text)])
    }

    /// Presses and releases a key in the focused element: "Enter", "Tab", "Escape".
    public func press(_ key: String) throws(ClientError) {
        let codes: [String: Int] = ["Enter": 13, "Tab": 9, "Escape": 27]
        guard let code = codes[key] else { throw .unexpected("unknown key \(key)") }
        let names: [String: JSON] = [
            "key": .string(key), "code": .string(key), "windowsVirtualKeyCode": .number(Double(code)),
        ]
        let text: [String: JSON] = key == "Enter" ? ["text": "\r"] : [:]
        _ = try call("Input.dispatchKeyEvent", names.merging(text) { $1 }.merging(["type": "keyDown"]) { $1 })
        _ = try call("Input.dispatchKeyEvent", names.merging(["type": "keyUp"]) { $1 })
    }

    /// Clicks the middle of the element with the mouse; an element that covers it is an error.
    public func click(_ selector: String) throws(ClientError) {
        let place = try evaluate(
            """
            (e => {
              e.scrollIntoView({block: 'center', behavior: 'instant'})
              const box = e.getBoundingClientRect()
              const x = box.x + box.width / 2, y = box.y + box.height / 2
              const hit = document.elementFromPoint(x, y)
              if (!e.contains(hit)) throw new Error('covered by ' + (hit ? hit.outerHTML : 'nothing'))
              return {x, y}
            })(\(find(selector)))
            """)
        for type in ["mousePressed", "mouseReleased"] {
            let event: [String: JSON] = [
                "type": .string(type), "x": place["x"] ?? 0, "y": place["y"] ?? 0, "button": "left", "clickCount": 1,
            ]
            _ = try call("Input.dispatchMouseEvent", event)
        }
    }

    /// Sets the visible size in CSS pixels; a page up to 600 wide is shown as on a phone.
    public func resize(width: Int, height: Int) throws(ClientError) {
        _ = try call(
            "Emulation.setDeviceMetricsOverride",
            [
                "width": .number(Double(width)), "height": .number(Double(height)), "deviceScaleFactor": 2,
                "mobile": .bool(width <= 600),
            ])
    }

    /// Sets the preferred colour scheme, dark or light.
    public func prefer(dark: Bool) throws(ClientError) {
        let feature: JSON = ["name": "prefers-color-scheme", "value": .string(dark ? "dark" : "light")]
        _ = try call("Emulation.setEmulatedMedia", ["features": [feature]])
    }

    /// The errors of this page so far: exceptions, console errors, blocked content.
    public func faults() throws(ClientError) -> [String] {
        // The response to a command comes after all earlier events.
        try evaluate("null")
        let exceptions = devTools.takeEvents("Runtime.exceptionThrown", session: session)
        seenFaults += exceptions.map { Self.text(of: $0["exceptionDetails"] ?? $0) }
        let entries = devTools.takeEvents("Log.entryAdded", session: session).compactMap { $0["entry"] }
        seenFaults += entries.filter { $0["level"] == "error" }.map { "\($0["text"]?.string ?? "\($0)")" }
        let calls = devTools.takeEvents("Runtime.consoleAPICalled", session: session)
        seenFaults += calls.filter { $0["type"] == "error" }.map { "\($0["args"] ?? $0)" }
        return seenFaults
    }

    /// Writes the visible part as PNG to the file at `path`.
    public func screenshot(to path: String) throws(ClientError) {
        let data = try call("Page.captureScreenshot", ["format": "png"])["data"]?.string ?? ""
        guard let picture = Base64.decode(data) else { throw .unexpected("a screenshot that is not base64") }
        try File.write(picture, to: path)
    }

    private func call(_ method: String, _ parameters: [String: JSON] = [:]) throws(ClientError) -> JSON {
        try devTools.call(method, parameters, session: session)
    }

    private func find(_ selector: String) -> String {
        let name = JSON.string(selector)
        return "(document.querySelector(\(name)) ?? (() => { throw new Error('no element ' + \(name)) })())"
    }

    private static func text(of fault: JSON) -> String {
        fault["exception"]?["description"]?.string ?? fault["text"]?.string ?? "\(fault)"
    }
}
