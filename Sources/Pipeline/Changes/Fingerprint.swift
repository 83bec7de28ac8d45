import Crypto
import Foundation
import Tables
import Workspace

/// Replaces secrets that a source gives in the clear, such as passwords that a sensor read off the wire, before anything else
/// sees them: the same secret always gets the same fingerprint, and nobody can guess it back without the key.
///
/// The key is a file beside the workspace that only its owner can read, made when it is first needed. It never leaves this
/// machine; when it is lost, fingerprints from then on are others.
struct Fingerprint: Sendable {
    private let key: SymmetricKey
    /// Names of the members that hold secrets, in lower case.
    private let names: Set<String>
    private static let keyBytes = 32

    /// - Parameter workspace: the path of the workspace that the rows go to.
    init(of names: [String], workspace: String) throws(OperatorError) {
        self.names = Set(names.map { $0.lowercased() })
        let path = workspace + "-fingerprint"
        do throws(WorkspaceError) {
            if try PrivateFile.contents(path) == nil {
                // Another program may be first: its key is taken then.
                _ = try PrivateFile.create(path, SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) })
            }
            guard let stored = try PrivateFile.contents(path), stored.count == Self.keyBytes else {
                throw WorkspaceError(
                    "\(path) is not a key of \(Self.keyBytes) bytes",
                    next: "restore the file from a backup, or delete it; fingerprints will then be others than before")
            }
            key = SymmetricKey(data: stored)
        } catch {
            throw OperatorError(
                "secrets cannot be hidden", got: error.message, safe: PageFetcher.safe, next: error.next)
        }
    }

    /// The rows with every text in a member of these names replaced, at any depth, in whichever column.
    func hide(in batch: Batch) throws -> Batch {
        let columns = try batch.schema.columns.indices.map { i -> Column in
            let spec = batch.schema.columns[i]
            let column = try batch.column(i)
            let isNamed = names.contains(spec.name.lowercased())
            guard isNamed || spec.type == .dynamic else { return column }
            return Column(spec.type, values: (0..<batch.count).map { hide(column[$0], isNamed) })
        }
        return Batch(schema: batch.schema, columns: columns, count: batch.count)
    }

    private func hide(_ value: Value, _ isSecret: Bool) -> Value {
        switch value {
        case .bag(let bag):
            return .bag(
                Bag(zip(bag.keys, bag.values).map { ($0, hide($1, isSecret || names.contains($0.lowercased()))) }))
        case .array(let items): return .array(items.map { hide($0, isSecret) })
        case .null: return .null
        default:
            guard isSecret else { return value }
            let text = value.text
            // An empty password is a finding in itself, and nothing to guess.
            return text.isEmpty ? .string("") : .string(of(text))
        }
    }

    /// The first 128 bits of the text's HMAC-SHA-256, in hexadecimal.
    private func of(_ text: String) -> String {
        "hmac:" + Hex.string(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: key).prefix(16))
    }
}
