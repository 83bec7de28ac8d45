import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import Synchronization
import Tables

/// Public lists in their publishers' forms, about the lab's own vulnerabilities; and what a test publishes.
///
/// Every answer has an entity tag, and a question with that tag is answered by 304 (RFC 9110, section 13.1.2), as the
/// real publishers do.
struct FeedRoutes: Sendable {
    let lab: LabState

    func add(to router: Router<BasicRequestContext>) {
        router.get("/feeds/**") { request, context in
            let path = context.parameters.getCatchAll().joined(separator: "/")
            guard let answer = lab.feeds.published(path) ?? Self.own(path) else { return Reply.raw([], status: 404) }
            return Self.answer(request, lab.feeds.bent(path, answer))
        }
    }

    private static func answer(_ request: Request, _ feed: PublishedFeed) -> Response {
        let tag = "\"\(Hex.string(SHA256.hash(data: feed.bytes).prefix(12)))\""
        let headers = feed.hasTag ? [("ETag", tag)] : []
        if feed.hasTag, request.headers[.ifNoneMatch] == tag { return Reply.raw([], status: 304, headers: headers) }
        return Reply.raw(feed.bytes, type: feed.type, headers: headers)
    }

    /// The lists that the lab has of itself.
    private static func own(_ path: String) -> PublishedFeed? {
        switch path {
        case "known_exploited_vulnerabilities.json": .json(FeedDocuments.exploited())
        case "known_exploited_vulnerabilities.csv": .text(FeedDocuments.exploitedCSV(), type: "text/csv")
        case "epss_scores-current.csv.gz": .gzip(FeedDocuments.predictions())
        case "nvdcve-2.0-modified.json.gz": .gzip(FeedDocuments.nvd().text)
        // There is one month only.
        case "cvrf/2026-feb", "cvrf/2026-Feb": .json(FeedDocuments.securityUpdates())
        case "cves.json": .json(.array(CveDocuments.records()))
        case "vex/lab.json": .json(CveDocuments.statements())
        default: nil
        }
    }
}

/// A list as it is served.
struct PublishedFeed: Sendable {
    var bytes: [UInt8]
    var type: String
    var hasTag = true

    static func json(_ document: JSON) -> PublishedFeed {
        PublishedFeed(bytes: document.bytes, type: "application/json; charset=utf-8")
    }

    static func text(_ text: String, type: String) -> PublishedFeed {
        PublishedFeed(bytes: Array(text.utf8), type: type)
    }

    static func gzip(_ text: String) -> PublishedFeed {
        guard let packed = Deflate.compress(Array(text.utf8)) else { preconditionFailure("no memory to pack a list") }
        return PublishedFeed(bytes: packed, type: "application/gzip")
    }
}

/// How a publisher's server, or something on the way to it, goes wrong while it still says 200.
package enum FeedFault: String, Sendable, CaseIterable {
    /// An object with a message instead of the list.
    case message
    /// An object with an error instead of the list.
    case error
    /// The list, without an entry.
    case emptyList = "empty-list"
    /// Nothing at all.
    case nothing
    case null
    /// A number, or a text, instead of an object.
    case bareNumber = "bare-number"
    case bareText = "bare-text"
    /// A list of numbers.
    case numbers
    case webPage = "web-page"
    /// The members or columns have other names.
    case renamed
    /// Half of the bytes.
    case cut

    /// The answer instead of a list's own.
    func bend(_ feed: PublishedFeed) -> PublishedFeed {
        switch self {
        case .message: .json(["message": "Service temporarily unavailable", "status": 0])
        case .error: .json(["error": ["code": "Throttled", "message": "try again later"]])
        case .emptyList: .json(["title": "list", "count": 0, "vulnerabilities": [], "Vulnerability": []])
        case .nothing: .text("", type: feed.type)
        case .null: .text("null", type: "application/json")
        case .bareNumber: .text("42", type: "application/json")
        case .bareText: .text("\"maintenance\"", type: "application/json")
        case .numbers: .text("[1, 2, 3]", type: "application/json")
        // The type is wrong as well, as of a captive portal that keeps the one that was asked for.
        case .webPage: .text("<!DOCTYPE html><html><body>Sign in</body></html>", type: "application/json")
        case .renamed: Self.renamed(feed)
        case .cut: PublishedFeed(bytes: Array(feed.bytes.prefix(feed.bytes.count / 2)), type: feed.type)
        }
    }

    private static let names = [
        "cveID": "cve_identifier", "cve,epss": "identifier,epss_score", "\"CVE\"": "\"Identifier\"",
        "\"cve\":": "\"entry\":", "cveMetadata": "meta", "csaf_version": "version",
    ]

    private static func renamed(_ feed: PublishedFeed) -> PublishedFeed {
        let plain = Deflate.decompress(feed.bytes, sizeMax: 64 << 20) ?? feed.bytes
        var text = String(decoding: plain, as: UTF8.self)
        for (old, new) in names { text = text.replacing(old, with: new) }
        return .text(text, type: feed.type)
    }
}

/// The lists that tests publish, and those that go wrong.
final class FeedStore: Sendable {
    private struct Shared {
        var published: [String: PublishedFeed] = [:]
        var faults: [String: FeedFault] = [:]
        var met: Set<String> = []
    }

    private let shared = Mutex(Shared())

    func publish(_ path: String, _ feed: PublishedFeed) { shared.withLock { $0.published[path] = feed } }
    func published(_ path: String) -> PublishedFeed? { shared.withLock { $0.published[path] } }

    func bend(_ path: String, _ fault: FeedFault?) {
        shared.withLock {
            $0.faults[path] = fault
            $0.met.remove(path)
        }
    }

    /// A list's answer, which may go wrong.
    func bent(_ path: String, _ feed: PublishedFeed) -> PublishedFeed {
        shared.withLock { state in
            guard let fault = state.faults[path] else { return feed }
            state.met.insert(path)
            return fault.bend(feed)
        }
    }

    /// Whether somebody got the wrong answer of a list.
    func isMet(_ path: String) -> Bool { shared.withLock { $0.met.contains(path) } }
}

extension Lab {
    /// Publishes a list under `/feeds/`, or replaces one.
    ///
    /// - Parameter hasTag: whether the server says by what to ask whether it has changed.
    package func publish(_ path: String, _ bytes: [UInt8], type: String = "application/json", hasTag: Bool = true) {
        feeds.publish(path, PublishedFeed(bytes: bytes, type: type, hasTag: hasTag))
    }

    /// Lets a list go wrong from now on; nil for right again.
    package func bend(_ path: String, _ fault: FeedFault?) { feeds.bend(path, fault) }

    /// Whether somebody got the wrong answer of a list.
    package func isBendingMet(_ path: String) -> Bool { feeds.isMet(path) }
}
