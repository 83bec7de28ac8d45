import Tables

/// `docs/hunts.md` and `docs/controls.md`: what investigations know, as Markdown.
package enum ForensicsDocument {
    /// The hunting queries, what they cannot see, and which techniques of ATT&CK they see.
    package static func hunts(_ library: ContentLibrary) -> String {
        var out = """
            # Hunting queries

            Made from the files in `Content/Hunts` by `vestige content document --hunts`; do not edit it by hand.

            Each file is a hunting query in Microsoft Sentinel's form; what investigations need besides stands below
            its key `vestige`, [described here](content.md#hunts-huntsnameyaml). *Strong* rows stand alone. *Weak* ones
            need a second of another group in the same chain of processes, or a movement. *Inside* says nothing by itself
            and counts in a process of an intrusion alone. *Context* is never a mark: it tells why something worked, or
            what held. Try one with `vestige hunt run NAME`; `vestige hunt test NAME`
            runs it over the rows in its file that it must find and must leave alone.

            A new query is one file. `vestige content check` binds it.


            """
        out += table(
            ["name", "title", "weight", "techniques", "harm", "asks", "blind"],
            library.hunts.map { hunt in
                [
                    "`\(hunt.slug)`", hunt.title, hunt.mark.rawValue, hunt.techniques.joined(separator: " "),
                    hunt.harm ?? "", hunt.needs.joined(separator: " "),
                    hunt.blind.map { String($0.rawValue) }.joined(separator: ", "),
                ]
            })
        out += """

            ## Blind spots

            What the rows cannot tell, by the numbers of the last column: a hunt that finds nothing is no proof that
            nothing was there.


            """
        out += table(
            ["number", "blind to", "why", "hunting queries"],
            BlindSpot.allCases.map { spot in
                let count = library.hunts.filter { $0.blind.contains(spot) }.count
                return [String(spot.rawValue), spot.text, spot.reason, String(count)]
            })
        return out + coverage(library)
    }

    /// Which techniques hunts see and controls stop, for each matrix.
    private static func coverage(_ library: ContentLibrary) -> String {
        var hunts: [String: [HuntDefinition]] = [:]
        for hunt in library.hunts { for id in hunt.techniques { hunts[id, default: []].append(hunt) } }
        var controls: [String: Int] = [:]
        for control in library.controls {
            for id in Set(control.stops.map(\.technique)) { controls[id, default: 0] += 1 }
        }
        var out = """

            ## Coverage of ATT&CK

            Ids of version 18. Where version 19 has moved what a query finds to other ids, those stand beside its name.

            """
        // Ids below T1000 are those of the matrix for industrial control systems.
        for (matrix, isICS) in [("Enterprise", false), ("ICS", true)] {
            func belongs(_ id: String) -> Bool { id.hasPrefix("T0") == isICS }
            let seen = hunts.keys.filter(belongs).sorted()
            let unseen = controls.keys.filter { belongs($0) && hunts[$0] == nil }.sorted()
            out += "\n### \(matrix)\n\n\(seen.count) techniques are seen by hunting queries.\n\n"
            out += table(
                ["technique", "hunting queries", "controls against it"],
                seen.map { id in
                    let names = (hunts[id] ?? []).map { hunt in
                        hunt.techniquesV19.isEmpty
                            ? hunt.slug : "\(hunt.slug) (\(hunt.techniquesV19.joined(separator: " ")))"
                    }
                    return [id, names.joined(separator: ", "), String(controls[id] ?? 0)]
                })
            out += "\nKnown to controls and seen by no hunting query of their own: "
            out += (unseen.isEmpty ? "none" : unseen.joined(separator: " ")) + ".\n"
        }
        return out
    }

    /// The controls, and which techniques each stops.
    package static func controls(_ library: ContentLibrary) -> String {
        var out = """
            # Controls

            Made from the files in `Content/Controls` by `vestige content document --controls`; do not edit it by hand.

            An investigation reads the state of each control against a technique as it was known at the minute of the
            step, on the device where the step worked. Unknown is not off; what the intruder switched off is harm and no
            cause. `vestige why DEVICE CONTROL --at TIME` tells one. The effect on a technique stands in brackets, with
            how sure that is.


            """
        out += table(
            ["control", "title", "what is missing", "state from", "stops or limits", "same gap as"],
            library.controls.map { control in
                let stops = control.stops.map {
                    "\($0.technique) (\($0.effect.rawValue), \($0.confidence.rawValue))"
                }
                return [
                    "`\(control.id)`", control.title, control.kind.rawValue, control.reading.rawValue,
                    stops.joined(separator: ", "), control.sameAs.map { "`\($0)`" }.joined(separator: " "),
                ]
            })
        out += """

            ## What shows a gap

            For controls of which the assessment says too little, or nothing.


            """
        out += table(
            ["control", "look for"],
            library.controls.compactMap { control in control.gap.map { ["`\(control.id)`", $0] } })
        out += "\n## Attack surface reduction rules\n\n"
        out += table(
            ["control", "rule", "audited as", "blocked as"],
            library.controls.compactMap { control in
                control.rule.map {
                    [
                        "`\(control.id)`", $0, control.audited.joined(separator: " "),
                        control.blocked.joined(separator: " "),
                    ]
                }
            })
        out += "\n## Harm\n\n"
        out += table(
            ["category", "techniques", "counted once a", "what looks the same and is not"],
            library.havoc.map { ["`\($0.id)`", $0.techniques.joined(separator: " "), $0.countOncePer, $0.twin] })
        return out
    }

    private static func table(_ columns: [String], _ rows: [[String]]) -> String {
        let head = "| " + columns.joined(separator: " | ") + " |\n|" + String(repeating: "---|", count: columns.count)
        // A bar would end the cell.
        let lines = rows.map { "| " + $0.map { $0.replacing("|", with: "/") }.joined(separator: " | ") + " |" }
        return ([head] + lines).joined(separator: "\n") + "\n"
    }
}
