// The known name that was probably meant by one that is not known.

import CNearestName

/// Finds the nearest of several names, for "did you mean".
public enum NearestName {
    /// The name with the fewest edits, at most a third of the letters; nil when none is so close. A difference in case counts nothing.
    public static func of(_ name: String, among names: some Sequence<String>) -> String? {
        var search = nearest_name_search()
        nearest_name_begin(&search, name, name.utf8.count)
        var nearest: String?
        for known in names where nearest_name_offer(&search, known, known.utf8.count) { nearest = known }
        return nearest
    }
}
