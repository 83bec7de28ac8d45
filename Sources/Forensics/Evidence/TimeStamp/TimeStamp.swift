import Crypto
import Foundation
import SwiftASN1
import Tables
@_spi(FixedExpiryValidationTime) import X509

/// What an authority says: at what time it saw a digest, signed by it (RFC 3161, section 2.4.2; RFC 5652).
package struct TimeStamp: Sendable {
    /// What is wrong with an answer.
    package struct Fault: Error, Sendable, Equatable {
        package let text: String

        package init(text: String) { self.text = text }
    }

    /// The whole answer, as the authority gave it: what other programs verify too (`openssl ts -verify`).
    package let response: [UInt8]
    /// The SHA-256 that it saw.
    package let digest: [UInt8]
    /// Ticks.
    package let time: Int64
    package let nonce: [UInt8]?
    package let signer: Certificate
    /// Those that came with the answer.
    package let certificates: [Certificate]

    /// Reads an answer, and verifies that its signature is of the certificate in it, which is one for time-stamping.
    /// Whether the certificate's authority can be believed is another question (`isTrusted`).
    ///
    /// - Throws: `Fault`.
    package init(response: [UInt8]) throws(Fault) {
        do {
            let parsed = try Parsed(response)
            self.response = response
            (digest, time, nonce) = (parsed.digest, parsed.time, parsed.nonce)
            (signer, certificates) = (parsed.signer, parsed.certificates)
        } catch let fault as Fault { throw fault } catch { throw Fault(text: "it is no time stamp: \(error)") }
    }

    /// Whether it answers a request.
    package func answers(_ request: TimeStampRequest) -> Bool {
        guard let nonce, digest == request.digest else { return false }
        var serializer = DER.Serializer()
        guard (try? serializer.serialize(request.nonce)) != nil,
            let asked = try? DER.parse(serializer.serializedBytes), case .primitive(let bytes) = asked.content
        else { return false }
        return Array(bytes) == nonce
    }

    /// The authority's name, as its certificate has it.
    package var authority: String { "\(signer.subject)" }

    /// Whether a chain of certificates, valid at the time of the stamp, leads from the signer to one of the roots.
    ///
    /// - Parameter roots: PEM, one certificate or several.
    package func isTrusted(by roots: String) async throws -> Bool {
        let known = try PEMDocument.parseMultiple(pemString: roots).map { try Certificate(pemDocument: $0) }
        let seconds = Double(time - DateTime.unixEpoch) / Double(DateTime.ticksPerSecond)
        let moment = Date(timeIntervalSince1970: seconds)
        var verifier = Verifier(rootCertificates: CertificateStore(known)) {
            RFC5280Policy(fixedExpiryValidationTime: moment)
            TimeStampingPolicy()
        }
        let result = await verifier.validate(leaf: signer, intermediates: CertificateStore(certificates))
        if case .validCertificate = result { return true }
        return false
    }
}

/// Lets chains pass whose leaf is for time-stamping and nothing else, by an extension that is critical (RFC 3161,
/// section 2.3).
private struct TimeStampingPolicy: VerifierPolicy {
    let verifyingCriticalExtensions: [ASN1ObjectIdentifier] = [.X509ExtensionID.extendedKeyUsage]

    mutating func chainMeetsPolicyRequirements(chain: UnverifiedCertificateChain) -> PolicyEvaluationResult {
        TimeStamp.isForTimeStamping(chain.leaf)
            ? .meetsPolicy : .failsToMeetPolicy(reason: "the certificate is not for time-stamping")
    }
}

extension TimeStamp {
    /// For time-stamping, for nothing else, and critical. An extension that cannot be read says nothing of it.
    static func isForTimeStamping(_ certificate: Certificate) -> Bool {
        guard certificate.extensions[oid: .X509ExtensionID.extendedKeyUsage]?.critical == true,
            let usage = try? certificate.extensions.extendedKeyUsage
        else { return false }
        return usage.count == 1 && usage.contains(.timeStamping)
    }

    private static let signedData: ASN1ObjectIdentifier = [1, 2, 840, 113_549, 1, 7, 2]
    private static let stampInfo: ASN1ObjectIdentifier = [1, 2, 840, 113_549, 1, 9, 16, 1, 4]
    private static let contentType: ASN1ObjectIdentifier = [1, 2, 840, 113_549, 1, 9, 3]
    private static let messageDigest: ASN1ObjectIdentifier = [1, 2, 840, 113_549, 1, 9, 4]
    private static let signingCertificate: [ASN1ObjectIdentifier] = [
        [1, 2, 840, 113_549, 1, 9, 16, 2, 12], [1, 2, 840, 113_549, 1, 9, 16, 2, 47],
    ]

    /// The parts of an answer.
    private struct Parsed {
        var digest: [UInt8] = []
        var time: Int64 = 0
        var nonce: [UInt8]?
        let signer: Certificate
        let certificates: [Certificate]

