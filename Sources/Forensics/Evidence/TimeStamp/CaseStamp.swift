import Foundation
import Tables

/// A time stamp of a case's ledger: everything that stands before it was there at that time.
package struct CaseStamp: Sendable {
    /// The digest of the ledger's last entry at that time.
    package let root: String
    package let stamp: TimeStamp

    /// - Throws: `TimeStamp.Fault`.
    init(_ body: JSON) throws(TimeStamp.Fault) {
        guard let root = body["root"]?.string, let text = body["response"]?.string,
            let bytes = Data(base64Encoded: text), let time = body["time"]?.string.flatMap({ DateTime.parse($0) })
        else { throw TimeStamp.Fault(text: "it is not written as a stamp") }
        self.root = root
        stamp = try TimeStamp(response: Array(bytes))
        guard Hex.string(stamp.digest) == root else { throw TimeStamp.Fault(text: "it is the stamp of something else") }
        guard stamp.time == time else { throw TimeStamp.Fault(text: "it says another time") }
    }
}

extension CaseFile {
    /// What an authority is asked for, to stamp the ledger as it is.
    package func stampRequest() -> TimeStampRequest { TimeStampRequest(digest: Self.bytes(root)) }

    /// Keeps a stamp of the ledger as it is.
    ///
    /// - Throws: `TimeStamp.Fault` for the stamp of something else.
    package mutating func add(stamp: TimeStamp, now: Int64, actor: String) throws(TimeStamp.Fault) {
        guard Hex.string(stamp.digest) == root else {
            throw TimeStamp.Fault(text: "it is not the stamp of this case's ledger")
        }
        let body: JSON = [
            "root": .string(root), "time": .string(DateTime.format(stamp.time)),
            "response": .string(Data(stamp.response).base64EncodedString()),
        ]
        add(.stamp, id: String(Digest.hex(body).prefix(16)), body: body, now: now, actor: actor, action: "stamp")
    }

    /// The stamps whose signatures fit, in order.
    package var stamps: [CaseStamp] {
        objects.filter { $0.kind == .stamp }.compactMap { try? CaseStamp($0.body) }
    }

    /// The bytes of a digest in base 16.
    private static func bytes(_ text: String) -> [UInt8] {
        let digits = Array(text.utf8)
        return stride(from: 0, to: digits.count, by: 2).map { i in
            guard let byte = UInt8(String(decoding: digits[i..<i + 2], as: UTF8.self), radix: 16) else {
                preconditionFailure("a digest is written in base 16")
            }
            return byte
        }
    }

    /// What is wrong with stamps: a signature that does not fit, or a head that this ledger never had before it.
    static func damage(inStampsOf objects: [CaseObject], name: String) -> [CaseDamage] {
        var heads: Set<String> = [Digest.hex(name)]
        var found: [CaseDamage] = []
        for object in objects {
            if object.kind == .ledger, let hash = object.body["hash"]?.string { heads.insert(hash) }
            guard object.kind == .stamp else { continue }
            let named = "stamp \(object.id)"
            do throws(TimeStamp.Fault) {
                let stamp = try CaseStamp(object.body)
                if !heads.contains(stamp.root) {
                    found.append(CaseDamage(object: named, what: "it is of a ledger that this case never had"))
                }
            } catch { found.append(CaseDamage(object: named, what: error.text)) }
        }
        return found
    }
}
