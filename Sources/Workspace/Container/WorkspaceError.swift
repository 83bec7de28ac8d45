import GRDB

/// What went wrong with the workspace file, and what to do.
package struct WorkspaceError: Error, Sendable {
    package let message: String
    package let next: String

    package init(_ message: String, next: String) {
        self.message = message
        self.next = next
    }

    /// What the program was doing with the file.
    enum Access { case reading, writing }

    /// Turns an error of the storage library into one for an operator.
    static func wrap(_ error: any Error, path: String, _ access: Access = .writing) -> WorkspaceError {
        if let known = error as? WorkspaceError { return known }
        if let corrupt = error as? CorruptSegment { return damaged(path, corrupt.reason) }
        if let damage = error as? DamagedRow { return damaged(path, damage.description) }
        guard let db = error as? DatabaseError else {
            return WorkspaceError(
                "the workspace \(path) could not be used: \(error)", next: "check the path and its permissions")
        }
        switch db.resultCode {
        case .SQLITE_FULL, .SQLITE_IOERR:
            guard access == .writing else {
                return WorkspaceError(
                    "\(path) could not be read: the disk is failing",
                    next: "check the disk, or restore the file from a backup")
            }
            return WorkspaceError(
                "the disk is full or failing: \(path) could not be written (nothing that was stored is lost)",
                next: "free space on that disk, then run the command again")
        case .SQLITE_NOTADB:
            return WorkspaceError(
                "\(path) is not a workspace: it is no SQLite file, or its first page is damaged; nothing was changed",
                next: "name another file with --workspace, or restore it from a backup")
        case .SQLITE_CORRUPT: return damaged(path, db.message ?? "the file's structure is broken")
        case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM:
            return WorkspaceError(
                "the workspace \(path) cannot be opened for \(access == .writing ? "writing" : "reading")",
                next: "check that the folder exists and that you may \(access == .writing ? "write" : "read") there")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return WorkspaceError(
                access == .writing
                    ? "another program is writing to \(path)" : "another program keeps \(path) to itself",
                next: "wait for it to end, or stop it, then run the command again")
        default:
            return WorkspaceError(
                "the workspace \(path) could not be used: \(db.message ?? "SQLite error \(db.resultCode.rawValue)")",
                next: "check the disk and the file's permissions")
        }
    }

    static func damaged(_ path: String, _ reason: String) -> WorkspaceError {
        WorkspaceError(
            "the workspace \(path) is damaged: \(reason)",
            next:
                "see how far it goes with: vestige workspace verify --workspace \(path); then restore it from a backup")
    }
}

/// A stored cell that is not what its column holds.
struct DamagedRow: Error, CustomStringConvertible {
    let column: String
    let found: String

    var description: String { "the column \(column) of a stored row holds \(found)" }
}

extension Row {
    /// A cell of a stored row. A file may be damaged, so a cell of another type is an error and not the program's end.
    func stored<T: DatabaseValueConvertible>(_ column: String) throws(DamagedRow) -> T {
        guard let cell: DatabaseValue = self[column] else { throw DamagedRow(column: column, found: "nothing") }
        guard let value = T.fromDatabaseValue(cell) else { throw DamagedRow(column: column, found: "\(cell)") }
        return value
    }

    /// A cell that may be null.
    func storedIfAny<T: DatabaseValueConvertible>(_ column: String) throws(DamagedRow) -> T? {
        guard let cell: DatabaseValue = self[column], !cell.isNull else { return nil }
        guard let value = T.fromDatabaseValue(cell) else { throw DamagedRow(column: column, found: "\(cell)") }
        return value
    }
}
