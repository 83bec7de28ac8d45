import CDeflate
import CZlib

/// The DEFLATE family of compressed formats, by the system's libraries.
package enum Deflate {
    package enum Format: Sendable {
        /// RFC 1952.
        case gzip
        /// RFC 1950.
        case zlib
        /// RFC 1951, without a header, as it stands in a ZIP archive.
        case raw

        fileprivate var windowBits: Int32 {
            switch self {
            case .gzip: 15 + 16
            case .zlib: 15
            case .raw: -15
            }
        }
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
            case .raw: libdeflate_deflate_compress_bound(compressor, input.count)
            }
        let out = [UInt8](unsafeUninitializedCapacity: bound) { output, count in
            input.withUnsafeBytes { input in
                count =
                    switch format {
                    case .gzip:
                        libdeflate_gzip_compress(compressor, input.baseAddress, input.count, output.baseAddress, bound)
                    case .zlib:
                        libdeflate_zlib_compress(compressor, input.baseAddress, input.count, output.baseAddress, bound)
                    case .raw:
                        libdeflate_deflate_compress(
                            compressor, input.baseAddress, input.count, output.baseAddress, bound)
                    }
            }
        }
        return out.isEmpty ? nil : out
    }

    /// What `input` was before it was compressed; nil when it is not of this format, is cut short, has more than
    /// `sizeMax` bytes, or the query has to stop.
    ///
    /// A gzip file may have several members (RFC 1952, section 2.2): all of them are read.
    package static func decompress(_ input: [UInt8], _ format: Format = .gzip, sizeMax: Int) -> [UInt8]? {
        if format == .gzip { return try? unpack(input, sizeMax: sizeMax).bytes }
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
                if out.count > sizeMax || StopSign.isDue { return false }
                if status == Z_STREAM_END { return true }
                if status != Z_OK || made == 0 && stream.avail_in == 0 { return false }
            }
        }
        return isWhole ? out : nil
    }

    /// What a gzip or zlib file holds.
    package struct Unpacked: Sendable {
        package let bytes: [UInt8]
        /// Members that were read, one behind the other.
        package let members: Int
        /// Bytes behind the last member that belong to none, apart from NULs that only fill up a block.
        package let trailing: Int
    }

    /// Reads all members of a gzip file, or a zlib stream.
    ///
    /// - Throws: a `Problem` when it is damaged, ends in the middle, holds more than `sizeMax` bytes, or the query has
    ///   to stop.
    package static func unpack(_ input: [UInt8], sizeMax: Int) throws(Inflater.Problem) -> Unpacked {
        var inflater = Inflater(input)
        var out: [UInt8] = []
        let piece = min(1 << 20, max(1 << 12, input.count * 4))
        while let part = try inflater.next(piece) {
            out += part
            guard out.count <= sizeMax else {
                throw Inflater.Problem(message: "it holds more than \(sizeMax >> 20) MB")
            }
            if StopSign.isDue { throw Inflater.Problem(message: "the reading was stopped") }
        }
        return Unpacked(bytes: out, members: inflater.members, trailing: inflater.trailing)
    }
}
