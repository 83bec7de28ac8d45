import Tables

/// Indicators as a STIX 2.1 bundle: each with its sightings, marked TLP:AMBER.
enum StixIndicators {
    /// The marking that STIX itself defines for TLP:AMBER (STIX 2.1, section 7.2.1.4).
    private static let amber = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"

    static func text(_ list: IndicatorList, _ leftOut: [CaseExport.Reason: Int]) -> String {
        let story = list.story
        let marking: JSON = [.string(amber)]
        var objects = [Stix.author(story)]
        for seen in list.indicators {
            let name = "\(seen.indicator.kind.rawValue):\(seen.indicator.value)"
            var indicator = Stix.object("indicator", story.name + name, story)
            indicator["created_by_ref"] = Stix.authorID()
            indicator["name"] = .string(name)
            indicator["description"] = .string(
                "Seen on \(seen.devices.joined(separator: ", ")); claims \(seen.claims.joined(separator: ", "))"
                    + (seen.techniques.isEmpty ? "" : "; \(seen.techniques.joined(separator: ", "))"))
            indicator["indicator_types"] = ["malicious-activity"]
            indicator["pattern"] = .string(pattern(seen.indicator))
            indicator["pattern_type"] = "stix"
            indicator["valid_from"] = .string(Stix.time(seen.first))
            indicator["confidence"] = 85
            indicator["object_marking_refs"] = marking
            var sighting = Stix.object("sighting", story.name + name, story)
            sighting["created_by_ref"] = Stix.authorID()
            sighting["first_seen"] = .string(Stix.time(seen.first))
            sighting["last_seen"] = .string(Stix.time(seen.last))
            sighting["count"] = .integer(Int64(seen.claims.count))
            sighting["sighting_of_ref"] = indicator["id"]
            sighting["object_marking_refs"] = marking
            objects += [.object(indicator), .object(sighting)]
        }
        if let note = Stix.note(story, leftOut, about: Stix.authorID()) { objects.append(note) }
        return Stix.bundle(story.name + "indicators", objects)
    }

    /// A pattern of STIX (section 9). Only backslash and apostrophe mean something inside its quotes.
    private static func pattern(_ indicator: Indicator) -> String {
        let value = indicator.value.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
        let path =
            switch indicator.kind {
            case .ipv4: "ipv4-addr:value"
            case .ipv6: "ipv6-addr:value"
            case .domain: "domain-name:value"
            case .url: "url:value"
            case .sha256: "file:hashes.'SHA-256'"
            case .sha1: "file:hashes.'SHA-1'"
            case .md5: "file:hashes.MD5"
            }
        return "[\(path) = '\(value)']"
    }
}

/// Indicators as an event of MISP (https://www.misp-standard.org/rfc/misp-standard-core.html).
enum MispEvent {
    static func text(_ list: IndicatorList, _ leftOut: [CaseExport.Reason: Int]) -> String {
        let story = list.story
        let seconds = JSON.string("\((story.opened - DateTime.unixEpoch) / DateTime.ticksPerSecond)")
        let attributes = list.indicators.map { seen -> JSON in
            let (type, category) = type(seen.indicator.kind)
            let claims = seen.claims.joined(separator: ", ")
            return [
                "uuid": .string(Stix.uuid("misp" + story.name + seen.indicator.kind.rawValue + seen.indicator.value)),
                "type": .string(type), "category": .string(category), "value": .string(seen.indicator.value),
                "to_ids": true, "distribution": "5", "timestamp": seconds,
                "first_seen": .string(moment(seen.first)), "last_seen": .string(moment(seen.last)),
                "comment": .string("seen on \(seen.devices.joined(separator: ", ")); claims \(claims)"),
            ]
        }
        let comment = CaseExport.omission(leftOut).map { text -> [JSON] in
            [
                [
                    "uuid": .string(Stix.uuid("misp" + story.name + "left-out")), "type": "comment",
                    "category": "Internal reference", "value": .string(text), "to_ids": false, "distribution": "0",
                    "timestamp": seconds,
                ]
            ]
        }
        let event: JSON = [
            "Event": [
                "uuid": .string(Stix.uuid("misp" + story.name)),
                "info": .string("\(story.name): \(story.headline)"),
                "date": .string(String(DateTime.format(story.opened).prefix(10))), "timestamp": seconds,
                // High, ongoing, this organisation only, not yet published: people decide what goes out.
                "threat_level_id": "1", "analysis": "1", "distribution": "0", "published": false,
                "Tag": [["name": "tlp:amber", "colour": "#FFC000"]],
                "Attribute": .array(attributes + (comment ?? [])),
            ]
        ]
        return event.text + "\n"
    }

    private static func moment(_ ticks: Int64) -> String { String(DateTime.format(ticks).prefix(26)) + "+00:00" }

    private static func type(_ kind: Indicator.Kind) -> (type: String, category: String) {
        switch kind {
        case .ipv4, .ipv6: ("ip-dst", "Network activity")
        case .domain: ("domain", "Network activity")
        case .url: ("url", "Network activity")
        case .sha256: ("sha256", "Payload delivery")
        case .sha1: ("sha1", "Payload delivery")
        case .md5: ("md5", "Payload delivery")
        }
    }
}
