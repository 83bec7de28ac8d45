import Foundation
import Tables

/// `convert_length` and its kin: quantities from one unit to another; null when a unit is not known.
///
/// Unit names are those of the functions' reference pages; a table gives how many base units one of each is.
extension ScalarFunctions {
    static var units: [String: ScalarKernel] {
        [
            "convert_length": scaled(length), "convert_mass": scaled(mass), "convert_energy": scaled(energy),
            "convert_volume": scaled(volume),
            "convert_speed": scaled(speed), "convert_force": scaled(force),
            "convert_angle": .strict { a, c in
                // A tilt is the sine of an angle.
                guard let x = a[0].doubleValue else { return .null }
                let isTilt = (from: a[1].text == "Tilt", to: a[2].text == "Tilt")
                guard let from = isTilt.from ? 1 : angle[a[1].text], let to = isTilt.to ? 1 : angle[a[2].text] else {
                    return .null
                }
                let degrees = isTilt.from ? asin(x) * 180 / .pi : x * from
                return .real(isTilt.to ? sin(degrees * .pi / 180) : degrees / to)
            },
            "convert_temperature": .strict { a, _ in
                guard let x = a[0].doubleValue, let from = temperature[a[1].text], let to = temperature[a[2].text]
                else { return .null }
                // Kelvin as the middle: K = (x + offset) × factor.
                let kelvin = (x + from.offset) * from.factor
                return .real(kelvin / to.factor - to.offset)
            },
        ]
    }

    private static func scaled(_ table: [String: Double]) -> ScalarKernel {
        .strict { a, _ in
            guard let x = a[0].doubleValue, let from = table[a[1].text], let to = table[a[2].text] else { return .null }
            return .real(from == to ? x : x * from / to)
        }
    }

    /// In metres.
    private static let length: [String: Double] = [
        "Angstrom": 1e-10, "AstronomicalUnit": 1.495978707e11, "Centimeter": 0.01, "Chain": 20.1168, "DataMile": 1828.8,
        "Decameter": 10,
        "Decimeter": 0.1, "DtpPica": 0.0254 / 6, "DtpPoint": 0.0254 / 72, "Fathom": 1.8288, "Foot": 0.3048,
        "Hand": 0.1016, "Hectometer": 100,
        "Inch": 0.0254, "KilolightYear": 9.46073047258e18, "Kilometer": 1000, "Kiloparsec": 3.08567758128e19,
        "LightYear": 9.46073047258e15,
        "MegalightYear": 9.46073047258e21, "Megaparsec": 3.08567758128e22, "Meter": 1, "Microinch": 2.54e-8,
        "Micrometer": 1e-6, "Mil": 2.54e-5,
        "Mile": 1609.344, "Millimeter": 0.001, "Nanometer": 1e-9, "NauticalMile": 1852, "Parsec": 3.08567758128e16,
        "PrinterPica": 0.0254 / 6.0225, "PrinterPoint": 0.0254 / 72.27, "Shackle": 27.432, "SolarRadius": 6.95510e8,
        "Twip": 0.0254 / 1440,
        "UsSurveyFoot": 1200.0 / 3937, "Yard": 0.9144,
    ]

    /// In kilograms.
    private static let mass: [String: Double] = [
        "Centigram": 1e-5, "Decagram": 0.01, "Decigram": 1e-4, "EarthMass": 5.9722e24, "Grain": 6.479891e-5,
        "Gram": 0.001, "Hectogram": 0.1,
        "Kilogram": 1, "Kilopound": 453.59237, "Kilotonne": 1e6, "LongHundredweight": 50.80234544,
        "LongTon": 1016.0469088,
        "Megapound": 453592.37, "Megatonne": 1e9, "Microgram": 1e-9, "Milligram": 1e-6, "Nanogram": 1e-12,
        "Ounce": 0.028349523125,
        "Pound": 0.45359237, "ShortHundredweight": 45.359237, "ShortTon": 907.18474, "Slug": 14.593902937,
        "SolarMass": 1.98947e30,
        "Stone": 6.35029318, "Tonne": 1000,
    ]

    /// In joules.
    private static let energy: [String: Double] = [
        "BritishThermalUnit": 1055.05585262, "Calorie": 4.184, "DecathermEc": 1.0550558526e9,
        "DecathermImperial": 1.05505585257348e9,
        "DecathermUs": 1.054804e9, "ElectronVolt": 1.602176565e-19, "Erg": 1e-7, "FootPound": 1.355817948,
        "GigabritishThermalUnit": 1055.05585262e9, "GigaelectronVolt": 1.602176565e-10, "Gigajoule": 1e9,
        "GigawattDay": 8.64e13,
        "GigawattHour": 3.6e12, "HorsepowerHour": 2.6845195377e6, "Joule": 1, "KilobritishThermalUnit": 1055.05585262e3,
        "Kilocalorie": 4184,
        "KiloelectronVolt": 1.602176565e-16, "Kilojoule": 1000, "KilowattDay": 8.64e7, "KilowattHour": 3.6e6,
        "MegabritishThermalUnit": 1055.05585262e6, "Megacalorie": 4.184e6, "MegaelectronVolt": 1.602176565e-13,
        "Megajoule": 1e6,
        "MegawattDay": 8.64e10, "MegawattHour": 3.6e9, "Millijoule": 0.001, "TeraelectronVolt": 1.602176565e-7,
        "TerawattDay": 8.64e16,
        "TerawattHour": 3.6e15, "ThermEc": 1.0550558526e8, "ThermImperial": 1.05505585257348e8, "ThermUs": 1.054804e8,
        "WattDay": 86400,
        "WattHour": 3600,
    ]

