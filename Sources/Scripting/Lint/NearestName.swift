// The known name that was probably meant by one that is not known.

/// Finds the nearest of several names, for "did you mean".
public enum NearestName {
    /// The name with the fewest edits, at most a third of the letters; nil when none is so close. A difference in case counts nothing.
    public static func of(_ name: String, among names: some Sequence<String>) -> String? {
        var nearest: String?
        var fewest = name.count / 3 + 1
        for candidate in names where abs(candidate.count - name.count) < fewest && candidate.count <= 64 {
            let steps = steps(from: Array(name.lowercased().utf8), to: Array(candidate.lowercased().utf8))
            if steps < fewest { (nearest, fewest) = (candidate, steps) }
        }
        return nearest
    }

    /// How many letters must be inserted, removed, replaced or exchanged with their neighbour.
    private static func steps(from: [UInt8], to: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...to.count)
        for (i, letter) in from.enumerated() {
            var row = [i + 1]
            for (j, wanted) in to.enumerated() {
                var best = min(last[j] + (letter == wanted ? 0 : 1), last[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, letter == to[j - 1], from[i - 1] == wanted { best = min(best, beforeLast[j - 1] + 1) }
                row.append(best)
            }
            (beforeLast, last) = (last, row)
        }
        return last[to.count]
    }
}
