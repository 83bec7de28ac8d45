import Content
import Foundation
import KQLEngine
import Tables
import Workspace

/// Settings of a sink of kind `files`.
package struct FilesConfiguration: SinkKind {
    package var folder: String
    package var format: FileSink.Format
    package var rotatesAtBytes: Int
    package var filesMax: Int?

    package init(folder: String, format: FileSink.Format, rotatesAtBytes: Int = 100 << 20, filesMax: Int? = nil) {
        self.folder = folder
        self.format = format
        self.rotatesAtBytes = rotatesAtBytes
        self.filesMax = filesMax
    }

    package static let name = "files"
    package static let summary =
        "Files of JSON lines or CSV, one series a table; their names sort in the order of writing"

    private static let folderSetting = Setting.text("folder", standard: SettingText.required, "where the files go")
    private static let formatSetting = Setting.word(
        "format", standard: FileSink.Format.ndjson, "`ndjson`: a JSON object a line, or `csv`")
    private static let rotateSetting = Setting.number(
        "rotateAtMB", in: 1...1_000_000, standard: "`100`", "a file of so many megabytes is closed, and the next begun")
    private static let keepSetting = Setting.number(
        "keepFiles", in: 1..., standard: "all", "files kept of each table; the oldest are removed")
    package static let settings: [any SettingDeclaration] = [
        folderSetting, formatSetting, rotateSetting, keepSetting,
    ]

    package init(reading yaml: Fields) throws {
        folder = try yaml.required(Self.folderSetting)
        format = try yaml.optional(Self.formatSetting) ?? .ndjson
        rotatesAtBytes = (try yaml.optional(Self.rotateSetting) ?? 100) << 20
        filesMax = try yaml.optional(Self.keepSetting)
    }

    package func make(_ context: SinkContext) async throws -> (any Sink)? {
        FileSink(
            name: context.name, folder: folder, format: format, rotatesAtBytes: rotatesAtBytes, filesMax: filesMax)
    }

    package func check(_ context: SinkContext) async -> [Finding] {
        // The folder is made when there is something to write: what matters is the nearest one that is there.
        var place = URL(fileURLWithPath: folder).standardizedFileURL
        while !FileManager.default.fileExists(atPath: place.path), place.path != "/" { place.deleteLastPathComponent() }
        let isWritable = FileManager.default.isWritableFile(atPath: place.path)
        return [
            Finding(
                "sink \(context.name)", "folder", isWritable ? .ok : .failed,
                isWritable ? "\(folder) can be written" : "\(place.path) cannot be written",
                next: isWritable ? nil : "check 'folder', and the permissions there")
        ]
    }
}

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
        try PrivateFile.makeFolder(folder)
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
        // A run that begins goes on in the last file when there is room; behind half a line there is none.
        if let last = files(of: table).last {
            let size = (try? FileManager.default.attributesOfItem(atPath: last))?[.size] as? Int ?? 0
            if size < rotatesAtBytes, Self.endsALine(last, size) { return (last, size) }
        }
        return fresh(table)
    }

    /// A file whose name sorts behind those of all files before it, whatever the clock says.
    private func fresh(_ table: String) -> (path: String, bytes: Int) {
        let now = String(DateTime.format(SystemClock.now()).prefix(19)).replacing("-", with: "").replacing(
            ":", with: "")
        let last = files(of: table).last.map { Stamp(of: $0, table) }
        let stamp =
            switch last {
            case let last? where last.time >= now: Stamp(time: last.time, number: last.number + 1)
            default: Stamp(time: now, number: 0)
            }
        return ("\(folder)/\(table)-\(stamp.text).\(format.rawValue)", 0)
    }

    /// What tells a table's files apart: the second in which one was begun, and which of that second it was.
    private struct Stamp {
        let time: String
        let number: Int

        init(time: String, number: Int) {
            self.time = time
            self.number = number
        }

        /// `TABLE-20261126T172000-0003.ndjson`; a name without a number is the first of its second.
        init(of path: String, _ table: String) {
            let name = ((path as NSString).lastPathComponent as NSString).deletingPathExtension
            let parts = name.dropFirst(table.count + 1).split(separator: "-", maxSplits: 1)
            time = parts.first.map(String.init) ?? ""
            number = parts.count == 2 ? Int(parts[1]) ?? 0 : 0
        }

        /// Of one width for all that one second may hold.
        var text: String {
            let digits = String(number)
            return time + "-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
        }
    }

    /// The table's files in the order in which they were begun, which a name of an earlier version tells otherwise than
    /// by its letters.
    private func files(of table: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let stamped = names.filter { $0.hasPrefix(table + "-") && $0.hasSuffix("." + format.rawValue) }.map {
            (path: folder + "/" + $0, stamp: Stamp(of: $0, table))
        }
        return stamped.sorted { ($0.stamp.time, $0.stamp.number) < ($1.stamp.time, $1.stamp.number) }.map(\.path)
    }

    /// Whether the program was not ended in the middle of a line there.
    private static func endsALine(_ path: String, _ size: Int) -> Bool {
        guard size > 0 else { return true }
        guard let handle = FileHandle(forReadingAtPath: path) else { return false }
        defer { try? handle.close() }
        do {
            try handle.seek(toOffset: UInt64(size - 1))
            return try handle.readToEnd() == Data([UInt8(ascii: "\n")])
        } catch { return false }
    }

    private func removeOld(_ table: String) {
        guard let filesMax else { return }
        for path in files(of: table).dropLast(filesMax) { try? FileManager.default.removeItem(atPath: path) }
    }

    /// Writes behind the file's end and waits until the disk has it: then the batch may be forgotten.
    private func append(_ bytes: [UInt8], to path: String) throws {
        do {
            let handle = try PrivateFile.append(to: path)
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
        } catch let error as WorkspaceError {
            throw OperatorError(error, title: "sink \(name) stopped")
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