    /// In cubic metres.
    private static let volume: [String: Double] = {
        let foot = 0.3048 * 0.3048 * 0.3048
        let gallon = 0.00378541
        let imperial = 0.00454609
        return [
            "AcreFoot": 1 / 0.000810714, "AuTablespoon": 2e-5, "BoardFoot": foot / 12, "Centiliter": 1e-5,
            "CubicCentimeter": 1e-6,
            "CubicDecimeter": 1e-3, "CubicFoot": foot, "CubicHectometer": 1e6, "CubicInch": 0.0254 * 0.0254 * 0.0254,
            "CubicKilometer": 1e9,
            "CubicMeter": 1, "CubicMicrometer": 1e-18, "CubicMile": 4.16818182544058e9, "CubicMillimeter": 1e-9,
            "CubicYard": 27 * foot,
            "Decaliter": 0.01, "DecausGallon": 10 * gallon, "Deciliter": 1e-4, "DeciusGallon": gallon / 10,
            "HectocubicFoot": 100 * foot,
            "HectocubicMeter": 100, "Hectoliter": 0.1, "HectousGallon": 100 * gallon, "ImperialBeerBarrel": 0.16365924,
            "ImperialGallon": imperial, "ImperialOunce": 2.8413062499962901241875439064617e-5,
            "ImperialPint": imperial / 8,
            "KilocubicFoot": 1000 * foot, "KilocubicMeter": 1000, "KiloimperialGallon": 1000 * imperial, "Kiloliter": 1,
            "KilousGallon": 1000 * gallon, "Liter": 0.001, "MegacubicFoot": 1e6 * foot,
            "MegaimperialGallon": 1e6 * imperial, "Megaliter": 1000,
            "MegausGallon": 1e6 * gallon, "MetricCup": 2.5e-4, "MetricTeaspoon": 5e-6, "Microliter": 1e-9,
            "Milliliter": 1e-6,
            "OilBarrel": 0.158987294928, "UkTablespoon": 1.5e-5, "UsBeerBarrel": 0.117347765,
            "UsCustomaryCup": 2.365882365e-4,
            "UsGallon": gallon, "UsLegalCup": 2.4e-4, "UsOunce": 2.957352956253760505068307980135e-5,
            "UsPint": 4.73176473e-4,
            "UsQuart": 9.46352946e-4, "UsTablespoon": 1.478676478125e-5, "UsTeaspoon": 4.92892159375e-6,
        ]
    }()

    /// In metres a second.
    private static let speed: [String: Double] = {
        var out: [String: Double] = ["Knot": 0.514444, "MilePerHour": 0.44704]
        let lengths = [
            "Nanometer": 1e-9, "Micrometer": 1e-6, "Millimeter": 1e-3, "Centimeter": 0.01, "Decimeter": 0.1, "Meter": 1,
            "Kilometer": 1000,
            "Inch": 0.0254, "Foot": 0.3048, "Yard": 0.9144, "UsSurveyFoot": 1200.0 / 3937,
        ]
        for (name, metres) in lengths {
            out[name + "PerSecond"] = metres
            out[name + "PerMinute"] = metres / 60
            out[name + "PerHour"] = metres / 3600
        }
        return out
    }()

    /// In newtons.
    private static let force: [String: Double] = [
        "Decanewton": 10, "Dyn": 1e-5, "KilogramForce": 9.80665, "Kilonewton": 1000, "KiloPond": 9.80665,
        "KilopoundForce": 4448.2216152605095551842641431421,
        "Meganewton": 1e6, "Micronewton": 1e-6, "Millinewton": 0.001, "Newton": 1, "OunceForce": 0.2780138509537812,
        "Poundal": 0.13825502798973041652092282466083,
        "PoundForce": 4.4482216152605095551842641431421, "ShortTonForce": 8896.443230521, "TonneForce": 9806.65,
    ]

    /// In degrees.
    private static let angle: [String: Double] = [
        "Arcminute": 1.0 / 60, "Arcsecond": 1.0 / 3600, "Centiradian": 1.8 / Double.pi, "Deciradian": 18 / Double.pi,
        "Degree": 1, "Gradian": 0.9,
        "Microdegree": 1e-6, "Microradian": 180e-6 / Double.pi, "Millidegree": 1e-3, "Milliradian": 0.18 / Double.pi,
        "Nanodegree": 1e-9,
        "Nanoradian": 180e-9 / Double.pi, "NatoMil": 360.0 / 6400, "Radian": 180 / Double.pi, "Revolution": 360,
    ]

    private static let temperature: [String: (offset: Double, factor: Double)] = [
        "Kelvin": (0, 1), "DegreeCelsius": (273.15, 1), "MillidegreeCelsius": (273_150, 0.001),
        "DegreeFahrenheit": (459.67, 5.0 / 9),
        "DegreeRankine": (0, 5.0 / 9), "DegreeNewton": (273.15 * 33 / 100, 100.0 / 33),
        "DegreeReaumur": (273.15 * 4 / 5, 5.0 / 4),
        "DegreeRoemer": (273.15 * 21 / 40 - 7.5, 40.0 / 21), "DegreeDelisle": (-559.725, -2.0 / 3),
        "SolarTemperature": (0, 5778),
    ]
}
