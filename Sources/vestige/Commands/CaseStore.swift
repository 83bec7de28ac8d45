import Forensics
import Foundation
import KQLEngine
import Pipeline
import Tables
import Workspace

/// The cases beside the workspace of a command, with what goes wrong told to whoever typed it.
struct CaseStore {
    private let folder: CaseFolder

    init(_ session: SessionOptions) throws { self.init(workspace: try session.configuration().workspace) }

    init(workspace: String) { folder = CaseFolder(workspace: workspace) }

    /// The path of a case, whose name is a file's name and no more.
    func path(_ name: String) throws -> String { try told { try folder.path(name) } }

    static func bytes(_ path: String) throws -> [UInt8] {
        do throws(WorkspaceError) {
            if let bytes = try PrivateFile.contents(path) { return bytes }
        } catch { throw OperatorError(error, title: "the file \(path) cannot be read") }
        throw OperatorError("there is no file \(path)", next: "correct the name", isConfiguration: true)
    }

    /// - Returns: nil when there is no case of that name.
    func find(_ name: String) throws -> CaseFile? { try told { try folder.find(name) } }

    func read(_ name: String) throws -> CaseFile { try told { try folder.read(name) } }

    /// Changes a case. Commands that do so at the same time take turns, so that no entry of the ledger is lost.
    ///
    /// - Parameters:
    ///   - new: what the change begins with when there is no case of that name; nil where there must be one.
    func update(_ name: String, new: CaseFile? = nil, _ change: (inout CaseFile) throws -> Void) throws {
        try told { try folder.update(name, new: new, change) }
    }

    func judge(_ name: String, _ claim: String, _ status: Claim.Status, reason: String, author: String?) throws {
        do {
            try folder.judge(
                name, claim, status, reason: reason, now: SystemClock.now(), actor: author ?? NSUserName())
        } catch CaseFolderError.claim(let claim, let count) {
            throw OperatorError(
                "\(count) claims of \(name) begin with \(claim)", next: "see 'vestige case show \(name)'",
                isConfiguration: true)
        } catch let error as CaseFolderError { throw OperatorError(error) }
    }

    private func told<T>(_ body: () throws -> T) throws -> T {
        do { return try body() } catch let error as CaseFolderError { throw OperatorError(error) }
    }
}

extension OperatorError {
    /// What kept a case from being read or written.
    init(_ error: CaseFolderError) {
        switch error {
        case .name(let name):
            self.init(
                "a case cannot be called \"\(name)\"", next: "use letters, digits, '.', '_' and '-'",
                isConfiguration: true)
        case .missing(let name):
            self.init("there is no case \(name)", next: "vestige case open \(name)", isConfiguration: true)
        case .damaged(let name, let damage):
            self.init(
                "the case \(name) was changed by something else", got: damage.map(\.object).joined(separator: ", "),
                safe: "nothing was written", next: "vestige case verify \(name)")
        case .claim(let claim, let count):
            self.init(
                "\(count) claims begin with \(claim)", next: "see 'vestige case show'", isConfiguration: true)
        case .file(let name, let stored):
            self.init(stored, title: "the case \(name) was not read or written", safe: "the case is as it was")
        }
    }
}
