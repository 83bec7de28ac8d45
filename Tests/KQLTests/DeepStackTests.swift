import Foundation
import Testing

@testable import KQL

/// Where the system makes no further thread, that is told, and nothing ends.
@Suite struct DeepStackTests {
    /// No system gives a stack of so many bytes.
    private static let none = DeepThreads(stackSizes: [Int.max / 2, 1 << 60])

    @Test func withoutAThreadThatIsTold() throws {
        #expect(DeepStack.run({ 1 }, withoutThread: { 2 }) == 1)
        DeepStack.$threads.withValue(Self.none) {
            #expect(DeepStack.run({ 1 }, withoutThread: { 2 }) == 2)
            #expect(DeepStack.start { Issue.record("it ran") } == nil)
            #expect {
                try Parser.parse("print 1")
            } throws: { error in
                (error as? Diagnostic)?.message == DeepStack.noThread
            }
        }
        #expect(try Parser.parse("print 1").count == 1)
    }

    /// A smaller stack is better than none, and a thread that is there is used again.
    @Test func aSmallerStackIsTaken() {
        let threads = DeepThreads(stackSizes: [Int.max / 2, 1 << 20])
        DeepStack.$threads.withValue(threads) {
            for i in 0..<3 { #expect(DeepStack.run({ i }, withoutThread: { -1 }) == i) }
        }
    }
}
