import Tables

/// What an investigation says as a whole, beside its claims: the verdict, the devices, how protection stood on them,
/// who else has the same gap, and what is not known. A case keeps one for each time that it was opened.
package struct CaseSummary: Sendable, Equatable {
    package struct Device: Sendable, Equatable {
        package let id: String
        package let name: String
        /// Ticks.
        package let firstSign: Int64
        package let isPlant: Bool

        package init(id: String, name: String, firstSign: Int64, isPlant: Bool) {
            self.id = id
            self.name = name
            self.firstSign = firstSign
            self.isPlant = isPlant
        }
    }

    /// How the controls that matter stood on a device from a time on.
    package struct Posture: Sendable, Equatable {
        /// The device's id.
        package let device: String
        /// Ticks; until the next one of the same device.
        package let from: Int64
        /// Controls that were off, or flaws that were open.
        package let off: [String]
        package let on: [String]

        package init(device: String, from: Int64, off: [String], on: [String]) {
            self.device = device
            self.from = from
            self.off = off
            self.on = on
        }
    }

    /// Devices that have a gap of the intrusion too.
    package struct Gap: Sendable, Equatable {
        package let control: String
        package let title: String
        /// Those that the internet reaches first; at most `devicesMax`.
        package let devices: [String]
        /// Of all of them.
        package let count: Int
        /// Gives all of them.
        package let query: String
        package static let devicesMax = 30

        package init(control: String, title: String, devices: [String], count: Int, query: String) {
            self.control = control
            self.title = title
            self.devices = devices
            self.count = count
            self.query = query
        }
    }

    package var verdict: Investigation.Verdict
    package var devices: [Device]
    package var posture: [Posture] = []
    package var gaps: [Gap] = []
    package var unknowns: [String] = []
    /// Marks that are habits of the estate, by hunt.
    package var setAside: [String: Int64] = [:]

    package init(verdict: Investigation.Verdict, devices: [Device]) {
        self.verdict = verdict
        self.devices = devices
    }
}

extension CaseSummary {
    package var json: JSON {
        func texts(_ texts: [String]) -> JSON { .array(texts.map { .string($0) }) }
        return [
            "verdict": .string(verdict.rawValue),
            "devices": .array(
                devices.map {
                    [
                        "id": .string($0.id), "name": .string($0.name),
                        "firstSign": .string(DateTime.format($0.firstSign)), "isPlant": .bool($0.isPlant),
                    ]
                }),
            "posture": .array(
                posture.map {
                    [
                        "device": .string($0.device), "from": .string(DateTime.format($0.from)),
                        "off": texts($0.off), "on": texts($0.on),
                    ]
                }),
            "gaps": .array(
                gaps.map {
                    [
                        "control": .string($0.control), "title": .string($0.title), "devices": texts($0.devices),
                        "count": .integer(Int64($0.count)), "query": .string($0.query),
                    ]
                }),
            "unknowns": texts(unknowns),
            "setAside": .object(
                JSON.Members(setAside.sorted { $0.key < $1.key }.map { ($0.key, .integer($0.value)) })),
        ]
    }

    /// A summary as it was written; nil for what this version of the program cannot read.
    package init?(_ json: JSON) {
        func texts(_ json: JSON?) -> [String]? { json?.array?.compactMap(\.string) }
        func time(_ json: JSON?) -> Int64? { json?.string.flatMap { DateTime.parse($0) } }
        guard let verdict = json["verdict"]?.string.flatMap({ Investigation.Verdict(rawValue: $0) }),
            let devices = json["devices"]?.array, let posture = json["posture"]?.array,
            let gaps = json["gaps"]?.array, let unknowns = texts(json["unknowns"]),
            let setAside = json["setAside"]?.members
        else { return nil }
        self.verdict = verdict
        self.devices = devices.compactMap { device in
            guard let id = device["id"]?.string, let name = device["name"]?.string,
                let first = time(device["firstSign"]), let isPlant = device["isPlant"]?.bool
            else { return nil }
            return Device(id: id, name: name, firstSign: first, isPlant: isPlant)
        }
        self.posture = posture.compactMap { state in
            guard let device = state["device"]?.string, let from = time(state["from"]),
                let off = texts(state["off"]), let on = texts(state["on"])
            else { return nil }
            return Posture(device: device, from: from, off: off, on: on)
        }
        self.gaps = gaps.compactMap { gap in
            guard let control = gap["control"]?.string, let title = gap["title"]?.string,
                let devices = texts(gap["devices"]), let count = gap["count"]?.integer,
                let query = gap["query"]?.string
            else { return nil }
            return Gap(control: control, title: title, devices: devices, count: Int(count), query: query)
        }
        self.unknowns = unknowns
        self.setAside = Dictionary(
            uniqueKeysWithValues: zip(setAside.names, setAside.values).compactMap { name, count in
                count.integer.map { (name, $0) }
            })
    }
}
