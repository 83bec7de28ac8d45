import Foundation
import Tables
import Workspace

/// What kept a case from being read or written.
package enum CaseFolderError: Error, Sendable {
    /// No name of a case.
    case name(String)
    case missing(String)
    /// Something else changed the file.
    case damaged(String, [CaseDamage])
    /// So many claims begin with a text.
    case claim(String, count: Int)
    case file(String, WorkspaceError)
}

/// The cases beside a workspace: one file each.
package struct CaseFolder: Sendable {
    private let folder: String

    /// - Parameter workspace: the workspace's path.
    package init(workspace: String) { folder = workspace + ".cases" }

    private static let suffix = ".case"

    /// Whether a text is a case's name: a file's name and no more.
    package static func isName(_ text: String) -> Bool {
        text.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]{0,99}/) != nil
    }

    /// The path of a case.
    package func path(_ name: String) throws(CaseFolderError) -> String {
        guard Self.isName(name) else { throw .name(name) }
        return "\(folder)/\(name)\(Self.suffix)"
    }

    /// The cases that are there, by name; none while no case was opened.
    ///
    /// - Throws: the system's error when there is a folder that cannot be read.
    package func names() throws -> [String] {
        guard FileManager.default.fileExists(atPath: folder) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(Self.suffix) }.map {
            String($0.dropLast(Self.suffix.count))
        }
        .filter(Self.isName).sorted()
    }

    /// - Returns: nil when there is no case of that name.
    package func find(_ name: String) throws(CaseFolderError) -> CaseFile? {
        let path = try path(name)
        let bytes: [UInt8]?
        do throws(WorkspaceError) { bytes = try PrivateFile.contents(path) } catch { throw .file(name, error) }
        guard let bytes else { return nil }
        let (file, damage) = CaseVerifier.read(bytes)
        guard damage.isEmpty, let file else { throw .damaged(name, damage) }
        return file
    }

    package func read(_ name: String) throws(CaseFolderError) -> CaseFile {
        guard let file = try find(name) else { throw .missing(name) }
        return file
    }

    /// Changes a case. Whoever does so at the same time takes turns, so that no entry of the ledger is lost.
    ///
    /// - Parameters:
    ///   - new: what the change begins with when there is no case of that name; nil where there must be one.
    /// - Throws: `CaseFolderError`, and what `change` throws.
    package func update(_ name: String, new: CaseFile? = nil, _ change: (inout CaseFile) throws -> Void) throws {
        let path = try path(name)
        do {
            if new != nil { try PrivateFile.makeFolder(folder) } else { _ = try read(name) }
            try PrivateFile.exclusively(for: path) {
                var file = if let new { try find(name) ?? new } else { try read(name) }
                try change(&file)
                try PrivateFile.replace(path, file.encoded())
            }
        } catch let error as WorkspaceError { throw CaseFolderError.file(name, error) }
    }

    /// Writes a person's word on the one claim whose id begins with a text.
    package func judge(
        _ name: String, _ claim: String, _ status: Claim.Status, reason: String, now: Int64, actor: String
    ) throws {
        try update(name) { file in
            let matching = file.claims.filter { $0.id.hasPrefix(claim) }
            guard matching.count == 1, let found = matching.first else {
                throw CaseFolderError.claim(claim, count: matching.count)
            }
            guard file.judge(found.id, status, reason: reason, now: now, actor: actor) else {
                preconditionFailure("the claim was found in this case")
            }
        }
    }
}
