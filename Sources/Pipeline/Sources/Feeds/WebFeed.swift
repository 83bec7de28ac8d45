import Azure
import Content
import Foundation
import Tables

/// A public list from its web address, or from files where there is no way to the internet.
package struct WebFeed: Sendable {
    private let client: ServiceClient
    /// An https address, a file, a folder, or a folder's files by a pattern.
    private let place: String
    /// Rows and bytes of many small files that make a page.
    private static let pageRows = 5_000
    private static let pageBytes = 16 << 20

    package init(client: ServiceClient, place: String) {
        self.client = client
        self.place = place
    }

    /// Whether there is a list for each month.
    var isMonthly: Bool { place.contains(Self.monthMark) }
    private static let monthMark = "{month}"

    /// Gives the list's pages to `take`; of several files, those that cannot be read are lost and the others are not.
    ///
    /// - Parameters:
    ///   - now: ticks; decides what `{month}` in the address stands for.
    ///   - validators: what the server said of the list when it was read last; nil to read it in any case.
    func pages(
        _ definition: SourceDefinition, _ name: String, now: Int64, validators: FeedValidators?,
        _ take: PageTaker
    ) async throws {
        let answer: Answer
        do {
            answer = try await fetch(
                name, place.replacing(Self.monthMark, with: Self.month(now, before: 0)), definition, validators)
        } catch let error as OperatorError where error.status == 404 && place.contains(Self.monthMark) {
            // Early in a month there is nothing of it.
            answer = try await fetch(
                name, place.replacing(Self.monthMark, with: Self.month(now, before: 1)), definition, validators)
        }
        guard case .files(let files, let isFolder, let new) = answer else { return try await take(.unchanged) }
        var reading = FeedReading(definition: definition, name: name, place: place, isFolder: isFolder)
        var waiting: [RecordPage] = []
        var size = (rows: 0, bytes: 0)
        func flush() async throws {
            guard !waiting.isEmpty else { return }
            let page = waiting.count == 1 ? waiting[0] : RecordPage.joined(waiting)
            let bytes = size.bytes
            (waiting, size) = ([], (0, 0))
            try await take(.page(page, bytes: bytes, next: .start))
        }
        for file in files {
            let read = try reading.pages(of: file)
            waiting += read.pages
            size.rows += read.pages.reduce(0) { $0 + $1.batch.count }
            size.bytes += read.bytes
            if size.rows >= Self.pageRows || size.bytes >= Self.pageBytes { try await flush() }
        }
        let lost = try reading.end()
        try await flush()
        for note in reading.notes { try await take(.note(note)) }
        if let lost { try await take(.lost(lost, next: nil)) } else if let new { try await take(.validators(new)) }
    }

    /// `2026-Nov`.
    static func month(_ now: Int64, before: Int) -> String {
        let parts = DateTime.parts(now)
        let month = parts.year * 12 + parts.month - 1 - before
        let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        return "\(month / 12)-\(names[month % 12])"
    }

    private enum Answer {
        case files([FeedFile], isFolder: Bool, FeedValidators?)
        /// The server says that the list is the one that was read last.
        case unchanged
    }

    private func fetch(
        _ name: String, _ place: String, _ definition: SourceDefinition, _ validators: FeedValidators?
    ) async throws -> Answer {
        guard place.hasPrefix("https://") || place.hasPrefix("http://") else {
            let (files, isFolder) = try FeedFile.list(place, definition, source: name)
            return .files(files, isFolder: isFolder, nil)
        }
        let known = validators?.place == place ? validators : nil
        let response: ServiceResponse
        do {
            response = try await client.document(at: place, headers: known?.headers ?? [])
        } catch let error as ServiceError {
            throw OperatorError(error, title: "source \(name) stopped", safe: PageFetcher.safe)
        }
        if response.status == 304, known != nil { return .unchanged }
        guard response.status == 200 else {
            var error = OperatorError(
                "source \(name) stopped", tried: "GET \(place)", got: "\(response.status)", safe: PageFetcher.safe,
                next: "check the address; without a way to the internet, set 'feeds' to a file, or to off")
            error.status = response.status
            throw error
        }
        return .files(
            [FeedFile(name: place, content: .bytes(response.body))], isFolder: false,
            FeedValidators(place: place, response.headers))
    }
}

/// What a server says of a list, so that it need not be sent again while it is the same (RFC 9110, section 13.1).
struct FeedValidators: Sendable, Equatable {
    let place: String
    let entityTag: String?
    let modified: String?

    /// Nil when the server says nothing of the kind.
    init?(place: String, _ headers: [String: String]) {
        self.init(place: place, entityTag: headers["etag"], modified: headers["last-modified"])
    }

    init?(place: String, entityTag: String?, modified: String?) {
        guard entityTag != nil || modified != nil else { return nil }
        (self.place, self.entityTag, self.modified) = (place, entityTag, modified)
    }

    var headers: [(String, String)] {
        if let entityTag { return [("If-None-Match", entityTag)] }
        return modified.map { [("If-Modified-Since", $0)] } ?? []
    }
}

extension RecordPage {
    /// Pages of the same columns as one.
    static func joined(_ pages: [RecordPage]) -> RecordPage {
        var unknown: [String] = []
        for page in pages { for name in page.unknownFields where !unknown.contains(name) { unknown.append(name) } }
        return RecordPage(
            batch: Batch.concatenate(pages.map(\.batch), schema: pages[0].batch.schema), nextLink: nil,
            unknownFields: unknown, unreadable: pages.flatMap(\.unreadable))
    }
}
