import Content

/// The settings as Markdown: the part of `docs/configuration.md` that is made from their declarations.
package enum ConfigurationDocument {
    /// Between these lines of the document stands what is made.
    package static let begin = "<!-- settings: made by `vestige content document --settings` -->"
    package static let end = "<!-- end of settings -->"

    package static var markdown: String {
        typealias S = ConfigurationSettings
        var rows: [(String, any SettingDeclaration)] = []
        for setting in S.all {
            switch setting.name {
            case S.externalData.name: rows += S.ExternalData.all.map { ("externaldata.", $0) }
            case S.investigate.name: rows += S.Investigate.all.map { ("investigate.", $0) }
            case S.server.name:
                for part in ServeConfiguration.Settings.all {
                    switch part.name {
                    case ServeConfiguration.Settings.tls.name:
                        rows += ServeConfiguration.TLSSettings.all.map { ("server.tls.", $0) }
                    case ServeConfiguration.Settings.entra.name:
                        rows += ServeConfiguration.EntraSettings.all.map { ("server.entra.", $0) }
                    default: rows.append(("server.", part))
                    }
                }
            case S.evidence.name:
                rows += EvidenceConfiguration.TimestampSettings.all.map { ("evidence.timestamp.", $0) }
            case S.retention.name: rows += RetentionPolicy.Settings.all.map { ("retention.", $0) }
            case S.proxy.name:
                rows.append(("", setting))
                rows += ProxyConfiguration.Settings.all.map { ("proxy.", $0) }
            case S.tenant.name: rows += TenantConfiguration.Settings.all.map { ("tenant.", $0) }
            case S.sensors.name: rows += SensorConfiguration.Settings.all.map { ("sensors[].", $0) }
            case S.sinks.name: rows += SinkConfiguration.settings.map { ("sinks[].", $0) }
            default: rows.append(("", setting))
            }
        }
        var text = table(rows)
        text += "\n### Kinds of sinks\n"
        for kind in SinkKinds.all {
            text += "\n**`\(kind.name)`**: \(kind.summary).\n"
            if !kind.settings.isEmpty { text += "\n" + table(kind.settings.map { ("", $0) }) }
        }
        return text
    }

    private static func table(_ rows: [(prefix: String, setting: any SettingDeclaration)]) -> String {
        let lines = rows.map { "| `\($0.prefix)\($0.setting.name)` | \($0.setting.standard) | \($0.setting.meaning) |" }
        return "| setting | default | meaning |\n|---|---|---|\n" + lines.joined(separator: "\n") + "\n"
    }
}
