import Foundation
import KQL
import Tables

/// `externaldata` over files and web addresses, as far as the operator allows them.
extension Executor {
    /// Bytes of one file before and after it is unpacked.
    static let externalBytesMax = 256 << 20

    func external(_ urls: [BoundExpr], _ options: ExternalOptions, _ schema: Schema) throws -> BatchIterator {
        var rest = urls[...]
        return {
            guard let url = rest.popFirst() else { return nil }
            try self.context.check()
            let place = ExternalPlace(try self.evaluator.constant(url).text)
            let packed = try self.read(place)
            let bytes = try place.unpacked(packed)
            // The text is kept until the rows are made of it, and a row is never smaller than its text.
            try self.context.hold(bytes: bytes.count)
            do throws(ExternalProblem) {
                let reader = try ExternalReader(
                    format: options.format ?? place.format, options: options, schema: schema)
                return try reader.batch(bytes)
            } catch { throw QueryError.runtime("externaldata cannot read \(place.shown): \(error.message)") }
        }
    }

    private func read(_ place: ExternalPlace) throws -> [UInt8] {
        let outside = context.provider.outside
        if place.isWeb {
            guard let download = outside.download else {
                throw QueryError.runtime(
                    "externaldata may not fetch \(place.shown): no address is allowed here; allow it with "
                        + "'externaldata: {hosts: [\(place.host)]}' in the configuration"
                )
            }
            return try download(place.address) { try context.check() }
        }
        guard let path = place.path else {
            throw QueryError.notSupported("externaldata from \(place.shown): only https:// addresses and files")
        }
        guard outside.allowsFiles else {
            throw QueryError.runtime(
                "externaldata may not read files here; 'externaldata: {files: true}' in the configuration "
                    + "lets 'vestige query' read files of this machine"
            )
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw QueryError.runtime("externaldata cannot read the file \(path)")
        }
        return [UInt8](data)
    }
}

/// Why a file is not what it should be.
struct ExternalProblem: Error {
    let message: String
}

/// What a storage connection string names: an address, and behind a semicolon how to sign in, which is not used here.
private struct ExternalPlace {
    let address: String

    init(_ text: String) {
        // `https://host/a;key`; a semicolon within the query of an address belongs to it.
        let upToQuery = text.prefix { $0 != "?" }
        if let sign = upToQuery.firstIndex(of: ";") { address = String(text[..<sign]) } else { address = text }
    }

    var isWeb: Bool { address.hasPrefix("https://") || address.hasPrefix("http://") }

    /// Nil for a scheme that is neither a web address nor a file.
    var path: String? {
        if address.hasPrefix("file://") { return String(address.dropFirst(7)) }
        return address.contains("://") ? nil : address
    }

    var host: String { URLComponents(string: address)?.host ?? String(address.prefix(60)) }

    /// Without the query, which may hold a signature.
    var shown: String { String(address.prefix { $0 != "?" }.prefix(160)) }

    private var name: String { shown.lowercased() }

    /// By the extension, without one of compression; `csv` when there is none that says more.
    var format: String {
        var name = name
        for packed in [".gz", ".zip"] where name.hasSuffix(packed) { name.removeLast(packed.count) }
        let known = ["csv", "tsv", "psv", "scsv", "sohsv", "txt", "raw", "json", "multijson", "avro", "parquet", "orc"]
        return known.first { name.hasSuffix("." + $0) } ?? (name.hasSuffix(".log") ? "w3clogfile" : "csv")
    }

    func unpacked(_ bytes: [UInt8]) throws -> [UInt8] {
        if bytes.starts(with: [0x1F, 0x8B]) {
            guard let whole = Deflate.decompress(bytes, .gzip, sizeMax: Executor.externalBytesMax) else {
                try Interrupted.check()
                throw QueryError.runtime(
                    "externaldata cannot unpack \(shown): damaged, or more than \(Executor.externalBytesMax >> 20) MB")
            }
            return whole
        }
        if bytes.starts(with: [0x50, 0x4B, 3, 4]) {
            throw QueryError.notSupported("externaldata from a zip archive (\(shown)); gzip works")
        }
        return bytes
    }
}

/// Reads the records of one file into columns.
private struct ExternalReader {
    private let format: String
    private let ignoresFirst: Bool
    private let schema: Schema
    /// For each column where it is in a record; nil without a mapping.
    private let mapping: [Place?]?

    private enum Place {
        case ordinal(Int)
        case path(String)
        case constant(String)
    }

    init(format: String, options: ExternalOptions, schema: Schema) throws(ExternalProblem) {
        self.format = format
        ignoresFirst = options.ignoresFirst
        self.schema = schema
        mapping = try options.mapping.map { text throws(ExternalProblem) in try Self.places(text, schema) }
    }

