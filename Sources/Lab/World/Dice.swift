import Tables

/// Numbers that depend only on the seed and on what they are for: the same world for the same seed, whatever is asked first.
struct Dice: Sendable {
    let seed: UInt64

    func roll(_ parts: Int...) -> UInt64 {
        var h = seed &+ 0x9E37_79B9_7F4A_7C15
        for p in parts {
            h = ByteHash.mix(h ^ UInt64(bitPattern: Int64(p)) &* 0xBF58_476D_1CE4_E5B9 &+ 0x94D0_49BB_1331_11EB)
        }
        return ByteHash.mix(h ^ 0xD6E8_FEB8_6659_FD93)
    }

    /// 0 to 99.
    func percent(_ a: Int, _ b: Int, _ c: Int = 0) -> Int { Int(roll(a, b, c) % 100) }

    func pick<T>(_ items: [T], _ a: Int, _ b: Int, _ c: Int = 0) -> T {
        items[Int(roll(a, b, c) % UInt64(items.count))]
    }

    /// Forty hexadecimal digits, the shape of a device id.
    func deviceID(_ i: Int) -> String {
        Hex.string(roll(i, 1), width: 16) + Hex.string(roll(i, 2), width: 16)
            + String(Hex.string(roll(i, 3), width: 16).prefix(8))
    }
}
