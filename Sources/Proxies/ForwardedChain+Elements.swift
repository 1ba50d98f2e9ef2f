// One element of the list at a time, from the right: what is wrong further left must not change how the right end is read, for it
// is the client who may have written the left.

import EventLoop

extension ForwardedChain {
    /// Cuts the last element off the list; nil when none is left.
    static func takeLast(of list: inout Substring.UTF8View, _ field: Field) -> Substring.UTF8View? {
        guard !list.isEmpty else { return nil }
        var isQuoted = false
        var index = list.endIndex
        while index > list.startIndex {
            let before = list.index(before: index)
            switch list[before] {
            case UInt8(ascii: "\"") where field == .forwarded && !isEscaped(before, in: list):
                isQuoted.toggle()
            case UInt8(ascii: ",") where !isQuoted:
                let element = list[index...]
                list = list[..<before]
                return element
            default:
                break
            }
            index = before
        }
        let element = list
        list = list[list.endIndex...]
        return element
    }

    /// Whether an odd number of backslashes stands before.
    private static func isEscaped(_ index: Substring.UTF8View.Index, in list: Substring.UTF8View) -> Bool {
        list[..<index].reversed().prefix { $0 == UInt8(ascii: "\\") }.count % 2 == 1
    }

    /// The address that an element names; nil when it names none.
    static func address(in element: Substring.UTF8View, _ field: Field) -> SocketAddress? {
        let element = Substring(element)
        switch field {
        case .xForwardedFor: return NumericAddress.endpoint(trimmed(element), wordPorts: false)?.unmapped
        case .forwarded: return node(in: element).flatMap { NumericAddress.endpoint($0, wordPorts: true)?.unmapped }
        }
    }

    /// The value of the one `for` among the pairs of an element; nil when there is none, or when the element is malformed.
    private static func node(in element: Substring) -> String? {
        var reader = ForwardedPairReader(element)
        var node: String?
        var names: Set<String> = []
        while true {
            switch reader.next() {
            case .pair(let name, let value):
                guard names.insert(name).inserted else { return nil }
                if name == "for" { node = value }
            case .end: return node
            case .malformed: return nil
            }
        }
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
