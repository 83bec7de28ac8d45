import Crypto
import Foundation
import Tables

/// Hashes and encodings.
extension ScalarFunctions {
    private static func digest<H: HashFunction>(_ type: H.Type) -> ScalarKernel {
        .lenient { a, _ in .string(Hex.string(H.hash(data: Array(a[0].text.utf8)))) }
    }

    private static func base64Decode(_ text: String) -> [UInt8]? {
        Data(base64Encoded: text).map { Array($0) }
    }

    private static let unreserved = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~".utf8)

    /// What form encoding leaves as it is.
    private static let formUnreserved = Set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!*()".utf8)

    static func percentEncode(_ text: String, keeping: Set<UInt8>) -> String {
        var out = ""
        for b in text.utf8 {
            if keeping.contains(b) {
                out.append(Character(UnicodeScalar(b)))
            } else {
                out += "%" + Hex.string(UInt64(b), width: 2)
            }
        }
        return out
    }

    static func percentDecode(_ text: String) -> String {
        let u = Array(text.utf8)
        var out: [UInt8] = []
        var i = 0
        while i < u.count {
            if u[i] == 37, i + 2 < u.count,
                let n = UInt8(String(decoding: u[(i + 1)...(i + 2)], as: UTF8.self), radix: 16)
            {
                out.append(n)
                i += 3
            } else {
                out.append(u[i] == 43 ? 32 : u[i])
                i += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    static var encodings: [String: ScalarKernel] {
        let encode = ScalarKernel.lenient { a, _ in .string(Data(a[0].text.utf8).base64EncodedString()) }
        let decode = ScalarKernel.lenient { a, _ in
            guard let bytes = base64Decode(a[0].text), let text = String(validating: bytes, as: UTF8.self) else {
                return .string("")
            }
            return .string(text)
        }
        return [
            "hash_md5": digest(Insecure.MD5.self), "hash_sha1": digest(Insecure.SHA1.self),
            "hash_sha256": digest(SHA256.self),
            "hash": .lenient { a, _ in hashed(a) }, "hash_xxhash64": .lenient { a, _ in hashed(a) },
            "hash_many": .lenient { a, _ in .long(a.reduce(0) { combine($0, XXHash64.hash(of: $1)) }) },
            "hash_combine": .lenient { a, _ in .long(a.reduce(0) { combine($0, $1.longValue ?? 0) }) },
            "base64_encode_tostring": encode, "base64_encodestring": encode,
            "base64_decode_tostring": decode, "base64_decodestring": decode,
            "base64_decode_toarray": .lenient { a, _ in
                base64Decode(a[0].text).map { .array($0.map { .long(Int64($0)) }) } ?? .null
            },
            "base64_encode_fromarray": .lenient { a, _ in
                .string(
                    Data((a[0].arrayValue ?? []).compactMap { $0.longValue.map { UInt8(truncatingIfNeeded: $0) } })
                        .base64EncodedString())
            },
            "base64_encode_fromguid": .strict { a, _ in
                guard case .guid(let id) = a[0] else { return .string("") }
                return .string(Data(id.mixedEndianBytes).base64EncodedString())
            },
            "base64_decode_toguid": .strict { a, _ in
                base64Decode(a[0].text).flatMap { GUID(mixedEndianBytes: $0) }.map { .guid($0) } ?? .null
            },
            "gzip_compress_to_base64_string": compressed(.gzip), "zlib_compress_to_base64_string": compressed(.zlib),
            "gzip_decompress_from_base64_string": decompressed(.gzip),
            "zlib_decompress_from_base64_string": decompressed(.zlib),
            "punycode_from_string": .lenient { a, _ in .string(Punycode.encode(a[0].text) ?? "") },
            "punycode_to_string": .lenient { a, _ in .string(Punycode.decode(a[0].text) ?? "") },
            "punycode_domain_to_string": .lenient { a, _ in .string(Punycode.encodeDomain(a[0].text) ?? "") },
            "punycode_domain_from_string": .lenient { a, _ in .string(Punycode.decodeDomain(a[0].text) ?? "") },
            "url_encode": .lenient { a, _ in
                .string(percentEncode(a[0].text, keeping: formUnreserved).replacing("%20", with: "+"))
            },
            "url_encode_component": .lenient { a, _ in .string(percentEncode(a[0].text, keeping: unreserved)) },
            "url_decode": .lenient { a, _ in .string(percentDecode(a[0].text)) },
        ]
    }

    private static func compressed(_ format: Deflate.Format) -> ScalarKernel {
        .lenient { a, _ in
            var bytes = Deflate.compress(Array(a[0].text.utf8), format) ?? []
            // The service says in the second byte that it compressed fast (RFC 1950, section 2.2).
            if format == .zlib, bytes.count > 1 { bytes[1] = 0x01 }
            return .string(Data(bytes).base64EncodedString())
        }
    }

    private static func decompressed(_ format: Deflate.Format) -> ScalarKernel {
        .lenient { a, _ in
            let bytes = base64Decode(a[0].text).flatMap { Deflate.decompress($0, format, sizeMax: 64 << 20) }
            return .string(bytes.flatMap { String(validating: $0, as: UTF8.self) } ?? "")
        }
    }

    private static func hashed(_ a: [Value]) -> Value {
        let h = XXHash64.hash(of: a[0])
        if a.count > 1, let m = a[1].longValue, m > 0 { return .long(Int64(UInt64(bitPattern: h) % UInt64(m))) }
        return .long(h)
    }

    private static func combine(_ a: Int64, _ b: Int64) -> Int64 { a ^ (b &+ 0x9E37_79B9 &+ (a << 6) &+ (a >> 2)) }
}

/// The 64-bit xxHash of a value's bytes, which Kusto's `hash()` is made with.
enum XXHash64 {
    private static let p1: UInt64 = 11_400_714_785_074_694_791
    private static let p2: UInt64 = 14_029_467_366_897_019_727
    private static let p3: UInt64 = 1_609_587_929_392_839_161
    private static let p4: UInt64 = 9_650_029_242_287_828_579
    private static let p5: UInt64 = 2_870_177_450_012_600_261

    static func hash(of v: Value) -> Int64 {
        switch v {
        case .long(let n), .datetime(let n), .timespan(let n): return hash(littleEndian(UInt64(bitPattern: n)))
        case .real(let d): return hash(littleEndian(d.bitPattern))
        case .bool(let b): return hash([b ? 1 : 0])
        default: return hash(Array(v.text.utf8))
        }
    }

    private static func littleEndian(_ n: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: n >> (8 * $0)) }
    }

    private static func rotate(_ x: UInt64, _ n: UInt64) -> UInt64 { x << n | x >> (64 - n) }

    private static func round(_ acc: UInt64, _ lane: UInt64) -> UInt64 { rotate(acc &+ lane &* p2, 31) &* p1 }

    static func hash(_ bytes: [UInt8]) -> Int64 {
        var i = 0
        func read(_ n: Int) -> UInt64 { (0..<n).reduce(0) { $0 | UInt64(bytes[i + $1]) << (8 * UInt64($1)) } }
        var h: UInt64
        if bytes.count >= 32 {
            var lanes: [UInt64] = [p1 &+ p2, p2, 0, 0 &- p1]
            while i + 32 <= bytes.count {
                for k in 0..<4 {
                    lanes[k] = round(lanes[k], read(8))
                    i += 8
                }
            }
            h = rotate(lanes[0], 1) &+ rotate(lanes[1], 7) &+ rotate(lanes[2], 12) &+ rotate(lanes[3], 18)
            for lane in lanes { h = (h ^ round(0, lane)) &* p1 &+ p4 }
        } else {
            h = p5
        }
        h = h &+ UInt64(bytes.count)
        while i + 8 <= bytes.count {
            h = rotate(h ^ round(0, read(8)), 27) &* p1 &+ p4
            i += 8
        }
        if i + 4 <= bytes.count {
            h = rotate(h ^ read(4) &* p1, 23) &* p2 &+ p3
            i += 4
        }
        while i < bytes.count {
            h = rotate(h ^ UInt64(bytes[i]) &* p5, 11) &* p1
            i += 1
        }
        h = (h ^ h >> 33) &* p2
        h = (h ^ h >> 29) &* p3
        return Int64(bitPattern: h ^ h >> 32)
    }
}
