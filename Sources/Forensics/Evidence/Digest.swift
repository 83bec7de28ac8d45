import Crypto
import Tables

/// SHA-256 as evidence is named by it.
package enum Digest {
    package static func hex(_ bytes: [UInt8]) -> String {
        Hex.string(SHA256.hash(data: bytes))
    }

    package static func bytes(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }

    package static func hex(_ text: String) -> String { hex(Array(text.utf8)) }

    /// A document with the members of all objects in the order of their names: the same content, the same bytes.
    package static func canonical(_ json: JSON) -> JSON {
        switch json {
        case .array(let items): .array(items.map(canonical))
        case .object(let members):
            .object(
                JSON.Members(
                    zip(members.names, members.values).sorted {
                        Array($0.0.utf8).lexicographicallyPrecedes(Array($1.0.utf8))
                    }
                    .map { ($0.0, canonical($0.1)) }))
        default: json
        }
    }

    package static func hex(_ json: JSON) -> String { hex(canonical(json).bytes) }
}
