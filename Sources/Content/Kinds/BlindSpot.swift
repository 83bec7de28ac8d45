/// What the rows of the tables cannot tell: why a hunt that finds nothing is no proof that nothing was there.
///
/// The numbers stand in the files of hunts, under `blind`.
package enum BlindSpot: Int, Sendable, CaseIterable {
    case repeats = 1
    case unwrittenText
    case outcome
    case volume
    case sharedAddresses
    case unauditedActions
    case otherHandles
    case unwatchedKeys
    case reads
    case laterLoads
    case aggregatedLogons
    case silentSensor
    case otherSystems
    case unusedRules
    case assessmentAge
    case unsensedLinks
    case alertsOff
    case directoryLogs

    /// The end of the sentence "blind to …".
    package var text: String {
        switch self {
        case .repeats: "repeats within a day are reported once"
        case .unwrittenText: "text that never reaches a command line"
        case .outcome: "whether the program did what it was told"
        case .volume: "how many bytes went"
        case .sharedAddresses: "names behind a shared address"
        case .unauditedActions: "what the audit policy leaves out"
        case .otherHandles: "calls that the sensor does not keep"
        case .unwatchedKeys: "keys that the sensor does not watch"
        case .reads: "files that were only read"
        case .laterLoads: "libraries loaded again"
        case .aggregatedLogons: "the source of aggregated logons"
        case .silentSensor: "a sensor that is off"
        case .otherSystems: "what Linux and macOS sensors do not keep"
        case .unusedRules: "rules that are off or excluded"
        case .assessmentAge: "what changed since the last assessment"
        case .unsensedLinks: "links without a sensor"
        case .alertsOff: "alerts that are off by default"
        case .directoryLogs: "logs of the directory and the cloud"
        }
    }

    /// Why that is so, for who wonders.
    package var reason: String {
        switch self {
        case .repeats: "Most kinds of events are sent once in 24 hours for equal fields; presence counts, not number."
        case .unwrittenText: "What is typed into an open shell, piped in or kept in a script file has no command line."
        case .outcome: "There is neither an exit code nor the end of a process: an attempt looks like a success."
        case .volume: "Network events have no byte counts."
        case .sharedAddresses: "The name of a peer is often empty, or that of a content network or proxy."
        case .unauditedActions: "Services, tasks, accounts, groups and log clearing need their audit subcategory."
        case .otherHandles:
            "Handles are told of for lsass, the sensor and TrustedInstaller; known search tools are left out."
        case .unwatchedKeys: "Registry events cover chosen keys."
        case .reads: "File events have no reads and a selection of writes; hashes are often empty."
        case .laterLoads: "A library that was loaded before, from memory or by a signed host, is not always told of."
        case .aggregatedLogons: "Aggregated rows keep the number of logons and lose sources; addresses move."
        case .silentSensor: "A sensor that was stopped, isolated or off tells nothing."
        case .otherSystems: "Linux and macOS send fewer kinds of events, and no registry."
        case .unusedRules: "Rules speak only where they are on, audited or blocking, and not excluded."
        case .assessmentAge: "Posture is assessed about once a day, and a row that goes may have aged out."
        case .unsensedLinks: "Serial and encrypted links, and switches without a mirror port, show nothing."
        case .alertsOff: "Some alerts of plant sensors are off by default; titles change between versions."
        case .directoryLogs: "Logs of domain controllers and of the cloud's directory are not among the tables."
        }
    }
}
