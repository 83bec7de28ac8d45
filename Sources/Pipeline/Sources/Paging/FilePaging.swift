import Azure
import Content
import Foundation
import Tables

/// Fetches an export as files: lists them, downloads each, unpacks and decodes it piece by piece.
///
/// Files of one snapshot belong together. A file that cannot be read is reported, and then no row counts as gone; so is
/// one
/// that stays empty, which is either a copy that the storage never finished or a part without rows.
struct FilePaging: Paging {
    static let kind = PagingKind.file
    let reader: PageReader
    let client: DefenderClient
    let downloader: ExportDownloader
    /// The call that lists the files.
    let path: String

    /// Lists asked for when addresses end before their files were read.
    private static let listingsMax = 4
    /// How often empty files are looked at again, all of them together.
    private static let pendingRounds = 5
    /// Bytes of text that are decoded at once.
    private static let pieceBytes = 4 << 20

    private var endpoint: SourceEndpoint { reader.endpoint }

    /// What was read of a snapshot.
    private struct Progress {
        var snapshot: String?
        var read: Set<String> = []
        /// Not in the cursor: a run that goes on tries them again.
        var passedOver: Set<String> = []
        var empty: Set<String> = []
        var losses = Losses()

        var cursor: Cursor { snapshot.map { .files(snapshot: $0, read: read.sorted()) } ?? .start }
        func isOpen(_ name: String) -> Bool { !read.contains(name) && !passedOver.contains(name) }
    }

    func pages(from cursor: Cursor, _ take: PageTaker) async throws {
        var progress = Progress()
        switch cursor {
        case .start: break
        case .files(let snapshot, let read): (progress.snapshot, progress.read) = (snapshot, Set(read))
        default: throw reader.foreign(cursor)
        }
        var round = 0
        var listings = 0
        while listings < Self.listingsMax {
            let answer = try await list("\(path)?sasValidHours=1")
            if let snapshot = progress.snapshot, snapshot != answer.generated {
                throw OperatorError(
                    "source \(endpoint.name) stopped between files",
                    got: "the service made a new snapshot, of \(answer.generated)",
                    means: "files of two snapshots do not belong together", safe: PageFetcher.safe,
                    next: "run the command again", isPassing: false)
            }
            progress.snapshot = answer.generated
            progress.empty = []
            let isExpired = try await readFiles(answer.files, &progress, take)
            if isExpired {
                listings += 1
                continue
            }
            if progress.empty.isEmpty || round == Self.pendingRounds {
                for name in progress.empty.sorted() { try await take(.skipped(note: note(name))) }
                return try await progress.losses.end(take)
            }
            round += 1
            try await downloader.waitForCopies(round: round)
        }
        throw OperatorError(
            "source \(endpoint.name) stopped between files",
            got: "the addresses of the files ended again and again before all were read",
            safe: PageFetcher.safe, next: "look for what slows the downloads, then run the command again",
            isPassing: true)
    }

    /// Reads the files that were not read yet.
    ///
    /// - Returns: whether the addresses ended before all were read.
    private func readFiles(_ files: [Secret], _ progress: inout Progress, _ take: PageTaker) async throws -> Bool {
        for file in files {
            // The same file has another signature in another list.
            let name = String(file.text.prefix { $0 != "?" })
            guard progress.isOpen(name) else { continue }
            do {
                switch try await fetch(file) {
                case .expired: return true
                case .empty: progress.empty.insert(name)
                case .bytes(let bytes):
                    let before = progress.cursor
                    progress.read.insert(name)
                    try await decode(bytes, name, before: before, after: progress.cursor, take)
                    try await progress.losses.tell(take)
                }
            } catch let error as OperatorError where progress.losses.bears(error, next: nil) {
                progress.read.remove(name)
                progress.passedOver.insert(name)
            }
        }
        return false
    }

    private func note(_ name: String) -> String {
        """
        \(endpoint.name): the part \(name.split(separator: "/").last ?? "") of the export stays empty; it is left out, and \
        nothing counts as gone in this run
        """
    }

    private func fetch(_ file: Secret) async throws -> ExportDownloader.Outcome {
        do { return try await downloader.download(file) } catch let error as ServiceError {
            throw OperatorError(error, title: "source \(endpoint.name) stopped between files", safe: PageFetcher.safe)
        }
    }

    private func list(_ path: String) async throws -> ExportListing {
        let response: ServiceResponse
        do { response = try await client.page(path, permissions: endpoint.definition.permissions) } catch let error
            as ServiceError
        {
            throw OperatorError(
                error, title: "source \(endpoint.name) stopped while asking for its files", safe: PageFetcher.safe)
        }
        guard let answer = try? JSON(parsing: response.body), let files = answer["exportFiles"]?.array,
            let generated = answer["generatedTime"]?.string
        else {
            throw OperatorError(
                "source \(endpoint.name) stopped while asking for its files",
                got: "an answer without exportFiles and generatedTime", safe: PageFetcher.safe,
                next: "run the command again", isPassing: true)
        }
        return ExportListing(files: files.compactMap(\.string).map { Secret(unlisted: $0) }, generated: generated)
    }

    private func decode(
        _ packed: [UInt8], _ name: String, before: Cursor, after: Cursor, _ take: PageTaker
    ) async throws {
        var inflater = Inflater(packed)
        var rest: [UInt8] = []
        func page(_ bytes: ArraySlice<UInt8>) throws -> RecordPage {
            let reader = RecordReader(columns: endpoint.definition.columns, unmapped: TableDefinition.unmapped.name)
            let result = bytes.withUnsafeBufferPointer { buffer -> Result<RecordPage, RecordError> in
                do throws(RecordError) { return .success(try reader.read(sequence: buffer)) } catch {
                    return .failure(error)
                }
            }
            switch result {
            case .success(let page): return page
            case .failure(let error): throw problem(error.description, name)
            }
        }
        while true {
            let piece: [UInt8]?
            do throws(Inflater.Problem) { piece = try inflater.next(Self.pieceBytes) } catch {
                throw problem(error.message, name)
            }
            guard let piece else { break }
            rest += piece
            // Only whole lines are decoded; what is begun waits for its end.
            guard let end = rest.lastIndex(of: 10) else { continue }
            // What is read twice, since the run stopped within this file, counts once.
            try await take(.page(try page(rest[...end]), bytes: 0, next: before))
            rest.removeSubrange(...end)
        }
        try await take(.page(try page(rest[...]), bytes: packed.count, next: after))
    }

    private func problem(_ got: String, _ name: String) -> OperatorError {
        OperatorError(
            "source \(endpoint.name) stopped between files", tried: "reading \(name)", got: got,
            means: "the file is not whole", safe: PageFetcher.safe,
            next: "run the command again", isPassing: true)
    }
}
