// JSON out, written straight into bytes: the admin API's answers are small and flat, and need no tree.

/// A JSON text under construction.
public struct JSONOutput: Sendable {
    /// The text so far, UTF-8.
    public private(set) var bytes: [UInt8] = []

    /// The text so far.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// An object with the members that `fill` adds.
    public static func object(_ fill: (inout Members) -> Void) -> JSONOutput {
        var json = JSONOutput()
        json.bytes.reserveCapacity(256)
        json.appendObject(fill)
        return json
    }

    /// An empty text, to which values are appended.
    public init() {}

    /// Appends an object with the members that `fill` adds.
    public mutating func append(_ fill: (inout Members) -> Void) { appendObject(fill) }

    /// Appends an object whose bytes are there but for the closing brace.
    public mutating func append(object open: ArraySlice<UInt8>) {
        bytes += open
        bytes.append(UInt8(ascii: "}"))
    }

    /// Appends a byte between values.
    public mutating func append(_ separator: UInt8) { bytes.append(separator) }

    /// Takes the text out, and leaves room for as much.
    public mutating func take() -> [UInt8] {
        let taken = bytes
        bytes = []
        bytes.reserveCapacity(taken.count)
        return taken
    }

    /// The members of an object that is being written; each `add` writes one. Names are the program's own words: they are
    /// not compared, and need no escapes.
    public struct Members {
        fileprivate var json: JSONOutput
        private var isFirst = true

        fileprivate init(_ json: JSONOutput) { self.json = json }

        /// Adds a string.
        public mutating func add(_ name: String, _ value: String) {
            begin(name)
            json.appendQuoted(value)
        }

        /// Adds a string, or null.
        public mutating func add(_ name: String, _ value: String?) {
            if let value { add(name, value) } else { addJSON(name, "null") }
        }

        /// Adds a whole number.
        public mutating func add(_ name: String, _ value: Int) {
            begin(name)
            json.append(value.magnitude, isNegative: value < 0)
        }

        /// Adds a whole number.
        public mutating func add(_ name: String, _ value: UInt64) {
            begin(name)
            json.append(UInt(value), isNegative: false)
        }

        /// Adds a truth value.
        public mutating func add(_ name: String, _ value: Bool) { addJSON(name, value ? "true" : "false") }

        /// Adds an array of strings.
        public mutating func add(_ name: String, _ values: [String]) {
            addJSON(name, "[" + values.map { JSONQuoting.quoted($0) }.joined(separator: ",") + "]")
        }

        /// Adds a time as milliseconds with three decimals; null for none.
        public mutating func addMilliseconds(_ name: String, microseconds: UInt32?) {
            guard let microseconds else { return addJSON(name, "null") }
            let fraction = String(microseconds % 1_000 + 1_000).dropFirst()
            addJSON(name, "\(microseconds / 1_000).\(fraction)")
        }

        /// Adds a value that is JSON text already.
        public mutating func addJSON(_ name: String, _ value: String) {
            begin(name)
            json.append(value)
        }

        /// Adds an object.
        public mutating func member(_ name: String, _ fill: (inout Members) -> Void) {
            begin(name)
            json.appendObject(fill)
        }

        /// Adds an array of objects.
        public mutating func list<Element>(
            _ name: String, _ elements: [Element], _ fill: (Element, inout Members) -> Void
        ) {
            begin(name)
            json.bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { json.bytes.append(UInt8(ascii: ",")) }
                json.appendObject { fill(element, &$0) }
            }
            json.bytes.append(UInt8(ascii: "]"))
        }

        private mutating func begin(_ name: String) {
            var name = name
            name.withUTF8 { name in
                json.bytes.append(addingCapacity: name.count + 4) { output in
                    if !isFirst { output.append(UInt8(ascii: ",")) }
                    output.append(UInt8(ascii: "\""))
                    output.withUnsafeMutableBufferPointer { buffer, count in
                        _ = buffer[count...].update(fromContentsOf: name)
                        count += name.count
                    }
                    output.append(UInt8(ascii: "\""))
                    output.append(UInt8(ascii: ":"))
                }
            }
            isFirst = false
        }
    }

    /// Nearly every text is plain ASCII and goes in as it is.
    private mutating func appendQuoted(_ text: String) {
        var text = text
        let isPlain = text.withUTF8 { text in
            let isPlain = text.allSatisfy {
                $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
            }
            guard isPlain else { return false }
            bytes.append(UInt8(ascii: "\""))
            bytes.append(contentsOf: text)
            bytes.append(UInt8(ascii: "\""))
            return true
        }
        if !isPlain { append(JSONQuoting.quoted(text)) }
    }

    /// As one copy: appending a view of the text goes byte by byte.
    private mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { bytes.append(contentsOf: $0) }
    }

    /// A number in decimal digits, without a string in between.
    private mutating func append(_ magnitude: UInt, isNegative: Bool) {
        var digits = 1
        var rest = magnitude / 10
        while rest > 0 {
            digits += 1
            rest /= 10
        }
        if isNegative { bytes.append(UInt8(ascii: "-")) }
        bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: digits))
        rest = magnitude
        for index in stride(from: bytes.count - 1, through: bytes.count - digits, by: -1) {
            bytes[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }

    private mutating func appendObject(_ fill: (inout Members) -> Void) {
        bytes.append(UInt8(ascii: "{"))
        var members = Members(self)
        bytes = []
        fill(&members)
        self = members.json
        bytes.append(UInt8(ascii: "}"))
    }
}
