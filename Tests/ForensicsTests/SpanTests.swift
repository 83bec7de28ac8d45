import Forensics
import Tables
import Testing

@Suite struct SpanTests {
    @Test func aDayIsADay() { #expect(Span.day == 86_400 * DateTime.ticksPerSecond) }
}
