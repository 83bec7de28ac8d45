import Foundation
import Tables

/// Offsets of IANA time zones, from the system's database.
enum TimeZones {
    /// The zones of the IANA database, and their older names, which are links to them there.
    static let names: [String] = {
        // A line `Z name …` begins a zone, `L zone name` gives it another name.
        let lines = try? String(contentsOfFile: "/usr/share/zoneinfo/tzdata.zi", encoding: .utf8).split(separator: "\n")
        let listed = (lines ?? []).compactMap { line -> String? in
            let words = line.split(separator: " ")
            switch words.first {
            case "Z": return words.count > 1 ? String(words[1]) : nil
            case "L": return words.count > 2 ? String(words[2]) : nil
            default: return nil
            }
        }
        return Set(TimeZone.knownTimeZoneIdentifiers + listed).sorted()
    }()

    private static func offset(_ zone: TimeZone, atUTC t: Int64) -> Int64 {
        let seconds = Double(t - DateTime.unixEpoch) / 1e7
        return Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: seconds))) * DateTime.ticksPerSecond
    }

    /// Nil when the zone is not known.
    static func toLocal(_ t: Int64, _ name: String) -> Int64? {
        TimeZone(identifier: name).map { t + offset($0, atUTC: t) }
    }

    static func toUTC(_ t: Int64, _ name: String) -> Int64? {
        guard let zone = TimeZone(identifier: name) else { return nil }
        let before = offset(zone, atUTC: t - DateTime.ticksPerDay)
        let after = offset(zone, atUTC: t + DateTime.ticksPerDay)
        // A local time that the clock shows twice is the later one; one that it skips is read with the offset after the
        // change.
        for o in [after, before] where offset(zone, atUTC: t - o) == o { return t - o }
        return t - after
    }
}
