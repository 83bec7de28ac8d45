import Azure
import Content
import Tables

/// A query in parts by a hash of a column, as many as the answers' limits ask for.
///
/// An answer of advanced hunting has at most 100,000 rows and 50 MB, takes at most three minutes, and has no pages. What is
/// more is refused, or, as some report, cut without a word
/// (https://learn.microsoft.com/graph/api/security-security-runhuntingquery): then the query is asked in twice as many parts,
/// and the next run begins with those. Rows that were read before count once.
struct DivisionPaging: Paging {
    static let kind = PagingKind.division
    let reader: PageReader
    let client: DefenderClient
    let request: HuntingRequest
    let division: HuntingRequest.Division

    /// Bytes of an answer at most (https://learn.microsoft.com/graph/api/security-security-runhuntingquery).
    private static let bytesMax = 50_000_000
    /// Seconds that a query may take.
    private static let secondsMax = 180.0
    /// Fewer parts are asked for again when each one took less than one in so many of what it may.
    private static let room = 4

    private enum Answer {
        case page(RecordPage, bytes: Int)
        /// More than an answer holds, or perhaps more.
        case tooLarge(OperatorError, cut: (RecordPage, bytes: Int)?)
    }

    /// The largest of the answers.
    private struct Load {
        var rows = 0
        var bytes = 0
        var seconds = 0.0

        func fits(_ rowsMax: Int) -> Bool {
            rows * room < rowsMax && bytes * room < bytesMax && seconds * Double(room) < secondsMax
        }
    }

    func pages(from cursor: Cursor, _ take: PageTaker) async throws {
        let known = max(division.start, reader.parts ?? division.start)
        var (parts, next) = (known, 0)
        switch cursor {
        case .start: break
        case .division(let count, let place): (parts, next) = (count, place)
        default: throw reader.foreign(cursor)
        }
        var losses = Losses()
        var load = Load()
        while next < parts {
            let after = Cursor.division(parts: parts, next: next + 1)
            do {
                let began = ContinuousClock.now
                let answer = try await ask(next, of: parts)
                load.seconds = max(load.seconds, (ContinuousClock.now - began).seconds)
                switch answer {
                case .page(let page, let bytes):
                    load.rows = max(load.rows, page.batch.count)
                    load.bytes = max(load.bytes, bytes)
                    try await losses.tell(take)
                    try await take(.page(page, bytes: bytes, next: after))
                case .tooLarge(let error, let cut):
                    if parts * 2 <= division.most {
                        (parts, next, losses, load) = (parts * 2, 0, Losses(), Load())
                        try await take(.division(parts: parts, note: note(parts, error)))
                        continue
                    }
                    // What came is kept; that something is missing keeps rows from counting as gone.
                    if let (page, bytes) = cut { try await take(.page(page, bytes: bytes, next: after)) }
                    try await take(.lost(error, next: after))
                }
            } catch let error as OperatorError where parts > 1 && losses.bears(error, next: after) {}
            next += 1
        }
        try await losses.end(take)
        // Only a run that saw every part knows that fewer would do.
        let mayShrink = cursor == .start && parts == known && parts > division.start && load.fits(request.rowsMax)
        try await take(.division(parts: mayShrink ? max(division.start, parts / 2) : parts, note: nil))
    }

    private func note(_ parts: Int, _ error: OperatorError) -> String {
        """
        \(reader.endpoint.name) is asked in \(parts) parts from now on, since \(parts / 2) are more than an answer holds \
        (\(error.got ?? error.title))
        """
    }

    private func ask(_ part: Int, of parts: Int) async throws -> Answer {
        let place = parts == 1 ? "the answer" : "part \(part + 1) of \(parts)"
        do {
            let (page, bytes) = try await reader.decoded(place) {
                try await client.hunt(query(part, of: parts), permissions: reader.definition.permissions)
            }
            guard page.batch.count >= request.rowsMax else { return .page(page, bytes: bytes) }
            let error = OperatorError(
                "source \(reader.endpoint.name) may not have read all of \(place)",
                got: "exactly \(page.batch.count) rows, which is what an answer holds at most",
                means: "a full answer does not say whether something is missing",
                safe: "what came is stored, and nothing counts as gone",
                next: "give the source a column that divides it better: 'divideBy' in its file", isPassing: true)
            return .tooLarge(error, cut: (page, bytes))
        } catch let error as OperatorError where error.isTooLarge {
            var error = error
            if parts * 2 > division.most {
                error.next = "give the source a column that divides it better: 'divideBy' in its file"
                error.isPassing = true
            }
            return .tooLarge(error, cut: nil)
        }
    }

    /// The query for one part: where its text says so, or at its end.
    private func query(_ part: Int, of parts: Int) -> String {
        let text = request.query
        if text.contains("{partition}") {
            return text.replacing("{partitions}", with: String(parts)).replacing("{partition}", with: String(part))
        }
        guard parts > 1, let name = division.column else { return text }
        let isText = reader.definition.columns.first { $0.name == name }?.type == .string
        return text.trimmed + "\n| where hash(\(isText ? name : "tostring(\(name))"), \(parts)) == \(part)"
    }
}
