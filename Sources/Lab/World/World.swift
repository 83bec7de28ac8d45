import KQLEngine
import Synchronization
import Tables

/// The lab's time: the machine's, or one that stands still, shifted by what somebody advanced it.
package final class LabClock: Sendable {
    private let state: Mutex<(offset: Int64, days: Int)>
    private let standing: Int64?
    /// The midnight before the lab started; ticks.
    private let firstMidnight: Int64

    /// Starts `startDaysAgo` days in the past.
    ///
    /// - Parameter standing: ticks at which the clock stands still between two advances, so that two labs tell the same; nil to go on.
    package init(startDaysAgo: Int = 0, standing: Int64? = nil) {
        let offset = -Int64(startDaysAgo) * DateTime.ticksPerDay
        state = Mutex((offset, 0))
        self.standing = standing
        let start = (standing ?? SystemClock.now()) + offset
        firstMidnight = start / DateTime.ticksPerDay * DateTime.ticksPerDay
    }

    /// Ticks.
    package var now: Int64 { (standing ?? SystemClock.now()) + state.withLock { $0.offset } }
    /// Whole days that the clock was advanced since the lab started.
    package var day: Int { state.withLock { $0.days } }
    /// The midnight that the lab's day began with, in ticks. A day of the lab ends when somebody advances it, not at the
    /// machine's midnight: nothing is reported anew because of the hour at which a lab runs.
    package var midnight: Int64 { firstMidnight + Int64(day) * DateTime.ticksPerDay }

    /// Moves the time on within a day: what devices report stays as it is.
    package func advance(hours: Int) { state.withLock { $0.offset += Int64(hours) * 3_600 * DateTime.ticksPerSecond } }

    package func advance(days: Int) {
        state.withLock {
            $0.offset += Int64(days) * DateTime.ticksPerDay
            $0.days += days
        }
    }
}

/// The simulated tenant's hunting tables, rebuilt when the day changes.
final class World: Sendable {
    let fleet: Fleet
    let plant: Plant
    let clock: LabClock
    /// Events of a device in one hunting table on one day.
    let eventsPerDay: Int
    let scenarios: [PlayedScenario]
    private let built: Mutex<(day: Int, tables: MemoryTables)?> = Mutex(nil)

    /// - Parameter options: devices, seed, scenarios and days that the clock starts in the past.
    init(_ options: LabOptions, clock: LabClock) {
        let start = clock.now
        let last = start + Int64(options.startDaysAgo) * DateTime.ticksPerDay
        let today = last / DateTime.ticksPerDay * DateTime.ticksPerDay
        var machines: [Machine] = []
        var played: [PlayedScenario] = []
        for scenario in options.scenarios {
            let midnight = today - Int64(scenario.begins) * DateTime.ticksPerDay
            var own: [String: Machine] = [:]
            for device in scenario.devices {
                let machine = Fleet.scripted(
                    device, index: options.devices + machines.count, seed: options.seed
                ) { milliseconds in
                    let ahead = midnight + milliseconds * DateTime.ticksPerSecond / 1_000 - start
                    return Int(max(0, (ahead + DateTime.ticksPerDay - 1) / DateTime.ticksPerDay))
                }
                machines.append(machine)
                own[device.id] = machine
            }
            played.append(PlayedScenario(scenario: scenario, midnight: midnight, machines: own))
        }
        scenarios = played
        fleet = Fleet(count: options.devices, seed: options.seed, scripted: machines)
        plant = Plant(count: options.otDevices, seed: options.seed, scenarios: played)
        self.clock = clock
        eventsPerDay = options.eventsPerDay
    }

    /// The tables of today.
    func tables() -> DeviceEvents {
        let day = clock.day
        let state = built.withLock { built in
            if let known = built, known.day == day { return known.tables }
            let tables = HuntingTables.build(fleet, clock)
            built = (day, tables)
            return tables
        }
        return DeviceEvents(state, fleet, now: clock.now, perDay: eventsPerDay, scenarios: scenarios)
    }
}
