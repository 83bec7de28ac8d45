/// How often a tenant's services may be called, a little below what is documented, since others call them too
/// (https://learn.microsoft.com/defender-endpoint/api/exposed-apis-list and each call's page,
/// https://learn.microsoft.com/defender-xdr/api-advanced-hunting).
package struct DefenderBudgets: Sendable {
    /// 45 calls a minute; what a tenant may compute in a quarter of an hour is told with a 429.
    let hunting: CallBudget?
    /// Exports of all devices in pages: 30 calls a minute, 1,000 an hour.
    private let exports: CallBudget?
    /// Exports as files: 5 a minute, 20 an hour.
    private let files: CallBudget?
    /// Other calls: 100 a minute, 1,500 an hour.
    private let others: CallBudget?

    /// - Parameter isPaced: false for a tenant without limits, such as a simulated one.
    package init(isPaced: Bool = true) {
        func budget(_ minute: Int, _ hour: Int) -> CallBudget? {
            isPaced
                ? CallBudget([
                    CallBudget.Window(seconds: 60, units: minute), CallBudget.Window(seconds: 3_600, units: hour),
                ]) : nil
        }
        hunting = budget(40, 1_400)
        exports = budget(27, 950)
        files = budget(5, 19)
        others = budget(90, 1_400)
    }

    func budget(of url: String) -> CallBudget? {
        let path = url.prefix { $0 != "?" }.lowercased()
        return path.hasSuffix("export")
            ? files : path.hasSuffix("bymachine") || path.hasSuffix("deviceavinfo") ? exports : others
    }
}
