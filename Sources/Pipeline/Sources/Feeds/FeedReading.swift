import Content
import Foundation
import Tables

/// Why a text of a public list cannot be used.
enum FeedProblem: Error, Sendable {
    /// It is damaged, or not what the source expects.
    case unusable(String)
    /// It is well formed, but of another kind: among many files it is passed over.
    case otherKind(String)

    var got: String {
        switch self {
        case .unusable(let got), .otherKind(let got): got
        }
    }
}

/// A text of a public list, unpacked.
struct FeedText: Sendable {
    /// Where it comes from, also within an archive.
    let name: String
    let bytes: [UInt8]
}

/// Reads the files of a list, and keeps account of those that cannot be read.
struct FeedReading {
    let definition: SourceDefinition
    /// The source's name.
    let name: String
    let place: String
    /// Whether there are several files by design, so that one which cannot be read does not stop the others.
    let isFolder: Bool
    /// What should be told of, apart from failures.
    private(set) var notes: [String] = []
    private var read = 0
    private var failures: [(file: String, got: String)] = []
    private var passedOver: [String] = []
    /// Records that the list says it has, and that were not there.
    private var missing = 0
    private var found = 0

    init(definition: SourceDefinition, name: String, place: String, isFolder: Bool) {
        self.definition = definition
        self.name = name
        self.place = place
        self.isFolder = isFolder
    }

    /// The records of a file, or of the files in it, and the file's bytes.
    mutating func pages(of file: FeedFile) throws(OperatorError) -> (pages: [RecordPage], bytes: Int) {
        var unpacker = FeedUnpacker(definition: definition)
        var pages: [RecordPage] = []
        let bytes: [UInt8]
        switch file.content {
        case .bytes(let given): bytes = given
        case .path(let path):
            guard let data = FileManager.default.contents(atPath: path) else {
                failures.append((path, "it cannot be read"))
                return (try stopUnlessSeveral([]), 0)
            }
            bytes = [UInt8](data)
        }
        let decoder = FeedDecoder(definition: definition)
        let isSeveral = unpacker.texts(of: file.name, bytes) { (text) in
            do throws(FeedProblem) {
                let text = try text.get()
                let (page, total) = try decoder.page(text)
                pages.append(page)
                found += page.batch.count
                missing += max(0, (total ?? 0) - page.batch.count)
                read += 1
            } catch {
                switch error {
                case .unusable(let got): failures.append((text.name, got))
                case .otherKind: passedOver.append(text.name)
                }
            }
        }
        notes += unpacker.notes.map { "\(name): \($0)" }
        return (isSeveral ? pages : try stopUnlessSeveral(pages), bytes.count)
    }

    /// One file that cannot be read is the end of a list that has no other.
    private func stopUnlessSeveral(_ pages: [RecordPage]) throws(OperatorError) -> [RecordPage] {
        guard !isFolder, let problem = failures.first?.got ?? passedOver.first.map({ _ in otherKind }) else {
            return pages
        }
        throw error(problem, tried: "reading \(place)")
    }

    private var otherKind: String { "something else than \(definition.list.format.expected)" }

    /// What was lost of several files; nil when nothing was.
    ///
    /// - Throws: when none could be read.
    mutating func end() throws(OperatorError) -> OperatorError? {
        if !passedOver.isEmpty, read > 0 {
            let expected = definition.list.format.expected
            notes.append(
                "\(name): \(passedOver.count) files are no \(expected) and were passed over, first \(passedOver[0])")
        }
        if missing > 0 {
            return OperatorError(
                "source \(name) has read a part of its list", tried: "reading \(place)",
                got: "\(missing) of the \(found + missing) records that it says it has are not there",
                safe: "the records that came are stored; nothing counts as gone",
                next: "name the whole list in 'feeds': a page of a service's answer is a part of it")
        }
        guard let first = failures.first ?? passedOver.first.map({ ($0, otherKind) }) else { return nil }
        if read > 0, failures.isEmpty { return nil }
        let count = failures.isEmpty ? passedOver.count : failures.count
        let problem = error(
            "\(count) of \(count + read) files cannot be read, first \(first.0): \(first.1)",
            tried: "reading \(place)")
        if read == 0 { throw problem }
        return problem
    }

