import Tables

/// How numbers of a column are written.
struct NumberFormat: Sendable {
    /// By its number in files; sources as for `CellFormatter`.
    enum Unit: Int, Sendable {
        case none = 0
        /// The value is already a hundredfold.
        case percent = 1
        case bytes = 2
        case kilobytes = 3
        case megabytes = 4
        case gigabytes = 5
        case bytesPerSecond = 11
        case kilobytesPerSecond = 12
        case megabytesPerSecond = 13
        case count = 17
        case microseconds = 22
        case milliseconds = 23
        case seconds = 24
        case minutes = 25
        case hours = 26
        case days = 27
        case perSecond = 31
        case bytesOf1024 = 36
        case kibibytes = 37
        case mebibytes = 38
        case gibibytes = 39
    }

    let unit: Unit
    /// Whether the value is a share, to be written in hundredths.
    let isShare: Bool
    /// Decimals at most; nil for what suits the unit.
    let digits: Int?

    init(_ format: JSON) {
        unit = format.count("unit").flatMap { Unit(rawValue: $0) } ?? .none
        let options = format.object("options")
        isShare = options.text("style") == "percent"
        digits = options.count("maximumFractionDigits").map { min(max($0, 0), 9) }
    }

    private init(unit: Unit) {
        self.unit = unit
        isShare = false
        digits = nil
    }

    /// A number without a format of its own.
    static let plain = NumberFormat(unit: .none)
    /// A count of things.
    static let count = NumberFormat(unit: .count)
}
