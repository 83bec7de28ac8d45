import Content
import Foundation
import Tables

/// A file of a public list, or a web answer.
struct FeedFile: Sendable {
    enum Content: Sendable {
        case bytes([UInt8])
        /// Read when its turn comes.
        case path(String)
    }

    /// What it is called in messages.
    let name: String
    let content: Content

    /// The file itself, a folder's files at any depth, or those that a pattern such as `lists/*.json` names.
    ///
    /// - Returns: the files in the order of their paths, and whether they are several by design.
    static func list(_ place: String, _ definition: SourceDefinition, source: String) throws(OperatorError)
        -> (files: [FeedFile], isFolder: Bool)
    {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: place, isDirectory: &isFolder) {
            guard isFolder.boolValue else { return ([FeedFile(name: place, content: .path(place))], false) }
            let names = FileManager.default.enumerator(atPath: place)?.compactMap { $0 as? String } ?? []
            let files = names.filter { FeedNames.isWanted($0, definition) && isFile("\(place)/\($0)") }
            return (try found(files.map { "\(place)/\($0)" }, place, definition, source), true)
        }
        let folder = (place as NSString).deletingLastPathComponent
        let pattern = (place as NSString).lastPathComponent
        if pattern.contains(where: { $0 == "*" || $0 == "?" }),
            let names = try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)
        {
            let files = names.filter { FeedNames.matches($0, pattern) }.map {
                (folder as NSString).appendingPathComponent($0)
            }
            return (try found(files.filter(isFile), place, definition, source), true)
        }
        throw OperatorError(
            "source \(source) stopped", tried: "reading the file \(place)",
            got: "it is not there, or not readable", safe: PageFetcher.safe,
            next: "put the list there, or correct 'feeds' in the configuration", isConfiguration: true)
    }

    private static func isFile(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
    }

    private static func found(
        _ files: [String], _ place: String, _ definition: SourceDefinition, _ source: String
    ) throws(OperatorError) -> [FeedFile] {
        guard !files.isEmpty else {
            throw OperatorError(
                "source \(source) stopped", tried: "reading the files of \(place)",
                got: "none is there\(definition.list.match.map { " that is called \($0)" } ?? "")",
                safe: PageFetcher.safe,
                next: "put the list there, or correct 'feeds' in the configuration", isConfiguration: true)
        }
        return files.sorted().map { FeedFile(name: $0, content: .path($0)) }
    }
}

/// Which files of a folder or an archive belong to a list.
enum FeedNames {
    /// By the source's `match`, or by the suffixes of its format; packed ones in any case.
    static func isWanted(_ path: String, _ definition: SourceDefinition) -> Bool {
        let name = (path as NSString).lastPathComponent
        guard !name.hasPrefix("."), !path.hasPrefix("__MACOSX/") else { return false }
        if isArchive(name) { return true }
        if let match = definition.list.match { return matches(name, match) }
        let lower = name.lowercased()
        let plain = lower.hasSuffix(".gz") ? String(lower.dropLast(3)) : lower
        let suffixes = definition.list.format == .csv ? [".csv", ".tsv", ".txt"] : [".json", ".jsonl", ".ndjson"]
        return suffixes.contains { plain.hasSuffix($0) }
    }

    static func isArchive(_ name: String) -> Bool { name.lowercased().hasSuffix(".zip") }

    /// Whether a name fits a pattern with `*` and `?`, whatever its case.
    static func matches(_ name: String, _ pattern: String) -> Bool {
        let (name, pattern) = (Array(name.lowercased()), Array(pattern.lowercased()))
        var (n, p) = (0, 0)
        var star: (n: Int, p: Int)?
        while n < name.count {
            if p < pattern.count, pattern[p] == "*" {
                star = (n, p)
                p += 1
            } else if p < pattern.count, pattern[p] == "?" || pattern[p] == name[n] {
                (n, p) = (n + 1, p + 1)
            } else if let last = star {
                star = (last.n + 1, last.p)
                (n, p) = (last.n + 1, last.p + 1)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == "*" }
    }
}
