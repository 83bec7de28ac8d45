import CZlib

/// Unpacks gzip or zlib bytes piece by piece, so that a large file never stands unpacked in memory as a whole.
package struct Inflater: ~Copyable {
    private let input: [UInt8]
    private let stream: UnsafeMutablePointer<z_stream>
    private var offset = 0
    private var isAtEnd = false
    /// Members that were read to their end.
    private(set) var members = 0
    /// Bytes behind the last member that belong to none, apart from NULs that only fill up a block.
    private(set) var trailing = 0

    /// Why the bytes cannot be unpacked.
    package struct Problem: Error, Sendable {
        package let message: String
    }

    package init(_ input: [UInt8]) {
        self.input = input
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 32: either format, told from its header.
        _ = inflateInit2_(stream, 15 + 32, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// The next bytes, at most `max` of them; nil at the end.
    package mutating func next(_ max: Int) throws(Problem) -> [UInt8]? {
        if isAtEnd { return nil }
        var status = Z_OK
        var failed = false
        let (input, stream, start) = (input, stream, offset)
        var consumed = 0
        let out = [UInt8](unsafeUninitializedCapacity: max) { output, count in
            input.withUnsafeBufferPointer { bytes in
                guard let base = bytes.baseAddress else { return }
                let available = min(bytes.count - start, Int(UInt32.max))
                stream.pointee.next_in = UnsafeMutablePointer(mutating: base + start)
                stream.pointee.avail_in = uInt(available)
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = uInt(max)
                status = inflate(stream, Z_NO_FLUSH)
                consumed = available - Int(stream.pointee.avail_in)
                count = max - Int(stream.pointee.avail_out)
                failed = status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR
            }
        }
        offset += consumed
        if failed { throw Problem(message: "damaged at byte \(offset)") }
        if status == Z_STREAM_END {
            members += 1
            // Several members may stand one after the other (RFC 1952, section 2.2); what begins otherwise is none.
            let rest = input[offset...]
            if rest.starts(with: [0x1F, 0x8B]) {
                inflateReset(stream)
            } else {
                isAtEnd = true
                trailing = rest.contains { $0 != 0 } ? rest.count : 0
            }
        } else if out.isEmpty {
            throw Problem(message: "it ends in the middle, after \(input.count) bytes")
        }
        return out
    }
}
