import Azure
import Content
import Tables

/// The keys of `vestige.yaml`, each declared once. Those of tenants and sensors stand with these, those of sinks with
/// their kinds.
enum ConfigurationSettings {
    static let workspace = Setting.text("workspace", standard: "`vestige.db`", "the workspace's file")
    static let content = Setting.texts(
        "content", "folders laid over the built-in content; a file with the same id replaces the built-in one")
    static let sources = Setting.ids("sources", standard: "all", "ids of the sources to run")
    static let keyframeDays = Setting.number(
        "keyframeDays", in: 1...365, standard: "`7`",
        "a full copy of every state table goes out once in so many days")
    static let externalData = Setting.part("externaldata", "what queries may read from outside")
    static let locations = Setting.text(
        "locations",
        "a database in MaxMind's format, such as GeoLite2-City.mmdb, for `geo_info_from_ip_address()`")
    static let schedules = Setting.map(
        "schedules", standard: "the content's intervals",
        "when sources run, by their ids: `15m`, `6h`, or a cron line in UTC such as `\"0 */6 * * *\"`; intervals are "
            + "spread by up to a tenth")
    static let exports = Setting.word(
        "exports", standard: ExportPreference.automatic,
        "exports of Defender in `pages`, as `files`, or as files above 20,000 devices")
    static let feeds = Setting.map(
        "feeds", standard: "the lists' own addresses",
        "other places of public lists, by the source's id: an address, `file:PATH`, or `off`")
    static let proxy = ProxySetting.setting("the way to all services that have no setting of their own")
    static let spool = Setting.number(
        "spoolMB", in: 1...1_000_000_000, standard: "`10240`",
        "how much may wait for any one sink; above, sources whose tables the sink does not take pause, and say so")
    static let health = Setting.flag(
        "health", standard: "`true`",
        "a row for every run and delivery goes into `VestigeHealth_CL`, and from there wherever rows go")
    static let rules = Setting.flag(
        "rules", standard: "`true`",
        "the content's rules run after each collect, and what they find goes into `VestigeFindings_CL`, and from there wherever "
            + "rows go")
    static let metrics = Setting.text(
        "metrics",
        "where a collector on schedule serves `/metrics` (Prometheus) and `/healthz`: `127.0.0.1:9464`")
    static let server = Setting.part("server", "where `vestige serve` listens, and who may ask it")
    static let evidence = Setting.part("evidence", "how cases and exports are kept for others to verify")
    static let retention = Setting.part(
        "retention",
        "how long rows are kept in the workspace; what is older is removed once a day, while collecting "
            + "([storage](concepts/storage.md))")
    static let investigate = Setting.part("investigate", "what runs only when somebody looks into something")
    static let tenant = Setting.part("tenant", "the tenant that is asked, and the application that signs in")
    static let tenants = Setting.list(
        "tenants",
        "several tenants instead of one, each with a `name`; their sources are called `id@name`. The same tenant may "
            + "stand there several times with other identities, each for sources of its own")
    static let sensors = Setting.list("sensors", "OT sensors")
    static let managers = Setting.list(
        "managers", "management consoles of Defender for IoT, with the settings of `sensors`")
    static let sinks = Setting.list("sinks", "where rows go besides the workspace")

    static let all: [any SettingDeclaration] = [
        workspace, content, sources, keyframeDays, externalData, locations, schedules, exports, feeds, proxy, spool,
        health, rules, metrics, server, retention, evidence, investigate, tenant, tenants, sensors, managers, sinks,
    ]

    enum ExternalData {
        static let files = Setting.flag(
            "files", standard: "`false`",
            "`vestige query` may read files of this machine with the `externaldata` operator")
        static let hosts = Setting(
            "hosts",
            meaning: "hosts that `externaldata` may fetch from over https, at port 443 or the one that is named: "
                + "`raw.githubusercontent.com`, `files.example.org:8443`, `*.example.org`, or `*` for any public name; "
                + "addresses in figures must be named"
        ) { yaml, name in
            let hosts = try yaml.strings(name)
            return try hosts.map { text in
                if let host = AllowedHost(text) { return host }
                throw yaml.fail(
                    "'hosts' takes names such as raw.githubusercontent.com or files.example.org:8443, "
                        + "not \"\(text.prefix(80))\"", at: name)
            }
        }
        static let all: [any SettingDeclaration] = [files, hosts]
    }

    enum Investigate {
        static let sources = Setting.ids(
            "sources",
            "sources that run only when they are named: tables of events, and what is asked of single devices "
                + "(*on demand* in [sources.md](sources.md))")
        static let devices = Setting(
            "devices", standard: "all",
            meaning: "ids or names of the devices that they ask about; sources that ask device by device need some"
        ) { yaml, name in
            let devices = try yaml.strings(name)
            guard devices.count <= Investigation.devicesMax else {
                throw yaml.fail(
                    "'devices' takes \(Investigation.devicesMax) at most; leave it out for all devices", at: name)
            }
            return devices
        }
        /// Seconds.
        static let since = Setting(
            "since", standard: "the source's", meaning: "how far back the first run looks: `7d`, 30 days at most"
        ) { yaml, name in
            let text = try yaml.string(name)
            guard let ticks = TimeSpan.parse(text), ticks > 0, ticks <= 30 * DateTime.ticksPerDay else {
                throw yaml.fail(
                    "'since' must be a duration such as 7d, 30d at most, not \"\(text.prefix(40))\"", at: name)
            }
            return Int(ticks / DateTime.ticksPerSecond)
        }
        static let all: [any SettingDeclaration] = [sources, devices, since]
    }
}
