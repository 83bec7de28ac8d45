import Foundation
import Hummingbird
import Tables

/// Public lists about vulnerabilities, in the shapes of CISA and FIRST, about the lab's own vulnerabilities.
struct FeedRoutes: Sendable {
    func add(to router: Router<BasicRequestContext>) {
        router.get("/feeds/known_exploited_vulnerabilities.json") { _, _ in
            let listed = Vulnerabilities.all.filter(\.isExploited).map { v -> Value in
                .bag(
                    Bag([
                        ("cveID", .string(v.id)), ("vendorProject", .string(v.vendor)), ("product", .string(v.product)),
                        ("vulnerabilityName", .string(v.summary)), ("dateAdded", .string(v.published)), ("shortDescription", .string(v.summary)),
                        ("requiredAction", .string("Apply updates per vendor instructions.")), ("dueDate", .string(v.published)),
                        ("knownRansomwareCampaignUse", .string(v.score > 8.5 ? "Known" : "Unknown")), ("notes", .string("")), ("cwes", .array([])),
                    ]))
            }
            return Reply.json(
                .bag(
                    Bag([
                        ("title", .string("Known exploited vulnerabilities of the lab")), ("catalogVersion", .string("2026.01.01")),
                        ("dateReleased", .string("2026-01-01T00:00:00Z")), ("count", .long(Int64(listed.count))), ("vulnerabilities", .array(listed)),
                    ])))
        }
        router.get("/feeds/epss_scores-current.csv.gz") { _, _ in
            var text = "#model_version:v2025.03.14,score_date:2026-01-01T00:00:00+0000\ncve,epss,percentile\n"
            for v in Vulnerabilities.all { text += "\(v.id),\(v.isExploited ? 0.9 : 0.02),\(v.isExploited ? 0.99 : 0.4)\n" }
            return Reply.raw(Deflate.compress(Array(text.utf8)) ?? [], type: "application/gzip")
        }
    }
}
