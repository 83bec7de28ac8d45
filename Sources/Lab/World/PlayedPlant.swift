import Tables

extension Plant {
    private static func milliseconds(_ ticks: Int64) -> Int64 { (ticks - DateTime.unixEpoch) / 10_000 }

    /// The events of a plant in which scenarios are played, newest first: theirs, and one an hour that changes nothing.
    func playedEventRows(now: Int64, minutes: Int, type: String?) -> [Value] {
        let from = now - Int64(minutes) * 60 * DateTime.ticksPerSecond
        var found = scenarios.flatMap { $0.sensorEvents(from: from, to: now) }
        let hour = 3_600 * DateTime.ticksPerSecond
        let calm = [
            ("DEVICE_CONNECTION_CREATED", "Device Connection Detected"), ("BACK_TO_NORMAL", "Back to Normal"),
            ("FILE_TRANSFER", "File Transfer Detected"),
        ]
        let own = devices.filter { !$0.isScripted }
        for slot in from / hour + 1...max(from / hour + 1, now / hour) where !own.isEmpty {
            let k = Int(slot % 1_000_000_007)
            let (kind, title) = calm[Int(dice.roll(k, 31) % UInt64(calm.count))]
            let a = own[Int(dice.roll(k, 33) % UInt64(own.count))]
            let b = own[Int(dice.roll(k, 34) % UInt64(own.count))]
            let event = Scenario.SensorEvent(
                at: 0, type: kind, title: title, severity: "INFO",
                content: "\(title): \(a.address) (\(a.name)) and \(b.address) (\(b.name))")
            if slot * hour <= now { found.append((slot * hour, event)) }
        }
        return found.filter { type == nil || $0.event.type == type }.sorted { $0.time > $1.time }.map { time, event in
            .bag(
                Bag([
                    ("timestamp", .long(Self.milliseconds(time))), ("title", .string(event.title)),
                    ("severity", .string(event.severity)), ("owner", .null), ("content", .string(event.content)),
                    ("type", .string(event.type)),
                ]))
        }
    }

    /// The alerts of a plant in which scenarios are played.
    ///
    /// - Parameters:
    ///   - from: milliseconds since 1970.
    ///   - to: the same; alerts of then are no longer among them.
    func playedAlertRows(now: Int64, from: Int64?, to: Int64?) -> [Value] {
        let alerts = scenarios.flatMap { $0.sensorAlerts(by: now) }.sorted { $0.time < $1.time }
        return alerts.enumerated().compactMap { number, item in
            let time = Self.milliseconds(item.time)
            guard time >= from ?? .min, time < to ?? .max else { return nil }
            return .bag(
                Bag([
                    ("id", .long(Int64(number + 1))), ("time", .long(time)), ("title", .string(item.alert.title)),
                    ("message", .string(item.alert.message)), ("severity", .string(item.alert.severity)),
                    ("engine", .string(item.alert.engine)), ("sourceDevice", .null), ("destinationDevice", .null),
                    ("additionalInformation", .null),
                ]))
        }
    }
}
