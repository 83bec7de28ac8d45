import KQLEngine
import Synchronization
import Tables

/// The lab's time: the machine's, or one that stands still, shifted by what somebody advanced it.
package final class LabClock: Sendable {
    private let state: Mutex<(offset: Int64, days: Int)>
    private let standing: Int64?

    /// Starts `startDaysAgo` days in the past.
    ///
    /// - Parameter standing: ticks at which the clock stands still between two advances, so that two labs tell the same; nil to go on.
    package init(startDaysAgo: Int = 0, standing: Int64? = nil) {
        state = Mutex((-Int64(startDaysAgo) * DateTime.ticksPerDay, 0))
        self.standing = standing
    }

    /// Ticks.
    package var now: Int64 { (standing ?? SystemClock.now()) + state.withLock { $0.offset } }
    /// Whole days that the clock was advanced since the lab started.
    package var day: Int { state.withLock { $0.days } }

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
    private let built: Mutex<(day: Int, tables: MemoryTables)?> = Mutex(nil)

    init(devices: Int, otDevices: Int, seed: UInt64, clock: LabClock, eventsPerDay: Int) {
        fleet = Fleet(count: devices, seed: seed)
        plant = Plant(count: otDevices, seed: seed)
        self.clock = clock
        self.eventsPerDay = eventsPerDay
    }

    /// The tables of today.
    func tables() -> DeviceEvents {
        let day = clock.day
        let state = built.withLock { built in
            if let known = built, known.day == day { return known.tables }
            let tables = HuntingTables.build(fleet, day: day, now: clock.now)
            built = (day, tables)
            return tables
        }
        return DeviceEvents(state, fleet, now: clock.now, perDay: eventsPerDay)
    }
}
