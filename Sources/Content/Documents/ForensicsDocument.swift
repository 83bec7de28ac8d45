import Tables

/// `docs/hunts.md` and `docs/controls.md`: what investigations know, as Markdown.
package enum ForensicsDocument {
    /// The hunting queries, and which techniques of ATT&CK they see.
    package static func hunts(_ library: ContentLibrary) -> String {
        var out = """
            # Hunting queries

            Made from the files in `Content/Hunts` by `vestige content document --hunts`; do not edit it by hand.

            Each file is a hunting query in Microsoft Sentinel's form; what investigations need besides stands below its key
            `vestige`. *Strong* rows stand alone. *Weak* ones need a second of another group in the same chain of processes, or a
            movement. *Context* is never a mark: it tells why something worked, or what held. Try one with `vestige hunt run NAME`.

            A new query is one file. `vestige content check` binds it.


            """
        out += "| name | title | weight | techniques | harm | asks |\n|---|---|---|---|---|---|\n"
        for hunt in library.hunts {
            let cells = [
                "`\(hunt.slug)`", hunt.title, hunt.mark.rawValue, hunt.techniques.joined(separator: " "),
                hunt.harm ?? "",
                hunt.needs.joined(separator: " "),
            ]
            out += "| " + cells.joined(separator: " | ") + " |\n"
        }
        out += "\n## Coverage of ATT&CK\n\nIds of version 18; those of version 19 stand in the files.\n\n"
        out += "| technique | hunting queries | controls against it |\n|---|---|---|\n"
        var hunts: [String: [String]] = [:]
        for hunt in library.hunts {
            for technique in hunt.techniques { hunts[technique, default: []].append(hunt.slug) }
        }
        for technique in hunts.keys.sorted() {
            let controls = library.controls.filter { $0.stops.contains { $0.technique == technique } }.count
            out += "| \(technique) | \(hunts[technique]?.joined(separator: ", ") ?? "") | \(controls) |\n"
        }
        return out
    }

    /// The controls, and which techniques each stops.
    package static func controls(_ library: ContentLibrary) -> String {
        var out = """
            # Controls

            Made from the files in `Content/Controls` by `vestige content document --controls`; do not edit it by hand.

            An investigation reads the state of each control against a technique as it was known at the minute of the step, on the
            device where the step worked. Unknown is not off; what the intruder switched off is harm and no cause.
            `vestige why DEVICE CONTROL --at TIME` tells one.


            """
        out += "| control | title | what is missing | state from | stops or limits |\n|---|---|---|---|---|\n"
        for control in library.controls {
            let stops = control.stops.map { "\($0.technique) (\($0.effect.rawValue))" }.joined(separator: ", ")
            let cells = [
                "`\(control.id)`", control.title.replacing("|", with: "/"), control.kind.rawValue,
                control.reading.rawValue, stops,
            ]
            out += "| " + cells.joined(separator: " | ") + " |\n"
        }
        out +=
            "\n## Harm\n\n| category | techniques | counted once a | what looks the same and is not |\n|---|---|---|---|\n"
        for category in library.havoc {
            let cells = [
                "`\(category.id)`", category.techniques.joined(separator: " "), category.countOncePer, category.twin,
            ]
            out += "| " + cells.joined(separator: " | ") + " |\n"
        }
        return out
    }
}
