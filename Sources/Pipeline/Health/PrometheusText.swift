import Tables
import Workspace

/// The report in Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/).
package struct PrometheusText {
    private var text = ""

    package static func write(_ report: HealthReport) -> String {
        var out = PrometheusText()
        out.sources(report.sources)
        out.sinks(report.sinks)
        out.family(
            "vestige_workspace_bytes", "gauge", "Bytes of the workspace's file and its journal.",
            [([], Double(report.workspaceBytes))])
        out.family(
            "vestige_table_rows", "gauge", "Rows of a table in the workspace.",
            report.tables.sorted { $0.key < $1.key }.map { ([("table", $0.key)], Double($0.value)) })
        return out.text
    }

    private mutating func sources(_ sources: [HealthReport.Source]) {
        func each(_ value: (HealthReport.Source) -> Double?) -> [([(String, String)], Double)] {
            sources.compactMap { source in value(source).map { ([("source", source.name)], $0) } }
        }
        family("vestige_source_up", "gauge", "Whether the source's last run succeeded.", each { $0.isFailing ? 0 : 1 })
        family(
            "vestige_source_last_run_timestamp_seconds", "gauge", "When the source ran last.",
            each { DateTime.unixSeconds($0.history.last.started) })
        family(
            "vestige_source_lag_seconds", "gauge", "Seconds since the last run that succeeded began.",
            each(\.lagSeconds))
        family(
            "vestige_source_next_run_timestamp_seconds", "gauge", "When the source is due again.",
            each { DateTime.unixSeconds($0.nextRun) })
        family(
            "vestige_source_run_duration_seconds", "gauge", "Length of the last run.",
            each { Double($0.history.last.ended - $0.history.last.started) / Double(DateTime.ticksPerSecond) })
        family("vestige_source_runs_total", "counter", "Runs of the source.", each { Double($0.history.runs) })
        family(
            "vestige_source_failures_total", "counter", "Runs that failed, or were not read as a whole.",
            each { Double($0.history.failures) })
        family(
            "vestige_source_rows_read_total", "counter", "Rows that the source gave.",
            each { Double($0.history.rowsRead) })
        family(
            "vestige_source_rows_kept_total", "counter", "Rows that were new or changed.",
            each { Double($0.history.rowsKept) })
        family(
            "vestige_source_gaps_total", "counter", "Times of which rows may be missing.",
            each { Double($0.history.gaps) })
        family(
            "vestige_source_bytes_read_total", "counter", "Bytes of the source's answers.",
            each { Double($0.history.bytes) })
    }

    private mutating func sinks(_ sinks: [HealthReport.Sink]) {
        func each(_ value: (HealthReport.Sink) -> Double?) -> [([(String, String)], Double)] {
            sinks.compactMap { sink in value(sink).map { ([("sink", sink.name)], $0) } }
        }
        family("vestige_sink_up", "gauge", "Whether the last delivery succeeded.", each { $0.isFailing ? 0 : 1 })
        family(
            "vestige_sink_last_delivery_timestamp_seconds", "gauge", "When the sink took rows last.",
            each { $0.deliveries.lastSuccess.map(DateTime.unixSeconds) })
        family(
            "vestige_sink_rows_sent_total", "counter", "Rows that the sink took.", each { Double($0.deliveries.rows) })
        family("vestige_sink_bytes_sent_total", "counter", "Bytes on the wire.", each { Double($0.deliveries.bytes) })
        family(
            "vestige_sink_rows_refused_total", "counter", "Rows that the sink will never take.",
            each { Double($0.deliveries.refused) })
        family(
            "vestige_sink_rows_waiting", "gauge", "Rows that the sink still has to get.",
            each { Double($0.waiting.rows) })
        family(
            "vestige_sink_bytes_waiting", "gauge", "Bytes that wait for the sink, as stored.",
            each { Double($0.waiting.bytes) })
        family(
            "vestige_sink_bytes_waiting_max", "gauge", "Bytes above which collecting pauses.",
            each { Double($0.bytesMax) })
    }

    private mutating func family(
        _ name: String, _ type: String, _ help: String, _ samples: [(labels: [(String, String)], value: Double)]
    ) {
        guard !samples.isEmpty else { return }
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
        for (labels, value) in samples {
            let shown = labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
            let number = value == value.rounded() && value.magnitude < 1e15 ? String(Int64(value)) : String(value)
            text += name + (shown.isEmpty ? "" : "{\(shown)}") + " \(number)\n"
        }
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
