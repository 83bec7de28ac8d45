/// An operating system of the simulated machines, as `/api/machines` says it.
struct Platform: Sendable {
    /// `Windows10`, `WindowsServer2019`, `macOS`, `Ubuntu`, …
    let name: String
    /// `Windows`, `macOS`, `Linux`, `Android`, `iOS`.
    let family: String
    let version: String
    let osVersion: String
    let build: Int64?
    let isServer: Bool

    private init(_ name: String, _ family: String, _ version: String, _ os: String, _ build: Int64?, _ server: Bool) {
        self.name = name
        self.family = family
        self.version = version
        osVersion = os
        self.build = build
        isServer = server
    }

    static let windows11 = Platform("Windows11", "Windows", "23H2", "10.0.22631.4317", 22631, false)
    static let windows10 = Platform("Windows10", "Windows", "22H2", "10.0.19045.5011", 19045, false)
    static let server2022 = Platform("WindowsServer2022", "Windows", "21H2", "10.0.20348.2762", 20348, true)
    static let server2019 = Platform("WindowsServer2019", "Windows", "1809", "10.0.17763.6414", 17763, true)
    static let server2016 = Platform("WindowsServer2016", "Windows", "1607", "10.0.14393.7428", 14393, true)
    static let windows7 = Platform("Windows7", "Windows", "6.1", "6.1.7601.24214", 7601, false)
    static let mac = Platform("macOS", "macOS", "14.7", "14.7", 23, false)
    static let ubuntu = Platform("Ubuntu", "Linux", "22.4", "22.4", nil, true)
    static let redHat = Platform("RedHatEnterpriseLinux", "Linux", "9.4", "9.4", nil, true)
    static let android = Platform("Android", "Android", "14.0", "14.0", nil, false)
    static let iOS = Platform("iOS", "iOS", "17.6", "17.6", nil, false)

    private static let all = [
        windows11, windows10, server2022, server2019, server2016, windows7, mac, ubuntu, redHat, android, iOS,
    ]

    static func named(_ name: String) -> Platform? { all.first { $0.name == name } }

    /// The system of a machine by a roll of a hundred.
    static func of(percent: Int) -> Platform {
        switch percent {
        case 0..<38: windows11
        case 38..<58: windows10
        case 58..<68: server2019
        case 68..<74: server2016
        case 74..<76: windows7
        case 76..<86: mac
        case 86..<93: ubuntu
        case 93..<97: redHat
        case 97..<99: android
        default: iOS
        }
    }
}
