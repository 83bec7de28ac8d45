import Tables

/// What decoding a run's pages came upon, one line for each kind.
struct DecodeNotes {
    private(set) var unknown: Set<String> = []
    private var unreadable: [String: (count: Int, first: String)] = [:]
    private var page = 0

    mutating func add(_ page: RecordPage) {
        self.page += 1
        unknown.formUnion(page.unknownFields)
        for cell in page.unreadable {
            let first = "page \(self.page) row \(cell.firstRow): \"\(cell.example)\""
            unreadable[cell.column, default: (0, first)].count += cell.count
        }
    }

    /// - Parameter known: fields that were told before.
    func lines(source: String, known: Set<String>) -> [String] {
        var lines = unreadable.sorted { $0.key < $1.key }.map { column, found in
            "\(found.count) rows of \(source) had a \(column) that could not be read; kept in the column Unmapped, first at \(found.first)"
        }
        let new = unknown.subtracting(known)
        if !new.isEmpty {
            lines.append(
                "\(source) gives new fields, kept in the column Unmapped: \(new.sorted().prefix(8).joined(separator: ", "))"
            )
        }
        return lines
    }
}

/// What a run came upon besides rows.
struct RunNotices {
    /// Whether everything is as it was when it was read last.
    var isUnchanged = false
    var validators: FeedValidators?
    var notes: [String] = []
    /// Values that stand once for the whole answer, by column.
    private(set) var facts: [String: String] = [:]

    /// - Parameter announced: columns that hold one value in the whole answer.
    mutating func add(_ page: RecordPage, announced: [String]) throws {
        guard page.batch.count > 0 else { return }
        for name in announced {
            guard let value = try page.batch.column(named: name)?[0], !value.isNull, value != .string("") else {
                continue
            }
            facts[name] = value.text
        }
    }

    /// - Parameter known: what the values were in the last run.
    func lines(source: String, known: [String: String]) -> [String] {
        let changed = facts.keys.sorted().compactMap { name -> String? in
            guard let was = known[name], let now = facts[name], was != now else { return nil }
            return "\(name) is \(now), it was \(was)"
        }
        return notes + (changed.isEmpty ? [] : ["\(source): \(changed.joined(separator: "; "))"])
    }
}
