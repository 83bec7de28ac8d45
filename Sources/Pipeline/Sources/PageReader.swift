import Azure
import Content
import Tables

/// What every kind of paging needs: the source, what its last run left behind, and how an answer becomes rows.
struct PageReader: Sendable {
    let endpoint: SourceEndpoint
    /// Ticks.
    let now: Int64
    /// From when on the source is asked.
    let reach: Reach
    /// In how many parts the last run had to ask; nil when there was none, or the source is not divided.
    let parts: Int?
    /// What the server said of a public list when it was read last; nil to read it in any case.
    let validators: FeedValidators?
    /// Tries for a page whose text is cut or garbled.
    static let malformedAttempts = 3
    static let retryDelay = Duration.milliseconds(200)

    var definition: SourceDefinition { endpoint.definition }

    /// Calls, and reads the answer's records; a text that is cut is asked for again.
    ///
    /// - Parameter place: what is asked for, for a message.
    /// - Throws: `OperatorError`.
    func decoded(_ place: String, _ call: () async throws -> ServiceResponse) async throws -> (RecordPage, Int) {
        for attempt in 1... {
            let response: ServiceResponse
            do { response = try await call() } catch let error as ServiceError {
                throw OperatorError(error, title: "source \(endpoint.name) stopped on \(place)", safe: PageFetcher.safe)
            }
            do {
                let reader = RecordReader(
                    columns: definition.columns, unmapped: TableDefinition.unmapped.name,
                    isOneRecord: definition.isOneRecord)
                return (try reader.read(response.body, path: definition.records), response.body.count)
            } catch {
                let isCut = if case .malformed = error { true } else { false }
                if isCut, attempt < Self.malformedAttempts {
                    try await Task.sleep(for: Self.retryDelay * attempt)
                    continue
                }
                throw OperatorError(
                    "source \(endpoint.name) stopped on \(place)",
                    tried: "reading \(response.body.count) bytes, attempt \(attempt)", got: error.description,
                    means: isCut ? "the answer is not whole" : nil, safe: PageFetcher.safe,
                    next: isCut
                        ? "run the command again; if it stays so, look for a proxy that cuts answers"
                        : "check the source's query and path",
                    isPassing: isCut)
            }
        }
        throw CancellationError()
    }

    /// Parameters with the time filled in from which on the source is asked; those that need a time that there is none of
    /// are left out, and everything is read.
    func filled(_ parameters: [(String, String)]) -> [(String, String)] {
        parameters.compactMap { name, text in
            guard text.contains(SourceDefinition.sinceMark) else { return (name, text) }
            guard let from = reach.from, let rule = definition.since else { return nil }
            let time =
                switch rule.form {
                case .datetime: "\(DateTime.format(from).prefix(19))Z"
                case .milliseconds: String(DateTime.floorDivide(from - DateTime.unixEpoch, 10_000))
                }
            return (name, text.replacing(SourceDefinition.sinceMark, with: time))
        }
    }

    /// A run that goes on is at a place that this kind of paging does not know.
    func foreign(_ cursor: Cursor) -> OperatorError {
        OperatorError(
            "source \(endpoint.name) cannot go on where it stopped",
            got: "a place of another kind of paging, \(cursor)",
            means: "the source's file or the program was changed meanwhile", safe: PageFetcher.safe,
            next: "nothing: the source begins anew", isPassing: false)
    }
}
