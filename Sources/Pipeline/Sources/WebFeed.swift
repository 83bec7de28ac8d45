import Azure
import Content
import Foundation
import Tables

/// A public list from its web address, or from a file where there is no way to the internet.
package struct WebFeed: Sendable {
    private let client: ServiceClient
    /// An https address or a path.
    private let place: String
    private static let bytesMax = 1 << 30

    package init(client: ServiceClient, place: String) {
        self.client = client
        self.place = place
    }

    /// Whether there is a list for each month.
    var isMonthly: Bool { place.contains(Self.monthMark) }
    private static let monthMark = "{month}"

    /// - Parameter now: ticks; decides what `{month}` in the address stands for.
    func page(_ definition: SourceDefinition, _ name: String, now: Int64) async throws -> (RecordPage, Int) {
        guard case .web(let request) = definition.request else {
            preconditionFailure("source \(definition.id) is no public list")
        }
        let format = request.format
        let packed: [UInt8]
        do { packed = try await bytes(name, place.replacing("{month}", with: Self.month(now, before: 0))) } catch let
            error as OperatorError
            where error.status == 404 && place.contains("{month}")
        {
            // Early in a month there is nothing of it.
            packed = try await bytes(name, place.replacing("{month}", with: Self.month(now, before: 1)))
        }
        func problem(_ got: String) -> OperatorError {
            OperatorError(
                "source \(name) stopped", tried: "reading \(place)", got: got, safe: PageFetcher.safe,
                next: "look at what is there; the source expects \(format.rawValue)")
        }
        var bytes = packed
        if packed.starts(with: [0x1F, 0x8B]) {
            guard let whole = Deflate.decompress(packed, sizeMax: Self.bytesMax) else {
                throw problem("a packed file that cannot be unpacked")
            }
            bytes = whole
        }
        switch format {
        case .json:
            do throws(RecordError) {
                return (
                    try RecordReader(columns: definition.columns, unmapped: TableDefinition.unmapped.name).read(
                        bytes, path: definition.records), packed.count
                )
            } catch { throw problem(error.description) }
        case .csv:
            guard let page = DelimitedRecords.page(bytes, definition.columns) else {
                throw problem("no header line that names one of the columns")
            }
            return (page, packed.count)
        }
    }

    /// `2026-Nov`.
    static func month(_ now: Int64, before: Int) -> String {
        let parts = DateTime.parts(now)
        let month = parts.year * 12 + parts.month - 1 - before
        let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        return "\(month / 12)-\(names[month % 12])"
    }

    private func bytes(_ name: String, _ place: String) async throws -> [UInt8] {
        guard place.hasPrefix("https://") || place.hasPrefix("http://") else {
            guard let data = FileManager.default.contents(atPath: place) else {
                throw OperatorError(
                    "source \(name) stopped", tried: "reading the file \(place)",
                    got: "it is not there, or not readable", safe: PageFetcher.safe,
                    next: "put the list there, or correct 'feeds' in the configuration", isConfiguration: true)
            }
            return [UInt8](data)
        }
        let response: ServiceResponse
        do { response = try await client.document(at: place) } catch let error
            as ServiceError
        {
            throw OperatorError(error, title: "source \(name) stopped", safe: PageFetcher.safe)
        }
        guard response.status == 200 else {
            var error = OperatorError(
                "source \(name) stopped", tried: "GET \(place)", got: "\(response.status)", safe: PageFetcher.safe,
                next: "check the address; without a way to the internet, set 'feeds' to a file, or to off")
            error.status = response.status
            throw error
        }
        return response.body
    }
}

/// Records of a CSV text whose header names the columns; lines that begin with # before the header are passed over.
enum DelimitedRecords {
    /// Nil when no field of the header is one of the columns.
    static func page(_ bytes: [UInt8], _ columns: [ColumnSpec]) -> RecordPage? {
        var start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        while start < bytes.count, bytes[start] == 35 {
            start = (bytes[start...].firstIndex(of: 10) ?? bytes.count - 1) + 1
        }
        let records = CSV.records(bytes[min(start, bytes.count)...])
        guard let header = records.first?.map(\.trimmed) else { return nil }
        let places = columns.map { spec in header.firstIndex { $0.lowercased() == spec.name.lowercased() } }
        guard places.contains(where: { $0 != nil }) else { return nil }
        let known = Set(places.compactMap { $0 })
        let others = header.indices.filter { !known.contains($0) }
        var builders = columns.map { ColumnBuilder($0.type) }
        var leftOver = ColumnBuilder(.dynamic)
        for record in records.dropFirst() {
            for (c, place) in places.enumerated() {
                guard let place, place < record.count, !record[place].isEmpty else {
                    builders[c].append(columns[c].type == .string ? .string("") : .null)
                    continue
                }
                builders[c].append(Value.string(record[place]).converted(to: columns[c].type))
            }
            let rest = others.filter { $0 < record.count && !record[$0].isEmpty }.map {
                (header[$0], Value.string(record[$0]))
            }
            leftOver.append(rest.isEmpty ? .null : .bag(Bag(rest)))
        }
        let batch = Batch(
            schema: Schema(columns + [TableDefinition.unmapped]),
            columns: builders.map { $0.finish() } + [leftOver.finish()], count: records.count - 1)
        return RecordPage(batch: batch, nextLink: nil, unknownFields: others.map { header[$0] }, unreadable: [])
    }
}
