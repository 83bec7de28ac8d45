import CDeflate
import CZlib

/// The DEFLATE family of compressed formats, by the system's libraries.
package enum Deflate {
    package enum Format: Sendable {
        /// RFC 1952.
        case gzip
        /// RFC 1950.
        case zlib

        fileprivate var windowBits: Int32 { self == .gzip ? 15 + 16 : 15 }
    }

    /// `input` compressed, by libdeflate, which is twice as fast as zlib where the whole text is at hand; nil when it has no memory.
    ///
    /// - Parameter level: 1 for the fastest to 12 for the smallest.
    package static func compress(_ input: [UInt8], _ format: Format = .gzip, level: Int32 = 6) -> [UInt8]? {
        guard let compressor = libdeflate_alloc_compressor(level) else { return nil }
        defer { libdeflate_free_compressor(compressor) }
        let bound =
            switch format {
            case .gzip: libdeflate_gzip_compress_bound(compressor, input.count)
            case .zlib: libdeflate_zlib_compress_bound(compressor, input.count)
            }
        let out = [UInt8](unsafeUninitializedCapacity: bound) { output, count in
            input.withUnsafeBytes { input in
                count =
                    switch format {
                    case .gzip:
                        libdeflate_gzip_compress(compressor, input.baseAddress, input.count, output.baseAddress, bound)
                    case .zlib:
                        libdeflate_zlib_compress(compressor, input.baseAddress, input.count, output.baseAddress, bound)
                    }
            }
        }
        return out.isEmpty ? nil : out
    }

    /// What `input` was before it was compressed; nil when it is not of this format, is cut short, or has more than `sizeMax` bytes.
    package static func decompress(_ input: [UInt8], _ format: Format = .gzip, sizeMax: Int) -> [UInt8]? {
        var stream = z_stream()
        guard inflateInit2_(&stream, format.windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            return nil
        }
        defer { inflateEnd(&stream) }
        var out: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        var source = input
        let isWhole = source.withUnsafeMutableBufferPointer { input -> Bool in
            stream.next_in = input.baseAddress
            stream.avail_in = uInt(input.count)
            while true {
                let (status, made) = chunk.withUnsafeMutableBufferPointer { output -> (Int32, Int) in
                    stream.next_out = output.baseAddress
                    stream.avail_out = uInt(output.count)
                    let status = inflate(&stream, Z_NO_FLUSH)
                    return (status, output.count - Int(stream.avail_out))
                }
                out += chunk[..<made]
                if out.count > sizeMax { return false }
                if status == Z_STREAM_END { return true }
                if status != Z_OK || made == 0 && stream.avail_in == 0 { return false }
            }
        }
        return isWhole ? out : nil
    }
}
