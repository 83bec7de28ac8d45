import Tables

/// A category of harm: what proves it, how it is counted, and what looks the same and is not.
package struct HavocDefinition: Sendable {
    /// How the plant's sensors tell of it.
    package struct Plant: Sendable {
        package let technique: String
        /// Values of `EventType` of `IoTEvents_CL`.
        package let events: [String]
        /// Values of `EventType` by which the sensors tell that a device refused it.
        package let refused: [String]
        /// Parts of alert titles in small letters; titles change between versions of the sensor.
        package let alerts: [String]
    }

    package let id: String
    package let title: String
    package let techniques: [String]
    package let proof: String
    package let countOncePer: String
    /// What is set aside, in words.
    package let twin: String
    package let plant: Plant?
    package let file: String

    init(yaml: Fields, file: String) throws {
        self.file = file
        try yaml.only(["id", "title", "domain", "techniques", "proof", "countOncePer", "twin", "plant"])
        id = try yaml.string("id")
        title = try yaml.string("title")
        techniques = try yaml.strings("techniques")
        proof = try yaml.string("proof")
        countOncePer = try yaml.string("countOncePer")
        twin = try yaml.string("twin")
        plant = try yaml.optionalFields("plant").map { plant in
            try plant.only(["technique", "events", "refused", "alerts"])
            return Plant(
                technique: try plant.string("technique"), events: try plant.strings("events"),
                refused: try plant.strings("refused"), alerts: try plant.strings("alerts"))
        }
    }
}
