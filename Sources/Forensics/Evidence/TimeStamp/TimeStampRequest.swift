import SwiftASN1
import Tables

/// Asks an authority to say at what time it saw a digest (RFC 3161, section 2.4.1,
/// https://www.rfc-editor.org/rfc/rfc3161).
package struct TimeStampRequest: Sendable {
    /// A SHA-256.
    package let digest: [UInt8]
    /// Ties the answer to this request.
    package let nonce: Int64

    package init(digest: [UInt8], nonce: Int64 = Int64.random(in: 1 << 32..<Int64.max)) {
        precondition(digest.count == 32, "a SHA-256 has 32 bytes")
        self.digest = digest
        self.nonce = nonce
    }

    static let sha256: ASN1ObjectIdentifier = [2, 16, 840, 1, 101, 3, 4, 2, 1]

    /// The request in DER. The authority's certificate is asked for, so that the answer can be verified by itself.
    package func encoded() throws -> [UInt8] {
        var serializer = DER.Serializer()
        try serializer.appendConstructedNode(identifier: .sequence) { request in
            try request.serialize(Int64(1))
            try request.appendConstructedNode(identifier: .sequence) { imprint in
                try imprint.appendConstructedNode(identifier: .sequence) { algorithm in
                    try algorithm.serialize(Self.sha256)
                    try algorithm.serialize(ASN1Null())
                }
                try imprint.serialize(ASN1OctetString(contentBytes: digest[...]))
            }
            try request.serialize(nonce)
            try request.serialize(true)
        }
        return serializer.serializedBytes
    }
}
