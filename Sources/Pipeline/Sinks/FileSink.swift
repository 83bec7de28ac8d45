import Foundation
import KQLEngine
import Tables

/// Files of JSON lines or CSV, one series of files a table, each closed when it has grown enough.
package actor FileSink: Sink {
    package enum Format: String, Sendable, CaseIterable { case ndjson, csv }

    package nonisolated let name: String
    private let folder: String
    private let format: Format
    /// A file that has so many bytes is closed, and the next one begun.
    private let rotatesAtBytes: Int
    /// Files kept of each table; older ones are removed. Nil for all.
    private let filesMax: Int?
    private var open: [String: (path: String, bytes: Int)] = [:]

    package init(name: String, folder: String, format: Format, rotatesAtBytes: Int, filesMax: Int?) {
        self.name = name
        self.folder = folder
        self.format = format
        self.rotatesAtBytes = rotatesAtBytes
        self.filesMax = filesMax
    }

    package func send(_ batch: Batch, table: String) async throws -> SinkReceipt {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var bytes: [UInt8] = []
        var target = try place(table)
        switch format {
        case .ndjson:
            var writer = try RecordWriter(batch)
            for row in 0..<batch.count {
                writer.append(row, to: &bytes)
                bytes.append(10)
            }
        case .csv:
            // A file with other columns than the batch's is left as it is.
            let header = Array(CSV.line(batch.schema.names).utf8)
            if target.bytes > 0, Self.firstLine(of: target.path) != header { target = fresh(table) }
            if target.bytes == 0 { bytes += header }
            for row in 0..<batch.count { bytes += CSV.line(try batch.row(row).map(\.text)).utf8 }
        }
        try append(bytes, to: target.path)
        target.bytes += bytes.count
        open[table] = target.bytes >= rotatesAtBytes ? nil : target
        if open[table] == nil { removeOld(table) }
        return SinkReceipt(bytes: bytes.count)
    }

    /// The file that the table's rows go on in.
    private func place(_ table: String) throws -> (path: String, bytes: Int) {
        if let known = open[table] { return known }
        // A run that begins goes on in the last file when there is room.
        if let last = files(of: table).last {
            let size = (try? FileManager.default.attributesOfItem(atPath: last))?[.size] as? Int ?? 0
            if size < rotatesAtBytes { return (last, size) }
        }
        return fresh(table)
    }

    private func fresh(_ table: String) -> (path: String, bytes: Int) {
        let stamp = String(DateTime.format(SystemClock.now()).prefix(19)).replacing("-", with: "").replacing(
            ":", with: "")
        var path = "\(folder)/\(table)-\(stamp).\(format.rawValue)"
        var n = 1
        while FileManager.default.fileExists(atPath: path) {
            path = "\(folder)/\(table)-\(stamp)-\(n).\(format.rawValue)"
            n += 1
        }
        return (path, 0)
    }

    private func files(of table: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasPrefix(table + "-") && $0.hasSuffix("." + format.rawValue) }.sorted().map {
            folder + "/" + $0
        }
    }

    private func removeOld(_ table: String) {
        guard let filesMax else { return }
        for path in files(of: table).dropLast(filesMax) { try? FileManager.default.removeItem(atPath: path) }
    }

    /// Writes behind the file's end and waits until the disk has it: then the batch may be forgotten.
    private func append(_ bytes: [UInt8], to path: String) throws {
        if !FileManager.default.fileExists(atPath: path) {
            guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o640])
            else {
                throw OperatorError(
                    "sink \(name) stopped", got: "the file \(path) cannot be made",
                    next: "check the folder, its permissions and the disk")
            }
        }
        do {
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            let end = try handle.seekToEnd()
            do {
                try handle.write(contentsOf: bytes)
                try handle.synchronize()
            } catch {
                // Half a batch must not stay: the whole one comes again.
                try? handle.truncate(atOffset: end)
                throw error
            }
        } catch {
            throw OperatorError(
                "sink \(name) stopped", tried: "writing \(path)", got: "\(error.localizedDescription)",
                next: "free space on that disk, or check the file's permissions")
        }
    }

    private static func firstLine(of path: String) -> [UInt8]? {
        guard let handle = FileHandle(forReadingAtPath: path), let head = try? handle.read(upToCount: 65_536) else {
            return nil
        }
        try? handle.close()
        return head.firstIndex(of: 10).map { Array(head[...$0]) }
    }
}

/// JSON lines on standard output, each with its table.
package struct OutputSink: Sink {
    package let name: String
    private let write: @Sendable ([UInt8]) throws -> Void

    package init(name: String, write: @escaping @Sendable ([UInt8]) throws -> Void) {
        self.name = name
        self.write = write
    }

    package func send(_ batch: Batch, table: String) async throws -> SinkReceipt {
        var writer = try RecordWriter(batch)
        var bytes: [UInt8] = []
        let head = Array("{\"Table\":\(JSONWriter.quoted(table)),".utf8)
        var record: [UInt8] = []
        for row in 0..<batch.count {
            record.removeAll(keepingCapacity: true)
            writer.append(row, to: &record)
            bytes += head
            bytes += record.dropFirst()
            bytes.append(10)
        }
        try write(bytes)
        return SinkReceipt(bytes: bytes.count)
    }
}
