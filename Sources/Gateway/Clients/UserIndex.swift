// Members by user. Joining and leaving cost the same whatever the number, so that many connections of one user may
// leave at once.
//
// Runs on: the worker's thread. Allocates: when a user has more connections than ever before.

/// A member of an index of users.
protocol UserMember: AnyObject {
    /// Its place among those of its user; the index's own.
    var placeOfUser: Int { get set }
}

/// Members by the bytes of their user's name. Not by the string: two spellings that Unicode calls equivalent are two users.
struct UserIndex<Member: UserMember> {
    private var members: [[UInt8]: [Member]] = [:]

    /// Whether no user has a member.
    var isEmpty: Bool { members.isEmpty }

    /// The user's members, in no order that lasts.
    subscript(user: String) -> [Member] { members[Array(user.utf8)] ?? [] }

    mutating func insert(_ member: Member, of user: String) {
        let key = Array(user.utf8)
        member.placeOfUser = members[key]?.count ?? 0
        members[key, default: []].append(member)
    }

    /// Takes out a member of the user's; the last one moves to its place.
    mutating func remove(_ member: Member, of user: String) {
        let key = Array(user.utf8)
        let place = member.placeOfUser
        guard let count = members[key]?.count, place < count, members[key]?[place] === member else { return }
        if count == 1 {
            members[key] = nil
            return
        }
        guard let last = members[key]?.removeLast(), last !== member else { return }
        members[key]?[place] = last
        last.placeOfUser = place
    }
}