    /// Source of the mapping's shape: https://learn.microsoft.com/kusto/management/mappings.
    private static func places(_ text: String, _ schema: Schema) throws(ExternalProblem) -> [Place?] {
        guard case .array(let items)? = try? JSONReader.parse(text) else {
            throw ExternalProblem(message: "ingestionMapping is not a JSON array")
        }
        var places = [Place?](repeating: nil, count: schema.count)
        for item in items {
            func member(_ bag: Bag?, _ name: String) -> Value? {
                bag.flatMap { b in zip(b.keys, b.values).first { $0.0.lowercased() == name }?.1 }
            }
            let bag = item.bagValue
            guard let name = member(bag, "column")?.text ?? member(bag, "name")?.text,
                let column = schema.index(of: name)
            else { continue }
            let properties = member(bag, "properties")?.bagValue ?? bag
            if let path = member(properties, "path")?.text {
                places[column] = .path(path)
            } else if let ordinal = member(properties, "ordinal").flatMap({ Int($0.text) }) {
                places[column] = .ordinal(ordinal)
            } else if let value = member(properties, "constvalue")?.text {
                places[column] = .constant(value)
            }
        }
        return places
    }

    func batch(_ bytes: [UInt8]) throws(ExternalProblem) -> Batch {
        switch format {
        case "csv": try delimited(bytes, 44)
        case "tsv", "tsve": try delimited(bytes, 9)
        case "psv": try delimited(bytes, 124)
        case "scsv": try delimited(bytes, 59)
        case "sohsv": try delimited(bytes, 1)
        case "txt": try lines(bytes)
        case "raw":
            Batch(schema: schema, rows: [row { $0 == 0 ? .string(String(decoding: bytes, as: UTF8.self)) : .null }])
        case "json", "multijson", "singlejson": try objects(bytes)
        case "w3clogfile": try log(bytes)
        default:
            throw ExternalProblem(
                message:
                    "the format \(format) is not read here; csv, tsv, psv, scsv, sohsv, txt, raw, json, "
                    + "multijson and w3clogfile are"
            )
        }
    }

    private func row(_ value: (Int) -> Value) -> [Value] {
        schema.columns.indices.map { c in
            let cell = value(c)
            guard schema.columns[c].type == .dynamic, case .string(let text) = cell else {
                return cell.converted(to: schema.columns[c].type)
            }
            return text.isEmpty ? .null : (try? JSONReader.parse(text)) ?? cell
        }
    }

    /// Text lines, each a value of the first column; empty ones are passed over.
    private func lines(_ bytes: [UInt8]) throws(ExternalProblem) -> Batch {
        var rows = RowsKept(schema)
        var isFirst = ignoresFirst
        for part in LineBounds(bytes) where !part.isEmpty {
            if isFirst {
                isFirst = false
            } else {
                try rows.add(row { $0 == 0 ? .string(String(decoding: bytes[part], as: UTF8.self)) : .null })
            }
        }
        return try rows.batch()
    }

    private func delimited(_ bytes: [UInt8], _ separator: UInt8) throws(ExternalProblem) -> Batch {
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        var parts: [Batch] = []
        var isFirst = true
        for piece in Self.pieces(bytes[start...]) {
            try Self.check()
            let records = CSV.records(bytes[piece], separator: separator).dropFirst(ignoresFirst && isFirst ? 1 : 0)
            isFirst = false
            var rows = RowsKept(schema)
            for fields in records {
                try rows.add(
                    row { c in
                        switch mapping.map({ $0[c] }) {
                        case nil: c < fields.count ? .string(fields[c]) : .null
                        case .some(.some(.ordinal(let i))):
                            fields.indices.contains(i) ? .string(fields[i]) : .null
                        case .some(.some(.constant(let text))): .string(text)
                        default: .null
                        }
                    })
            }
            parts.append(try rows.batch())
        }
        try Self.check()
        return Batch.concatenate(parts, schema: schema)
    }

    /// Parts of about a megabyte that end with a record's line, so that the query can be stopped between them.
    private static func pieces(_ bytes: ArraySlice<UInt8>) -> [Range<Int>] {
        var out: [Range<Int>] = []
        var from = bytes.startIndex
        var isQuoted = false
        for (i, byte) in zip(bytes.indices, bytes) {
            if i & 0xF_FFFF == 0, Interrupted.isDue { break }
            if byte == 34 { isQuoted.toggle() }
            if byte == 10, !isQuoted, i - from > 1 << 20 {
                out.append(from..<i + 1)
                from = i + 1
            }
        }
        if from < bytes.endIndex || out.isEmpty { out.append(from..<bytes.endIndex) }
        return out
    }

