r"""The units that answers name, with their dimensions and exact sizes; words that are no unit are not here.

A size is in the base units of its dimension (m, kg, s, A, K, mol; dollars, euros, ... each for themselves; months for
the calendar, because a month has no fixed number of days). A name may mean several things: `m` is metre or minute only
where the table says so, `pound` is mass or money.

>>> meanings("hours")
(Meaning(size=Fraction(3600, 1), dimension=(('T', 1),)),)
>>> is_unit_word("apples")
False
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

Dimension = tuple[tuple[str, int], ...]

# dimension -> lines of "size name alias ..."; a name in capitals or of at most three letters is looked up as written.
TABLE: dict[str, tuple[str, ...]] = {
    "L": (
        "1e-15 fm femtometer", "1e-12 pm picometer picometre", "1e-10 Å angstrom ångström", "1e-9 nm nanometer nanometre",
        "1e-6 μm um µm micron micrometer micrometre", "1e-3 mm millimeter millimetre", "1e-2 cm centimeter centimetre",
        "1e-1 dm decimeter decimetre", "1 m meter metre", "1e3 km kilometer kilometre", "127/5000 in inch inches",
        "381/1250 ft foot feet", "1143/1250 yd yard", "201168/125 mi mile", "1852 nmi", "149597870700 AU au",
        "9460730472580800 ly lightyear light-year", "30856775814913673 pc parsec", "30856775814913673000 kpc",
        "30856775814913673000000 Mpc",
    ),
    "L^2": ("1e4 ha hectare", "316160658/78125 acre"),
    "L^3": (
        "1e-6 cc", "1e-6 ml mL milliliter millilitre", "1e-5 cl cL centiliter", "1e-4 dl dL deciliter", "1e-3 l L liter litre",
        "473176473/125000000000 gal gallon", "473176473/500000000000 qt quart", "473176473/1000000000000 pt pint",
    ),
    "M": (
        "1e-9 μg µg mcg microgram", "1e-6 mg milligram", "1e-3 g gram gramme", "1 kg kilogram kilo", "1e3 t tonne",
        "45359237/100000000 lb lbs pound", "45359237/1600000000 oz ounce", "45359237/50000 ton",
        "1.66053906660e-27 amu",
    ),
    "T": (
        "1e-12 ps picosecond", "1e-9 ns nanosecond", "1e-6 μs µs us microsecond", "1e-3 ms millisecond", "1 s sec second",
        "60 min mins minute", "3600 h hr hrs hour", "86400 d day", "604800 wk week", "1209600 fortnight",
    ),
    "calendar": ("1 mo month", "3 quarter-year", "12 yr yrs year", "120 decade", "1200 century centuries"),
    "L T^-1": ("201168/450000 mph", "5/18 kph kmh kmph", "463/900 knot kn", "299792458 c"),
    "L T^-2": ("9.80665 gee",),
    "turn T^-1": ("1/60 rpm",),
    "T^-1": ("1 Hz hertz", "1e3 kHz kilohertz", "1e6 MHz megahertz", "1e9 GHz gigahertz", "1/60 bpm", "1 Bq becquerel"),
    "M L T^-2": ("1e-3 mN", "1 N newton", "1e3 kN kilonewton", "1e6 MN", "1e-5 dyn dyne", "4.4482216152605 lbf"),
    "M L^2 T^-2": (
        "1e-3 mJ", "1 J joule", "1e3 kJ kilojoule", "1e6 MJ megajoule", "1e9 GJ", "1e-7 erg", "4.184 cal calorie",
        "4184 kcal kilocalorie", "1.602176634e-19 eV electronvolt", "1.602176634e-16 keV", "1.602176634e-13 MeV",
        "1.602176634e-10 GeV", "3.6e6 kWh", "3600 Wh",
    ),
    "M L^2 T^-3": ("1e-3 mW", "1 W watt", "1e3 kW kilowatt", "1e6 MW megawatt", "1e9 GW gigawatt", "745.7 hp horsepower"),
    "M L^-1 T^-2": (
        "1 Pa pascal", "1e3 kPa kilopascal", "1e6 MPa megapascal", "1e9 GPa", "101325 atm atmosphere", "1e5 bar",
        "101325/760 torr mmHg", "6894.757293168 psi",
    ),
    "A": ("1e-6 μA", "1e-3 mA milliampere milliamp", "1 A ampere amp", "1e3 kA"),
    "A T": ("1e-9 nC", "1e-6 μC µC microcoulomb", "1e-3 mC", "1 C coulomb", "3600 Ah"),
    "M L^2 T^-3 A^-1": ("1e-6 μV", "1e-3 mV millivolt", "1 V volt", "1e3 kV kilovolt", "1e6 MV"),
    "M L^2 T^-3 A^-2": ("1 Ω ohm", "1e3 kΩ kilohm kiloohm", "1e6 MΩ megohm"),
    "M^-1 L^-2 T^4 A^2": ("1e-12 pF", "1e-9 nF", "1e-6 μF µF microfarad", "1 F farad"),
    "M L^2 T^-2 A^-2": ("1e-3 mH", "1 H henry henries"),
    "M T^-2 A^-1": ("1 T tesla", "1e-4 G gauss"),
    "M L^2 T^-2 A^-1": ("1 Wb weber",),
    "K": ("1 K kelvin",),
    "mol": ("1e-3 mmol millimole", "1 mol mole", "1e3 kmol"),
    "mol L^-3": ("1e3 M molar",),
    "bit": ("1 bit", "8 B byte", "8e3 kB KB kilobyte", "8e6 MB megabyte", "8e9 GB gigabyte", "8e12 TB terabyte"),
    "dollar": ("1 dollar usd USD buck", "1/100 cent ¢"),
    "euro": ("1 euro eur EUR",),
    "sterling": ("1 sterling gbp GBP pound quid", "1/100 pence"),
    "yen": ("1 yen jpy JPY",),
    "yuan": ("1 yuan cny CNY rmb RMB",),
    "rupee": ("1 rupee inr INR rs Rs", "1/100 paise"),
    "won": ("1 krw KRW",),
    "ruble": ("1 ruble rouble rub RUB",),
}  # fmt: skip
# °C and °F: kelvins per degree, and the reading at 0 K.
TEMPERATURES = {
    "degC": (Fraction(1), Fraction(27315, 100)),
    "degF": (Fraction(5, 9), Fraction(45967, 100)),
}
TEMPERATURE_NAMES = {
    "C": "degC", "F": "degF", "celsius": "degC", "fahrenheit": "degF", "degc": "degC", "degf": "degF", "centigrade": "degC",
    "degrees celsius": "degC", "degrees fahrenheit": "degF", "degree celsius": "degC", "degree fahrenheit": "degF",
    "degrees c": "degC", "degrees f": "degF",
}  # fmt: skip
# Says only that there is a unit, or how an angle is measured; it may stand on one side alone.
GENERIC_WORDS = frozenset(
    "unit units radian radians rad rads total each altogether approx approximately about exactly only the a an of in".split()
)


@dataclass(frozen=True)
class Meaning:
    """What a unit measures and how much of it."""

    size: Fraction
    dimension: Dimension


def dimension_of(text: str) -> Dimension:
    """`M L^2 T^-2` as pairs, sorted."""
    pairs = (part.partition("^") for part in text.split())
    return tuple(sorted((base, int(power or 1)) for base, _, power in pairs))


@cache
def _by_name() -> dict[str, tuple[Meaning, ...]]:
    found: dict[str, tuple[Meaning, ...]] = {}
    for text, lines in TABLE.items():
        dimension = dimension_of(text)
        for line in lines:
            size, *names = line.split()
            above, _, below = size.partition("/")
            meaning = Meaning(Fraction(above) / Fraction(below or 1), dimension)
            for name in names:
                found[name] = (*found.get(name, ()), meaning)
    return found


def meanings(word: str) -> tuple[Meaning, ...]:
    """Everything that one word may mean as a unit: as written, else in lower case, else its singular."""
    table = _by_name()
    if word in table:
        return table[word]
    lowered = word.lower()
    if len(lowered) <= 2 and lowered != word:  # `M` is not `m`
        return ()
    for name in (lowered, lowered.removesuffix("s"), lowered.removesuffix("es")):
        if name in table and (len(name) > 2 or name == lowered):
            return table[name]
    return ()


def is_unit_word(word: str) -> bool:
    """Whether a word in prose is a unit; single letters and words of other uses (`in`, `a`) are not taken for one."""
    return (
        len(word) > 1
        and word.lower() not in ("in", "am", "us", "au", "ha", "bar", "pt", "mo", "won")
        and bool(meanings(word))
    )
