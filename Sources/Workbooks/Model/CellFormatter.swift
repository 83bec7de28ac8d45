/// How a cell is drawn, by the number that files have.
///
/// Names are the portal's (https://learn.microsoft.com/azure/azure-monitor/visualize/workbooks-grid-visualizations);
/// numbers are those of files in the field.
enum CellFormatter: Int, Sendable, CaseIterable {
    case automatic = 0
    case text = 1
    case rightAligned = 2
    case bar = 3
    case barUnderneath = 4
    case hidden = 5
    case dateTime = 6
    case link = 7
    case heatmap = 8
    case sparkLine = 9
    case sparkBar = 10
    case icon = 11
    case bigNumber = 12
    case resource = 13
    case resourceGroup = 14
    case subscription = 15
    case resourceType = 16
    case location = 17
    case thresholds = 18
    case timeline = 19
    /// Seen with a palette and bounds, without a name in any documentation; drawn as a heatmap.
    case unnamedHeatmap = 20
    case sparkArea = 21
    case compositeBar = 22

    /// The name in the portal's list of column renderers.
    var portalName: String {
        switch self {
        case .automatic: "Automatic"
        case .text: "Text"
        case .rightAligned: "Right Aligned"
        case .bar: "Bar"
        case .barUnderneath: "Bar underneath"
        case .hidden: "Hidden"
        case .dateTime: "Date/Time"
        case .link: "Link"
        case .heatmap: "Heatmap"
        case .sparkLine: "Spark line"
        case .sparkBar: "Spark bar"
        case .icon: "Icon"
        case .bigNumber: "Big number"
        case .resource: "Resource"
        case .resourceGroup: "Resource group"
        case .subscription: "Subscription"
        case .resourceType: "Resource type"
        case .location: "Location"
        case .thresholds: "Thresholds"
        case .timeline: "Timeline"
        case .unnamedHeatmap: "Heatmap (20)"
        case .sparkArea: "Spark area"
        case .compositeBar: "Composite bar"
        }
    }

    /// Whether a cell's drawing depends on the least and the greatest value of its columns.
    var isScaled: Bool {
        switch self {
        case .bar, .barUnderneath, .heatmap, .unnamedHeatmap: true
        default: false
        }
    }

    /// How an array of numbers is drawn; nil for what draws no array.
    var sparkline: Sparkline.Style? {
        switch self {
        case .sparkLine: .line
        case .sparkBar: .bars
        case .sparkArea: .area
        default: nil
        }
    }
}
