import Content
import Forensics
import KQLEngine
import Synchronization
import Workbooks

/// Investigations of the workspace as it is, each computed once for a version of it, whoever asks and how many do.
final class InvestigationShelf: Sendable {
    /// What is asked, of which rows.
    private struct Key: Hashable {
        let question: InvestigationQuestion
        let version: DataVersion
    }

    /// An investigation that was asked for.
    struct Kept: Sendable {
        let question: InvestigationQuestion
        let work: Task<CaseFile, any Error>
        /// What came out; nil while it is computed, or when it failed.
        var file: CaseFile?
    }

    private let kept = Mutex<[(key: Key, kept: Kept)]>([])
    private static let keptMax = 16

    /// The answer to a question, as a case that nobody keeps.
    ///
    /// - Parameters:
    ///   - version: what the rows are; nil when that cannot be told, and nothing is kept.
    ///   - compute: asked once while a version lasts.
    func answer(
        _ question: InvestigationQuestion, version: DataVersion?,
        _ compute: @escaping @Sendable () async throws -> CaseFile
    ) async throws -> CaseFile {
        guard let version else { return try await compute() }
        let key = Key(question: question, version: version)
        let work = kept.withLock { kept in
            if let known = kept.first(where: { $0.key == key }) { return known.kept.work }
            // Whoever asked first may go away: the others still want the answer.
            let work = Task { try await compute() }
            kept.removeAll { $0.key.version != version }
            kept.append((key, Kept(question: question, work: work)))
            if kept.count > Self.keptMax { kept.removeFirst() }
            return work
        }
        do {
            let file = try await work.value
            kept.withLock { kept in
                if let i = kept.firstIndex(where: { $0.key == key }) { kept[i].kept.file = file }
            }
            return file
        } catch {
            // A failure is not kept: the next one asks anew.
            kept.withLock { kept in kept.removeAll { $0.key == key } }
            throw error
        }
    }

    /// What was asked of the rows as they are, the last first.
    func runs(of version: DataVersion?) -> [Kept] {
        kept.withLock { kept in kept.filter { $0.key.version == version }.map(\.kept).reversed() }
    }
}
