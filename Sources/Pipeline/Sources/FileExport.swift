import Azure
import Content
import Foundation
import Tables

/// Fetches an export as files: lists them, downloads each, unpacks and decodes it piece by piece.
///
/// Files of one snapshot belong together. A file that cannot be read is told of, and then no row counts as gone.
struct FileExport: Sendable {
    let endpoint: SourceEndpoint
    let client: DefenderClient
    let downloader: ExportDownloader
    /// Lists asked for when addresses end before their files were read.
    private static let listingsMax = 4
    /// Bytes of text that are decoded at once.
    private static let pieceBytes = 4 << 20

    /// - Parameter cursor: the snapshot, and the names of the files that were read already.
    func pages(_ path: String, from cursor: Value, _ take: (FetchedPage) async throws -> Void) async throws {
        let listing = "\(path)?sasValidHours=1"
        var read = Set((cursor.bagValue?["files"]?.arrayValue ?? []).map(\.text))
        var snapshot = cursor.bagValue?["snapshot"]?.stringValue
        var losses = Losses()
        // Not in the cursor: a run that goes on tries them again.
        var passedOver: Set<String> = []
        func place() -> Value {
            .bag(Bag([("snapshot", .string(snapshot ?? "")), ("files", .array(read.sorted().map { .string($0) }))]))
        }
        for _ in 0..<Self.listingsMax {
            let answer = try await list(listing)
            if let snapshot, snapshot != answer.generated {
                throw OperatorError(
                    "source \(endpoint.name) stopped between files",
                    got: "the service made a new snapshot, of \(answer.generated)",
                    means: "files of two snapshots do not belong together", safe: PageFetcher.safe,
                    next: "run the command again", isPassing: false)
            }
            snapshot = answer.generated
            var isExpired = false
            for file in answer.files {
                // The same file has another signature in another list.
                let name = String(file.text.prefix { $0 != "?" })
                if read.contains(name) || passedOver.contains(name) { continue }
                do {
                    switch try await fetch(file) {
                    case .expired: isExpired = true
                    case .bytes(let bytes):
                        let before = place()
                        read.insert(name)
                        try await decode(bytes, name, before: before, after: place(), take)
                        try await losses.tell(take)
                    }
                } catch let error as OperatorError where losses.bears(error, next: .null) {
                    read.remove(name)
                    passedOver.insert(name)
                }
                if isExpired { break }
            }
            if !isExpired { return try await losses.end(take) }
        }
        throw OperatorError(
            "source \(endpoint.name) stopped between files",
            got: "the addresses of the files ended again and again before all were read",
            safe: PageFetcher.safe, next: "look for what slows the downloads, then run the command again",
            isPassing: true)
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
        guard let bag = (try? JSONReader.parse(response.body))?.bagValue, let files = bag["exportFiles"]?.arrayValue
        else {
            throw OperatorError(
                "source \(endpoint.name) stopped while asking for its files", got: "an answer without exportFiles",
                safe: PageFetcher.safe,
                next: "run the command again", isPassing: true)
        }
        return ExportListing(files: files.map { Secret($0.text) }, generated: bag["generatedTime"]?.text ?? "")
    }

    private func decode(
        _ packed: [UInt8], _ name: String, before: Value, after: Value, _ take: (FetchedPage) async throws -> Void
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
