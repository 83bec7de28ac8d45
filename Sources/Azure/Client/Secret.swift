/// A secret text that never shows itself in descriptions, logs or errors.
package struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The text, for the one place that sends it.
    package let text: String

    package init(_ text: String) { self.text = text }

    package var description: String { "••••" }
    package var debugDescription: String { "••••" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
