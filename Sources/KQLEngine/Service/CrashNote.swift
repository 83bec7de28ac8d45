import CQueryGuard
import Crypto
import Foundation
import KQL
import Synchronization
import Tables

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file that says which queries are under way, so that the next start can tell which one ended the program.
///
/// It is mapped into memory: noting a query costs a copy of its text, and what was written outlives the process
/// whatever ends it. A query is taken for the cause when the program ended by a fault (the handler writes the signal's
/// number) or when memory was nearly full; after a `kill -9` or a loss of power nothing is blamed.
package final class CrashNote: Sendable {
    /// A query that was under way when the program ended.
    package struct Suspect: Sendable, Equatable {
        /// Its beginning, without what its obfuscated literals hide.
        package let text: String
        /// SHA-256 of the whole text, by which it is known again.
        let digest: [UInt8]
        package let client: String
        /// When it began, in ticks.
        package let started: Int64
        /// What ended the program: a signal's number, or 9 for want of memory.
        package let signal: Int32
    }

    private static let slotCount = 64
    private static let slotSize = 16 << 10
    private static let headSize = 4 << 10
    private static let size = headSize + slotCount * slotSize
    /// "VSTNOTE2"; notes of the first form are forgotten.
    private static let magic: UInt64 = 0x3245_544F_4E54_5356
    private static let digestSize = 32
    /// Before the text: when it began, the sizes of text and client, the cause, and the digest.
    private static let slotHeadSize = 24 + digestSize

    /// What the file told when it was opened.
    package let suspects: [Suspect]
    nonisolated(unsafe) private let memory: UnsafeMutableRawPointer
    private let free: Mutex<[Int]> = Mutex(Array((0..<slotCount).reversed()))
    private let refused: Set<[UInt8]>

    /// - Parameters:
    ///   - path: a file of the note's own; made when it is missing, readable by its owner only.
    ///   - allowsSuspects: whether queries that ended the program before may run again.
    /// - Returns: nil when no such file can be made, as on a disk that is only read.
    package init?(path: String, allowsSuspects: Bool = false) {
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { return nil }
        defer { close(file) }
        // Two servers of one workspace: the second one keeps no note.
        guard flock(file, LOCK_EX | LOCK_NB) == 0, ftruncate(file, off_t(Self.size)) == 0 else { return nil }
        guard let memory = mmap(nil, Self.size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0),
            memory != UnsafeMutableRawPointer(bitPattern: -1)
        else { return nil }
        self.memory = memory
        // The lock lasts as long as some handle of this opening.
        _ = dup(file)
        let found = Self.read(memory)
        suspects = found
        // Those that are kept take places of their own at the end, and leave half of all for the queries to come.
        let kept = allowsSuspects ? [] : found.prefix(Self.slotCount / 2)
        refused = Set((allowsSuspects ? [] : found).map(\.digest))
        memset(memory, 0, Self.size)
        memory.storeBytes(of: Self.magic, as: UInt64.self)
        vestige_mark_faults((memory + 8).assumingMemoryBound(to: Int32.self))
        for (i, suspect) in kept.enumerated() { keep(suspect, at: Self.slotCount - 1 - i) }
        free.withLock { $0.removeFirst(kept.count) }
    }

    /// The head holds: the file's mark, the signal that ended the program, and how full memory was in percent.
    private static func read(_ memory: UnsafeMutableRawPointer) -> [Suspect] {
        guard memory.load(as: UInt64.self) == magic else { return [] }
        var signal = memory.load(fromByteOffset: 8, as: Int32.self)
        if signal == 0, memory.load(fromByteOffset: 12, as: Int32.self) >= 90 { signal = SIGKILL }
        return (0..<slotCount).compactMap { i in
            let slot = memory + headSize + i * slotSize
            let started = slot.load(as: Int64.self)
            let (textSize, clientSize) = (
                slot.load(fromByteOffset: 8, as: Int32.self), slot.load(fromByteOffset: 12, as: Int32.self)
            )
            // One that was refused before stays so, however the program ended since.
            let cause = slot.load(fromByteOffset: 16, as: Int32.self)
            guard started != 0, signal != 0 || cause != 0, textSize >= 0, clientSize >= 0,
                Int(textSize) + Int(clientSize) <= slotSize - slotHeadSize
            else { return nil }
            let bytes = UnsafeRawBufferPointer(start: slot + slotHeadSize, count: Int(textSize) + Int(clientSize))
            return Suspect(
                text: String(decoding: bytes[..<Int(textSize)], as: UTF8.self),
                digest: Array(UnsafeRawBufferPointer(start: slot + 24, count: digestSize)),
                client: String(decoding: bytes[Int(textSize)...], as: UTF8.self), started: started,
                signal: cause != 0 ? cause : signal)
        }
    }

    private static func clipped(_ text: String, _ countMax: Int) -> String {
        text.utf8.count <= countMax ? text : String(decoding: Array(text.utf8.prefix(countMax)), as: UTF8.self)
    }

    private func write(_ text: String, _ client: String, digest: [UInt8], started: Int64, cause: Int32, at i: Int) {
        let slot = memory + Self.headSize + i * Self.slotSize
        var client = Self.clipped(client, 200)
        var text = text
        text.withUTF8 { bytes in
            slot.storeBytes(of: Int32(bytes.count), toByteOffset: 8, as: Int32.self)
            if let base = bytes.baseAddress {
                (slot + Self.slotHeadSize).copyMemory(from: base, byteCount: bytes.count)
            }
            client.withUTF8 { name in
                slot.storeBytes(of: Int32(name.count), toByteOffset: 12, as: Int32.self)
                if let base = name.baseAddress {
                    (slot + Self.slotHeadSize + bytes.count).copyMemory(from: base, byteCount: name.count)
                }
            }
        }
        slot.storeBytes(of: cause, toByteOffset: 16, as: Int32.self)
        UnsafeMutableRawBufferPointer(start: slot + 24, count: Self.digestSize).copyBytes(from: digest)
        // Last, since it says that the rest is there.
        slot.storeBytes(of: started, as: Int64.self)
    }

    private func keep(_ suspect: Suspect, at i: Int) {
        write(
            suspect.text, suspect.client, digest: suspect.digest, started: suspect.started, cause: suspect.signal,
            at: i)
    }

    /// The part of a text that is noted: what is longer is told by its beginning, and what it hides stays hidden.
    private static func noted(_ text: String) -> String {
        clipped(QueryPrivacy.hidden(clipped(text, slotSize - 1_024)), slotSize - 1_024)
    }

    static func digest(of text: String) -> [UInt8] { Array(SHA256.hash(data: Array(text.utf8))) }

    /// Notes a query; nil when as many as fit are noted already.
    func begin(_ run: QueryRun) -> Int? {
        guard let slot = free.withLock({ $0.popLast() }) else { return nil }
        write(
            Self.noted(run.text), run.client.description, digest: Self.digest(of: run.text), started: run.startTicks,
            cause: 0, at: slot)
        noteMemory()
        return slot
    }

    /// Notes how full memory is, in percent of what queries may use: who is ended for want of it is told by nothing
    /// else.
    func noteMemory() {
        let full = Double(ProcessMemory.residentBytes()) / Double(max(ProcessMemory.limit, 1)) * 100
        memory.storeBytes(of: Int32(min(full, 1_000)), toByteOffset: 12, as: Int32.self)
    }

    func end(_ slot: Int) {
        (memory + Self.headSize + slot * Self.slotSize).storeBytes(of: 0, as: Int64.self)
        free.withLock { $0.append(slot) }
    }

    /// Why a query is not run; nil when nothing is known against it.
    func refusal(of text: String) -> QueryError? {
        guard !refused.isEmpty, refused.contains(Self.digest(of: text)) else { return nil }
        return .limit(
            "this query was under way when the program ended by a fault, so it is not run again; start the server "
                + "with --allow-suspect-queries to try it", kind: .suspect)
    }
}