        init(_ response: [UInt8]) throws {
            let parts = try TimeStamp.children(try DER.parse(response))
            let status = try TimeStamp.children(try TimeStamp.part(parts, 0))
            let code = try Int64(derEncoded: try TimeStamp.part(status, 0))
            // Granted, or granted with changes: others are refusals.
            guard code == 0 || code == 1 else { throw Fault(text: "the authority refused: status \(code)") }
            let content = try TimeStamp.children(try TimeStamp.part(parts, 1))
            guard try ASN1ObjectIdentifier(derEncoded: try TimeStamp.part(content, 0)) == TimeStamp.signedData else {
                throw Fault(text: "it holds no signed data")
            }
            let inner = try TimeStamp.children(try TimeStamp.part(content, 1))
            let signed = try TimeStamp.children(try TimeStamp.part(inner, 0))
            let encapsulated = try TimeStamp.children(try TimeStamp.part(signed, 2))
            guard try ASN1ObjectIdentifier(derEncoded: try TimeStamp.part(encapsulated, 0)) == TimeStamp.stampInfo
            else {
                throw Fault(text: "what is signed is no time stamp")
            }
            let wrapped = try TimeStamp.children(try TimeStamp.part(encapsulated, 1))
            let info = try ASN1OctetString(derEncoded: try TimeStamp.part(wrapped, 0)).bytes
            certificates = try signed.filter { $0.identifier == TimeStamp.tag(0) }.flatMap {
                try TimeStamp.children($0).filter { $0.identifier == .sequence }.map { try Certificate(derEncoded: $0) }
            }
            let signers = try TimeStamp.children(try TimeStamp.part(signed, signed.count - 1))
            guard signers.count == 1 else { throw Fault(text: "\(signers.count) have signed it") }
            signer = try TimeStamp.signer(try TimeStamp.children(signers[0]), of: Array(info), among: certificates)
            try read(info)
        }

        /// TSTInfo.
        private mutating func read(_ info: ArraySlice<UInt8>) throws {
            let parts = try TimeStamp.children(try DER.parse(info))
            let imprint = try TimeStamp.children(try TimeStamp.part(parts, 2))
            let algorithm = try TimeStamp.children(try TimeStamp.part(imprint, 0))
            guard try ASN1ObjectIdentifier(derEncoded: try TimeStamp.part(algorithm, 0)) == TimeStampRequest.sha256
            else {
                throw Fault(text: "it is of another kind of digest than SHA-256")
            }
            digest = Array(try ASN1OctetString(derEncoded: try TimeStamp.part(imprint, 1)).bytes)
            guard case .primitive(let text) = try TimeStamp.part(parts, 4).content,
                let moment = TimeStamp.time(String(decoding: text, as: UTF8.self))
            else { throw Fault(text: "it says no time") }
            time = moment
            for part in parts.dropFirst(5) where part.identifier == .integer {
                if case .primitive(let bytes) = part.content { nonce = Array(bytes) }
            }
        }
    }

    private static func children(_ node: ASN1Node) throws -> [ASN1Node] {
        guard case .constructed(let nodes) = node.content else { throw Fault(text: "it is no time stamp") }
        return Array(nodes)
    }

    private static func part(_ nodes: [ASN1Node], _ place: Int) throws -> ASN1Node {
        guard nodes.indices.contains(place) else { throw Fault(text: "a part of it is missing") }
        return nodes[place]
    }

    private static func tag(_ number: UInt) -> ASN1Identifier {
        ASN1Identifier(tagWithNumber: number, tagClass: .contextSpecific)
    }

    /// `20261127004630Z`, with or without a fraction.
    static func time(_ text: String) -> Int64? {
        guard let match = text.wholeMatch(of: /(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d{1,7})?Z/) else { return nil }
        let (_, y, m, d, h, min, s, fraction) = match.output
        return DateTime.parse("\(y)-\(m)-\(d)T\(h):\(min):\(s)\(fraction ?? "")Z")
    }

    /// The certificate by which something is signed, once the signature was found right.
    private static func signer(
        _ parts: [ASN1Node], of content: [UInt8], among certificates: [Certificate]
    ) throws -> Certificate {
        let identity = try part(parts, 1)
        guard let certificate = try certificates.first(where: { try $0.isNamed(by: identity) }) else {
            throw Fault(text: "the signer's certificate is not in it")
        }
        guard isForTimeStamping(certificate) else { throw Fault(text: "its certificate is not for time-stamping") }
        guard let attributes = parts.first(where: { $0.identifier == tag(0) }), parts.count >= 6 else {
            throw Fault(text: "it does not sign what must be signed")
        }
        let digestAlgorithm = try ASN1ObjectIdentifier(derEncoded: try part(try children(try part(parts, 2)), 0))
        let named = try values(of: attributes)
        guard let hash = Hash(digestAlgorithm) else { throw Fault(text: "its kind of digest is not known here") }
        guard let type = named[contentType], try ASN1ObjectIdentifier(derEncoded: type) == stampInfo,
            let digest = named[messageDigest],
            Array(try ASN1OctetString(derEncoded: digest).bytes) == hash.digest(content)
        else { throw Fault(text: "what is signed is not what it holds") }
        try bind(certificate, named)
        // The attributes are signed as the set that they are, not under the tag that they stand under.
        let signedBytes = [0x31] + attributes.encodedBytes.dropFirst()
        let algorithm = try ASN1ObjectIdentifier(derEncoded: try part(try children(try part(parts, 4)), 0))
        guard let method = hash.signature(algorithm) else {
            throw Fault(text: "its kind of signature is not known here")
        }
        let signature = Array(try ASN1OctetString(derEncoded: try part(parts, 5)).bytes)
        guard certificate.publicKey.isValidSignature(signature, for: signedBytes, signatureAlgorithm: method) else {
            throw Fault(text: "its signature does not fit")
        }
        return certificate
    }