    private func error(_ got: String, tried: String) -> OperatorError {
        OperatorError(
            "source \(name) stopped", tried: tried, got: got, safe: PageFetcher.safe,
            next: "look at what is there; the source expects \(definition.list.format.expected)")
    }
}

extension WebRequest.Format {
    /// What is expected, in words.
    var expected: String {
        switch self {
        case .json: "JSON with a list of records"
        case .csv: "CSV whose header names the columns"
        case .vex: "CSAF, OpenVEX or CycloneDX documents"
        }
    }
}

/// Unpacks gzip and ZIP by what the bytes are, whatever the name or the server says.
struct FeedUnpacker {
    let definition: SourceDefinition
    private(set) var notes: [String] = []
    private static let bytesMax = 1 << 30
    private static let depthMax = 3

    init(definition: SourceDefinition) { self.definition = definition }

    /// A text, or why there is none.
    struct Outcome {
        let name: String
        let result: Result<FeedText, FeedProblem>

        func get() throws(FeedProblem) -> FeedText { try result.get() }
    }

    /// Gives every text to `body`.
    ///
    /// - Returns: whether there were several by design: files of an archive.
    mutating func texts(of name: String, _ bytes: [UInt8], depth: Int = 0, _ body: (Outcome) -> Void) -> Bool {
        func fail(_ got: String) { body(Outcome(name: name, result: .failure(.unusable(got)))) }
        guard depth <= Self.depthMax else {
            fail("packed into itself more than \(Self.depthMax) times")
            return false
        }
        if bytes.starts(with: [0x1F, 0x8B]) {
            do throws(Inflater.Problem) {
                let whole = try Deflate.unpack(bytes, sizeMax: Self.bytesMax)
                if whole.trailing > 0 {
                    notes.append(
                        "\(whole.trailing) bytes behind the packed text of \(name) belong to nothing and were left out")
                }
                return texts(of: name, whole.bytes, depth: depth + 1, body)
            } catch {
                fail("a packed file that cannot be unpacked: \(error.message)")
                return false
            }
        }
        guard ZipArchive.matches(bytes) else {
            let text = FeedEncoding.utf8(bytes)
            body(Outcome(name: name, result: text.map { FeedText(name: name, bytes: $0) }))
            return false
        }
        do throws(ZipArchive.Problem) {
            let archive = try ZipArchive(bytes)
            let isOnly = archive.entries.count == 1
            let entries = archive.entries.filter { isOnly || FeedNames.isWanted($0.name, definition) }
            if entries.isEmpty {
                fail("an archive with \(archive.entries.count) files, none of which belongs to the list")
            }
            for entry in entries {
                let inner = "\(name)/\(entry.name)"
                do throws(ZipArchive.Problem) {
                    let bytes = try archive.contents(of: entry, sizeMax: Self.bytesMax)
                    _ = texts(of: inner, bytes, depth: depth + 1, body)
                } catch { body(Outcome(name: inner, result: .failure(.unusable(error.message)))) }
            }
            return entries.count > 1
        } catch {
            fail("an archive that cannot be read: \(error.message)")
            return false
        }
    }
}

/// Texts in other encodings, told by their byte order mark, as UTF-8.
enum FeedEncoding {
    static func utf8(_ bytes: [UInt8]) -> Result<[UInt8], FeedProblem> {
        let isLittle = bytes.starts(with: [0xFF, 0xFE])
        guard isLittle || bytes.starts(with: [0xFE, 0xFF]) else { return .success(bytes) }
        guard bytes.count % 2 == 0 else { return .failure(.unusable("a text in UTF-16 that ends in the middle")) }
        let units = stride(from: 2, to: bytes.count, by: 2).map { i in
            UInt16(bytes[isLittle ? i + 1 : i]) << 8 | UInt16(bytes[isLittle ? i : i + 1])
        }
        return .success(Array(String(decoding: units, as: UTF16.self).utf8))
    }
}
