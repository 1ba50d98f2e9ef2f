// The request methods that the server tells apart.

/// A request method; methods are case-sensitive, so `get` is `other` (RFC 9110, section 9.1).
public enum HTTPMethod: Sendable, CaseIterable {
    case get, head, post, put, delete, options, patch
    /// Any other token; its text is `RequestHead.methodText`.
    case other

    /// The method whose name stands in a range of a head.
    init(at range: Range<Int>, of head: RawSpan) {
        self =
            if head.holds("GET", at: range) {
                .get
            } else if head.holds("POST", at: range) {
                .post
            } else if head.holds("HEAD", at: range) {
                .head
            } else if head.holds("PUT", at: range) {
                .put
            } else if head.holds("DELETE", at: range) {
                .delete
            } else if head.holds("OPTIONS", at: range) {
                .options
            } else if head.holds("PATCH", at: range) {
                .patch
            } else {
                .other
            }
    }
}