    private static func values(of attributes: ASN1Node) throws -> [ASN1ObjectIdentifier: ASN1Node] {
        var named: [ASN1ObjectIdentifier: ASN1Node] = [:]
        for attribute in try children(attributes) {
            let parts = try children(attribute)
            named[try ASN1ObjectIdentifier(derEncoded: try part(parts, 0))] = try children(try part(parts, 1)).first
        }
        return named
    }

    /// The certificate is named among what is signed, so that no other with the same key stands for it (RFC 5816).
    private static func bind(_ certificate: Certificate, _ named: [ASN1ObjectIdentifier: ASN1Node]) throws {
        var serializer = DER.Serializer()
        try certificate.serialize(into: &serializer)
        let bytes = serializer.serializedBytes
        let known = [Array(Insecure.SHA1.hash(data: bytes))] + Hash.allCases.map { $0.digest(bytes) }
        for name in signingCertificate {
            guard let value = named[name] else { continue }
            let first = try children(try part(try children(try part(try children(value), 0)), 0))
            for part in first where part.identifier == .octetString {
                if known.contains(Array(try ASN1OctetString(derEncoded: part).bytes)) { return }
            }
        }
        throw Fault(text: "its certificate is not the one that the signature names")
    }

    /// Kinds of digests, and of signatures over them.
    private enum Hash: CaseIterable {
        case sha256, sha384, sha512

        init?(_ name: ASN1ObjectIdentifier) {
            switch name {
            case TimeStampRequest.sha256: self = .sha256
            case [2, 16, 840, 1, 101, 3, 4, 2, 2]: self = .sha384
            case [2, 16, 840, 1, 101, 3, 4, 2, 3]: self = .sha512
            default: return nil
            }
        }

        func digest(_ bytes: [UInt8]) -> [UInt8] {
            switch self {
            case .sha256: Array(SHA256.hash(data: bytes))
            case .sha384: Array(SHA384.hash(data: bytes))
            case .sha512: Array(SHA512.hash(data: bytes))
            }
        }

        private static let plainRSA: ASN1ObjectIdentifier = [1, 2, 840, 113_549, 1, 1, 1]

        /// The kind of a signature. Some name only the key's kind: then the digest is that of the attributes.
        func signature(_ name: ASN1ObjectIdentifier) -> Certificate.SignatureAlgorithm? {
            let (rsa, rsaName, ec, ecName):
                (
                    Certificate.SignatureAlgorithm, ASN1ObjectIdentifier, Certificate.SignatureAlgorithm,
                    ASN1ObjectIdentifier
                ) =
                    switch self {
                    case .sha256:
                        (
                            .sha256WithRSAEncryption, [1, 2, 840, 113_549, 1, 1, 11], .ecdsaWithSHA256,
                            [1, 2, 840, 10045, 4, 3, 2]
                        )
                    case .sha384:
                        (
                            .sha384WithRSAEncryption, [1, 2, 840, 113_549, 1, 1, 12], .ecdsaWithSHA384,
                            [1, 2, 840, 10045, 4, 3, 3]
                        )
                    case .sha512:
                        (
                            .sha512WithRSAEncryption, [1, 2, 840, 113_549, 1, 1, 13], .ecdsaWithSHA512,
                            [1, 2, 840, 10045, 4, 3, 4]
                        )
                    }
            if name == rsaName || name == Self.plainRSA { return rsa }
            return name == ecName ? ec : nil
        }
    }
}

extension Certificate {
    /// Whether a signer is named by issuer and number as this certificate's.
    fileprivate func isNamed(by identity: ASN1Node) throws -> Bool {
        guard identity.identifier == .sequence, case .constructed(let nodes) = identity.content else { return false }
        let parts = Array(nodes)
        guard parts.count == 2, case .primitive(let number) = parts[1].content else { return false }
        return try DistinguishedName(derEncoded: parts[0]) == issuer
            && Array(number.drop { $0 == 0 }) == Array(serialNumber.bytes.drop { $0 == 0 })
    }
}
