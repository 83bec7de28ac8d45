import Tables

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Distances on the Earth (https://learn.microsoft.com/kusto/query/geo-distance-2points-function).
extension ScalarFunctions {
    /// Metres; the sphere that gives the distances of the reference page.
    private static let earthRadius = 6_371_010.0

    private struct Point {
        /// Radians.
        let longitude: Double
        let latitude: Double

        /// From degrees; nil when they are out of range.
        init?(_ longitude: Value, _ latitude: Value) {
            guard let x = longitude.doubleValue, let y = latitude.doubleValue, x.magnitude <= 180, y.magnitude <= 90
            else { return nil }
            self.longitude = x * .pi / 180
            self.latitude = y * .pi / 180
        }
    }

    static var geography: [String: ScalarKernel] {
        [
            "geo_distance_2points": .lenient { a, _ in
                guard let from = Point(a[0], a[1]), let to = Point(a[2], a[3]) else { return .null }
                let isSpheroid = a.count > 4 && a[4].converted(to: .bool) == .bool(true)
                return .real(isSpheroid ? ellipsoid(from, to) ?? sphere(from, to) : sphere(from, to))
            }
        ]
    }

    /// The haversine formula.
    private static func sphere(_ a: Point, _ b: Point) -> Double {
        let y = sin((b.latitude - a.latitude) / 2)
        let x = sin((b.longitude - a.longitude) / 2)
        let h: Double = y * y + cos(a.latitude) * cos(b.latitude) * x * x
        return 2 * earthRadius * asin(min(1, h.squareRoot()))
    }

    /// Vincenty's inverse formula over WGS 84; nil for nearly opposite points, where it does not settle.
    private static func ellipsoid(_ a: Point, _ b: Point) -> Double? {
        let (major, flattening) = (6_378_137.0, 1 / 298.257223563)
        let minor = major * (1 - flattening)
        let (u1, u2) = (atan((1 - flattening) * tan(a.latitude)), atan((1 - flattening) * tan(b.latitude)))
        let difference = b.longitude - a.longitude
        var lambda = difference
        for _ in 0..<200 {
            let first: Double = cos(u2) * sin(lambda)
            let second: Double = cos(u1) * sin(u2) - sin(u1) * cos(u2) * cos(lambda)
            let sinSigma = (first * first + second * second).squareRoot()
            if sinSigma == 0 { return 0 }
            let cosSigma: Double = sin(u1) * sin(u2) + cos(u1) * cos(u2) * cos(lambda)
            let sigma = atan2(sinSigma, cosSigma)
            let sinAlpha: Double = cos(u1) * cos(u2) * sin(lambda) / sinSigma
            let cosSquared = 1 - sinAlpha * sinAlpha
            let middle: Double = cosSquared == 0 ? 0 : cosSigma - 2 * sin(u1) * sin(u2) / cosSquared
            let c: Double = flattening / 16 * cosSquared * (4 + flattening * (4 - 3 * cosSquared))
            let inner: Double = middle + c * cosSigma * (2 * middle * middle - 1)
            let next: Double = difference + (1 - c) * flattening * sinAlpha * (sigma + c * sinSigma * inner)
            if (next - lambda).magnitude > 1e-12 {
                lambda = next
                continue
            }
            let u: Double = cosSquared * (major * major - minor * minor) / (minor * minor)
            let p: Double = 1 + u / 16384 * (4096 + u * (-768 + u * (320 - 175 * u)))
            let q: Double = u / 1024 * (256 + u * (-128 + u * (74 - 47 * u)))
            let tail: Double = q / 6 * middle * (4 * sinSigma * sinSigma - 3) * (4 * middle * middle - 3)
            let head: Double = cosSigma * (2 * middle * middle - 1) - tail
            return minor * p * (sigma - q * sinSigma * (middle + q / 4 * head))
        }
        return nil
    }
}
