// Reads on the writer's connection: what the reader's page lacks at its place among the channel's publications. That is usually
// nothing, or what was committed since the reader looked.
//
// Runs on: the writer.

extension HistoryFile {
    /// The page as of now.
    func complete(_ page: StoredPage, of query: StoreQuery, now: Int64) throws(HistoryTrouble) -> StoredPage {
        if case .before = query.start { return page }
        let (current, base) = try newest(query.channel)
        guard current.epoch == page.position.epoch, base < page.first else {
            return try self.page(query, now: now)
        }
        if current == page.position { return page }
        let rest = try self.page(
            StoreQuery(
                channel: query.channel, limits: query.limits, start: .after(page.position.offset), count: query.count,
                bytes: query.bytes), now: now)
        guard rest.isWhole, rest.first <= page.position.offset + 1 else { return try self.page(query, now: now) }
        var whole = StoredPage(
            position: rest.position, first: max(rest.first, page.first),
            publications: page.publications + rest.publications,
            isWhole: page.isWhole)
        switch query.start {
        case .before: break
        case .after:
            // A page that was cut stays so: nothing may follow a gap.
            if !page.isWhole { whole.publications = page.publications } else { whole.cutEnd(query) }
        case .newest: whole.cutBeginning(query)
        }
        return whole
    }
}

extension StoredPage {
    private static func cost(_ publication: StoredPublication) -> Int {
        publication.note.count + publication.body.count
    }

    fileprivate mutating func cutEnd(_ query: StoreQuery) {
        var bytes = publications.reduce(0) { $0 + Self.cost($1) }
        while publications.count > 1, publications.count > query.count || bytes > query.bytes {
            bytes -= Self.cost(publications.removeLast())
            isWhole = false
        }
    }

    fileprivate mutating func cutBeginning(_ query: StoreQuery) {
        var (bytes, surplus) = (publications.reduce(0) { $0 + Self.cost($1) }, 0)
        while publications.count - surplus > 1, publications.count - surplus > query.count || bytes > query.bytes {
            bytes -= Self.cost(publications[surplus])
            surplus += 1
        }
        publications.removeFirst(surplus)
        if surplus > 0 { isWhole = false }
    }
}
