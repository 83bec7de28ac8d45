import Tables

/// Browsers, systems and devices by what they call themselves
/// (https://learn.microsoft.com/kusto/query/parse-user-agent-function).
///
/// The service has a table of some thousand patterns; these are our own, for the agents that logs are full of. What
/// none
/// of them knows is `Other`.
enum UserAgent {
    private struct Rule {
        /// Groups 1 to 4 are the parts of the version, unless `fixed` gives them.
        let pattern: String
        let family: String
        var fixed: [String] = []
    }

    private static func rule(_ pattern: String, _ family: String, _ fixed: String...) -> Rule {
        Rule(pattern: pattern, family: family, fixed: fixed)
    }

    private static let version = #"(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:\.(\d+))?"#

    /// The first that fits counts: what pretends to be others comes before them.
    private static let named: [(String, String)] = [
        ("Googlebot/", "Googlebot"), ("bingbot/", "bingbot"), ("AdobeAIR/", "AdobeAIR"),
        (#"Series60/"#, "Nokia OSS Browser"), ("EdgA/", "Edge Mobile"), ("EdgiOS/", "Edge Mobile"),
        ("Edge?/", "Edge"), ("OPR/", "Opera"), ("Opera Mini/", "Opera Mini"), ("Vivaldi/", "Vivaldi"),
        ("YaBrowser/", "Yandex Browser"), ("SamsungBrowser/", "Samsung Internet"), ("Electron/", "Electron"),
        ("HeadlessChrome/", "HeadlessChrome"), ("CriOS/", "Chrome Mobile iOS"), ("FxiOS/", "Firefox iOS"),
        (#"Mobile;.*Firefox/"#, "Firefox Mobile"), ("Firefox/", "Firefox"), ("Thunderbird/", "Thunderbird"),
        (#"Android.*Version/[\d.]+ Chrome/"#, "Chrome Mobile WebView"), ("Chromium/", "Chromium"),
        ("curl/", "curl"), ("Wget/", "Wget"), ("python-requests/", "Python Requests"),
        ("Python-urllib/", "Python-urllib"),
        ("aiohttp/", "Python/aiohttp"), ("Go-http-client/", "Go-http-client"), ("okhttp/", "okhttp"),
        ("Apache-HttpClient/", "Apache-HttpClient"), (#"WindowsPowerShell/"#, "PowerShell"),
        (#"PowerShell/"#, "PowerShell"),
        ("Java/", "Java"), ("PostmanRuntime/", "PostmanRuntime"),
    ]

    private static let browsers: [Rule] = named.map { Rule(pattern: $0.0 + version, family: $0.1) } + others

    private static let others: [Rule] = [
        rule(#"Android.*Chrome/\#(version) Mobile"#, "Chrome Mobile"), rule("Chrome/\(version)", "Chrome"),
        rule("Version/\(version).*Mobile.*Safari/", "Mobile Safari"),
        rule("Version/\(version).*Safari/", "Safari"), rule("MSIE \(version)", "IE"),
        rule(#"Trident/7\.0.*rv:\#(version)"#, "IE"), rule("Opera/\(version)", "Opera"),
    ]

    private static let systems: [Rule] = [
        rule("Windows Phone(?: OS)? \(version)", "Windows Phone"), rule(#"Windows NT 10\.0"#, "Windows", "10"),
        rule(#"Windows NT 6\.3"#, "Windows", "8", "1"), rule(#"Windows NT 6\.2"#, "Windows", "8"),
        rule(#"Windows NT 6\.1"#, "Windows", "7"), rule(#"Windows NT 6\.0"#, "Windows", "Vista"),
        rule(#"Windows NT 5\.[12]"#, "Windows", "XP"), rule("Windows", "Windows"),
        rule("SymbianOS/\(version)", "Symbian OS"), rule("Android \(version)", "Android"),
        rule(#"(?:CPU|iPhone) OS (\d+)[_.](\d+)(?:[_.](\d+))?"#, "iOS"),
        rule(#"Mac OS X (\d+)[_.](\d+)(?:[_.](\d+))?"#, "Mac OS X"), rule("Mac OS X", "Mac OS X"),
        rule(#"CrOS \S+ \#(version)"#, "Chrome OS"), rule("Ubuntu(?:/\(version))?", "Ubuntu"),
        rule("Fedora", "Fedora"), rule("Linux", "Linux"),
    ]

    /// Family, brand and model; `$1` is the first group.
    private static let devices: [(pattern: String, family: String, brand: String, model: String)] = [
        (#"Googlebot|bingbot|[Ss]pider|[Cc]rawler"#, "Spider", "Spider", "Desktop"),
        (#"\bNokia ?(N\d+)[\w-]*"#, "Nokia $1", "Nokia", "$0"), ("iPhone", "iPhone", "Apple", "iPhone"),
        ("iPad", "iPad", "Apple", "iPad"), ("Macintosh", "Mac", "Apple", "Mac"),
        (#"; (SM-\w+)"#, "Samsung $1", "Samsung", "$1"), (#"; (Pixel[^;)]*?)(?: Build|\)|;)"#, "$1", "Google", "$1"),
        (#"Android.*Mobile"#, "Generic Smartphone", "Generic", "Smartphone"),
        (#"Android"#, "Generic Tablet", "Generic", "Tablet"),
    ]

    /// - Parameter kinds: what is asked for, `browser`, `os` or `device`, one or several; all when it is empty.
    static func parse(_ text: String, _ kinds: Value?, _ context: QueryContext) throws -> Value {
        var wanted = (kinds?.arrayValue?.map(\.text) ?? [kinds?.text ?? ""]).map { $0.lowercased() }
        if wanted == [""] { wanted = ["browser", "os", "device"] }
        var out = Bag()
        if wanted.contains("browser") {
            out["Browser"] = try product(
                text, browsers, ["MajorVersion", "MinorVersion", "Patch"], context)
        }
        if wanted.contains("os") {
            out["OperatingSystem"] = try product(
                text, systems, ["MajorVersion", "MinorVersion", "Patch", "PatchMinor"], context)
        }
        if wanted.contains("device") { out["Device"] = try device(text, context) }
        return .bag(out)
    }

    private static func groups(_ pattern: String, _ text: String, _ context: QueryContext) throws -> [String]? {
        let regex = try context.regex(pattern)
        var copy = text
        return copy.withUTF8 { bytes in
            regex.search(bytes).map { $0.map { $0.map { String(decoding: bytes[$0], as: UTF8.self) } ?? "" } }
        }
    }

    private static func product(_ text: String, _ rules: [Rule], _ names: [String], _ context: QueryContext) throws
        -> Value
    {
        for rule in rules {
            guard let found = try groups(rule.pattern, text, context) else { continue }
            let parts = rule.fixed.isEmpty ? Array(found.dropFirst()) : rule.fixed
            return bag(rule.family, names.enumerated().map { ($1, $0 < parts.count ? parts[$0] : "") })
        }
        return bag("Other", names.map { ($0, "") })
    }

    private static func device(_ text: String, _ context: QueryContext) throws -> Value {
        for rule in devices {
            guard let found = try groups(rule.pattern, text, context) else { continue }
            func filled(_ template: String) -> String {
                var out = template
                for (i, group) in found.enumerated() { out = out.replacing("$\(i)", with: group) }
                return out
            }
            let model = filled(rule.model).replacing("Nokia", with: "")
            return bag(filled(rule.family), [("Brand", rule.brand), ("Model", model)])
        }
        return bag("Other", [("Brand", ""), ("Model", "")])
    }

    private static func bag(_ family: String, _ rest: [(String, String)]) -> Value {
        .bag(Bag(([("Family", family)] + rest).map { ($0.0, .string($0.1)) }))
    }
}
