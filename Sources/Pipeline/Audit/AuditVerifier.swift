import Foundation
import Tables

/// What was found in an audit file.
package struct AuditReport: Sendable, Equatable {
    /// Lines that follow from the one before them.
    package var entries = 0
    /// Where the chain stands at the end.
    package var head = AuditFile.Head.origin
    /// What does not hold, with the number of the line; at most `faultsMax`.
    package var faults: [String] = []
    /// Whether there are more faults than are told.
    package var hasMore = false

    package static let faultsMax = 100

    /// - Parameter part: the file in which the line stands, where it is not the one that is written.
    fileprivate mutating func note(_ line: Int, _ what: String, in part: String? = nil) {
        guard faults.count < Self.faultsMax else {
            hasMore = true
            return
        }
        faults.append((part.map { "\($0) " } ?? "") + "line \(line): \(what)")
    }
}

extension AuditFile {
    /// Reads every line, of the files that were put aside too, and compares it with its hash and with the one before
    /// it.
    ///
    /// - Parameter expected: an entry that was seen before, as the one that was last collected: without it nobody can
    ///   tell that the end of a file was cut off.
    /// - Throws: when the file cannot be read.
    package func verify(expecting expected: Head? = nil) throws(OperatorError) -> AuditReport {
        var report = AuditReport()
        var hasExpected = expected == nil || expected == .origin
        var number = 0
        let parts = parts(after: 0)
        for part in parts.isEmpty ? [path] : parts {
            number = try verify(part, &report) { if $0 == expected { hasExpected = true } }
        }
        if let expected, !hasExpected {
            report.note(
                number,
                "entry \(expected.sequence), which was collected from here, is not there any more: the end was cut off, "
                    + "or another file stands in its place")
        }
        return report
    }

    /// - Returns: how many lines there are.
    private func verify(
        _ part: String, _ report: inout AuditReport, seen: (Head) -> Void
    ) throws(OperatorError) -> Int {
        let name = part == path ? nil : (part as NSString).lastPathComponent
        let lines = try AuditLines(path: part)
        var number = 0
        // A part by itself begins where it begins.
        var begins = isAside && part == path
        while let (bytes, isWhole) = try lines.next() {
            number += 1
            guard isWhole else {
                report.note(number, "it has no end; the server writes that down when it starts again", in: name)
                break
            }
            guard let line = AuditLine(parsing: bytes) else {
                report.note(number, "it is no entry, or was changed: its hash is another", in: name)
                // What follows is compared with what follows it.
                if let rest = try? JSON(parsing: Array(bytes)), let sequence = rest["Sequence"]?.integer,
                    let hash = rest["Hash"]?.string
                {
                    report.head = Head(sequence: sequence, hash: hash)
                }
                continue
            }
            if begins { report.head = Head(sequence: line.head.sequence - 1, hash: line.previous) }
            begins = false
            if line.previous != report.head.hash || line.head.sequence != report.head.sequence + 1 {
                let gap = line.head.sequence - report.head.sequence - 1
                report.note(
                    number,
                    gap > 0
                        ? "\(gap) entries before it are missing"
                        : "it does not follow from the line before it", in: name)
            } else {
                report.entries += 1
            }
            report.head = line.head
            seen(line.head)
        }
        return number
    }
}

/// The lines of a file, one after the other, without holding it.
final class AuditLines {
    private let handle: FileHandle
    private let path: String
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false
    /// Where the next line begins.
    private(set) var offset: UInt64
    private static let pieceBytes = 1 << 20
    /// A line that is longer is none that is written here.
    private static let lineBytesMax = 1 << 20

    init(path: String, from offset: UInt64 = 0) throws(OperatorError) {
        self.path = path
        self.offset = offset
        do {
            handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            try handle.seek(toOffset: offset)
        } catch {
            throw OperatorError(
                "the audit file \(path) cannot be read", got: error.localizedDescription,
                next: "check the path and its permissions", isConfiguration: true)
        }
    }

    deinit { try? handle.close() }

    /// The next line without its end, and whether it had one; nil at the end.
    func next() throws(OperatorError) -> (bytes: ArraySlice<UInt8>, isWhole: Bool)? {
        while true {
            if let end = buffer[start...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = buffer[start..<end]
                offset += UInt64(end - start + 1)
                start = end + 1
                return (line, true)
            }
            if isAtEnd || buffer.count - start > Self.lineBytesMax {
                guard start < buffer.count else { return nil }
                let line = buffer[start...]
                start = buffer.count
                return (line, false)
            }
            buffer.removeFirst(start)
            start = 0
            do {
                let piece = try handle.read(upToCount: Self.pieceBytes)
                if let piece, !piece.isEmpty { buffer += piece } else { isAtEnd = true }
            } catch {
                throw OperatorError("the audit file \(path) cannot be read", got: error.localizedDescription)
            }
        }
    }
}
