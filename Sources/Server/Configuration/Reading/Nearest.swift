// The known name that an unknown one was probably meant to be.

/// Finds the nearest of several names.
enum Nearest {
    /// Longer names are not compared; no key is half as long.
    private static let longest = 64

    /// The name with the fewest edits, capitals not counted, or the one that ends alike; nil when none is close enough
    /// to be meant.
    static func name(to unknown: String, among known: [String]) -> String? {
        guard unknown.utf8.count <= longest else { return nil }
        let ranked = known.map { (name: $0, distance: distance(unknown, $0)) }
        guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
        return best.distance * 5 <= max(unknown.count, best.name.count) * 2 ? best.name : nil
    }

    /// Edits from one name to the other; 2 when only the section differs.
    private static func distance(_ unknown: String, _ known: String) -> Int {
        let (unknown, known) = (unknown.lowercased(), known.lowercased())
        let edits = edits(Array(unknown.utf8), Array(known.utf8))
        return lastStep(unknown) == lastStep(known) ? min(edits, 2) : edits
    }

    private static func lastStep(_ path: String) -> Substring {
        path[(path.lastIndex(of: ".").map(path.index(after:)) ?? path.startIndex)...]
    }

    /// Insertions, deletions, replacements and swaps of neighbours, one row of the table at a time.
    private static func edits(_ from: [UInt8], _ to: [UInt8]) -> Int {
        var (above, row) = ([Int](), Array(0...to.count))
        for (i, byte) in from.enumerated() {
            var next = [i + 1]
            for (j, other) in to.enumerated() {
                var edits = min(row[j] + (byte == other ? 0 : 1), row[j + 1] + 1, next[j] + 1)
                if i > 0, j > 0, byte == to[j - 1], other == from[i - 1] { edits = min(edits, above[j - 1] + 1) }
                next.append(edits)
            }
            (above, row) = (row, next)
        }
        return row[to.count]
    }
}