    fileprivate static func check() throws(ExternalProblem) {
        do { try Interrupted.check() } catch { throw ExternalProblem(message: "the query was stopped") }
    }

    /// Objects one after the other, or in arrays: each becomes a row before the next is read.
    private func objects(_ bytes: [UInt8]) throws(ExternalProblem) -> Batch {
        var rows = RowsKept(schema)
        var isFirst = ignoresFirst
        func take(_ value: Value) throws(ExternalProblem) {
            if isFirst {
                isFirst = false
                return
            }
            try rows.add(
                row { c in
                    switch mapping.map({ $0[c] }) {
                    case nil: OperatorKernels.element(value, .string(schema.columns[c].name))
                    case .some(.some(.path(let path))): ScalarFunctions.followPath(value, path)
                    case .some(.some(.constant(let text))): .string(text)
                    default: .null
                    }
                })
        }
        let failure = bytes.withUnsafeBufferPointer { buffer -> ExternalProblem? in
            var reader = JSONReader(buffer)
            var problem: ExternalProblem?
            do throws(JSONError) {
                while let first = reader.peek() {
                    guard first == UInt8(ascii: "[") else {
                        do throws(ExternalProblem) { try take(try Self.value(&reader)) } catch { return error }
                        continue
                    }
                    try reader.array { (reader) throws(JSONError) in
                        let value = try reader.value()
                        do throws(ExternalProblem) { try take(value) } catch {
                            problem = error
                            throw reader.fail("the reading was stopped")
                        }
                    }
                }
            } catch { return problem ?? Self.malformed(error) }
            return nil
        }
        if let failure { throw failure }
        return try rows.batch()
    }

    private static func value(_ reader: inout JSONReader) throws(ExternalProblem) -> Value {
        do { return try reader.value() } catch { throw malformed(error) }
    }

    private static func malformed(_ error: JSONError) -> ExternalProblem {
        ExternalProblem(message: "malformed JSON: \(error.description)")
    }

    /// The W3C's extended log format: `#Fields:` names what the blanks part.
    private func log(_ bytes: [UInt8]) throws(ExternalProblem) -> Batch {
        var names: [String] = []
        var rows = RowsKept(schema)
        for part in LineBounds(bytes) {
            let text = String(decoding: bytes[part], as: UTF8.self)
            if text.hasPrefix("#Fields:") { names = text.dropFirst(8).split(separator: " ").map(String.init) }
            if text.hasPrefix("#") || text.isEmpty { continue }
            let fields = text.split(separator: " ").map(String.init)
            try rows.add(
                row { c in
                    var name = schema.columns[c].name
                    if case .path(let path)?? = mapping.map({ $0[c] }) { name = path }
                    guard let i = names.firstIndex(of: name), i < fields.count, fields[i] != "-" else { return .null }
                    return .string(fields[i])
                })
        }
        return try rows.batch()
    }
}

/// Rows as they are made of a file: what they take is counted from time to time, and the query may have to stop.
private struct RowsKept {
    private let schema: Schema
    private var rows: [[Value]] = []
    private var parts: [Batch] = []
    /// A batch takes a fraction of what its rows take as values.
    private static let batchRows = 4_096

    init(_ schema: Schema) { self.schema = schema }

    mutating func add(_ row: [Value]) throws(ExternalProblem) {
        rows.append(row)
        if rows.count >= Self.batchRows { try pack() }
    }

    private mutating func pack() throws(ExternalProblem) {
        let batch = Batch(schema: schema, rows: rows)
        rows.removeAll(keepingCapacity: true)
        do {
            try Interrupted.check()
            try QueryRun.current?.hold(try batch.byteCount() + batch.count * schema.count * 8)
        } catch { throw ExternalProblem(message: "the query was stopped") }
        parts.append(batch)
    }

    mutating func batch() throws(ExternalProblem) -> Batch {
        if !rows.isEmpty { try pack() }
        try ExternalReader.check()
        return Batch.concatenate(parts, schema: schema)
    }
}

/// The places of a text's lines, without what ends them.
private struct LineBounds: Sequence, IteratorProtocol {
    private let bytes: [UInt8]
    private var start = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func next() -> Range<Int>? {
        guard start < bytes.count, !Interrupted.isDue else { return nil }
        let end = bytes[start...].firstIndex(of: 10) ?? bytes.count
        defer { start = end + 1 }
        return start..<(end > start && bytes[end - 1] == 13 ? end - 1 : end)
    }
}
