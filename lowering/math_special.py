"""The cube root, the error function and the remainder of a division."""

from __future__ import annotations

from math import inf

from xdsl.ir import SSAValue

from .math_builder import F32, F64, MathBuilder
from .math_exponential import exp, magic
from .math_rare import repeated, unless

# ---- cube root


def cbrt(b: MathBuilder, x: SSAValue) -> SSAValue:
    """a^(-1/3) from a third of the bits of a = |x| and two steps of order four; its square times a, corrected."""
    form = b.format
    up, down = (2.0**24, 2.0**-8) if form is F32 else (2.0**54, 2.0**-18)
    magnitude = b.abs(x)
    small = b.compare("olt", magnitude, 2.0 ** (1 - form.bias))
    a = b.select(small, b.mul(magnitude, up), magnitude)
    half = 16 if form is F32 else 32
    third = (1 << half) // 3 + 1
    start = 0x54A2FA8C if form is F32 else 0x553EF0FF289DD796
    upper = b.shift_right(b.imul(b.shift_right(b.bits(a), half), third), half)
    y = b.from_bits(b.isub(start, b.shift_left(upper, half)))
    for _ in range(2):  # h = 1 - a y^3: y (1 + h/3 + 2h^2/9 + 14h^3/81)
        h = b.fma(b.neg(b.mul(a, y)), b.mul(y, y), 1.0)
        y = b.fma(b.mul(y, h), b.horner(h, (1 / 3, 2 / 9, 14 / 81)), y)
    square = b.mul(y, y)
    t = b.mul(a, square)
    power = b.mul(t, t)
    error = b.fma(power, t, b.neg(a))  # t^3 - a, the square's rounding apart
    error = b.fma(b.fma(t, t, b.neg(power)), t, error)
    t = b.fma(b.neg(error), b.mul(square, 1 / 3), t)
    t = b.copysign(b.select(small, b.mul(t, down), t), x)
    usual = b.both(b.compare("olt", magnitude, inf), b.compare("ogt", magnitude, 0.0))
    return b.select(usual, t, x)


# ---- error function
# erf x = x + x p(x^2) up to 1
ERF = {
    F32: (
        *(0.12837916612625122, -0.3761262595653534, 0.11283578723669052, -0.026853347197175026),
        *(0.005187162198126316, -0.0007997852517291903, 7.806898065609857e-05),
    ),
    F64: (
        *(0.1283791670955126, -0.3761263890318375, 0.11283791670954858, -0.02686617064507296),
        *(0.00522397762478137, -0.0008548326978765149, 0.00012055331037551108, -1.4925593518728226e-05),
        *(1.6460972954153763e-06, -1.6350026192077243e-07, 1.4657883530919529e-08, -1.1365670671826837e-09),
        5.94525558422318e-11,
    ),
}
# and 1 - exp(-g(x)) from there on
ERFC = {
    F32: (
        *(-0.0001884665689431131, 1.1295802593231201, 0.6332165598869324, 0.10842189192771912),
        *(-0.02521020732820034, 0.004205241799354553, -0.00044146645814180374, 2.169738945667632e-05),
    ),
    F64: (
        *(2.2944197933853186e-08, 1.1283789651233498, 0.6366204992207535, 0.10277151031234465),
        *(-0.019129475293866886, -0.00020012402416123655, 0.0016724139153147708, -0.0005500163248315489),
        *(-2.3724918056012842e-05, 0.00011179425519691467, -6.524111390263332e-05, 2.446419243485243e-05),
        *(-6.8407788983774736e-06, 1.4835920962274146e-06, -2.5081158719229685e-07, 3.2589217897234685e-08),
        *(-3.151253495115292e-09, 2.1380058339493814e-10, -9.083401047117972e-12, 1.8179810224748626e-13),
    ),
}
# The same by intervals around multiples of 33/128: for each a float near it, whose erf is almost one, too (Gal and
# Bachelis, 1991), that, and the coefficients of powers 1 to 6 of the distance from it; of the first interval less x.
ERF_STEP = 33 / 128
ERF_END = 3.99
ERF_INTERVALS = (
    *(0.0, 0.25778433680534363, 0.5157650709152222, 0.7735134959220886),
    *(1.0311403274536133, 1.2893445491790771, 1.546657681465149, 1.8044527769088745),
    *(2.0626540184020996, 2.3200783729553223, 2.577894926071167, 2.835939884185791),
    *(3.0933878421783447, 3.351111650466919, 3.653322696685791, 3.8325092792510986),
    *(0.0, 0.2845616936683655, 0.534244179725647, 0.7260069847106934),
    *(0.8552290797233582, 0.931758463382721, 0.9712796807289124, 0.9892857074737549),
    *(0.9964662194252014, 0.9989659190177917, 0.9997333288192749, 0.9999394416809082),
    *(0.9999878406524658, 0.9999978542327881, 0.9999997615814209, 0.9999999403953552),
    *(0.12837916612625122, 1.0558323860168457, 0.8648221492767334, 0.6203069090843201),
    *(0.3896649181842804, 0.21403256058692932, 0.1031709685921669, 0.04348811134696007),
    *(0.01602252945303917, 0.005185020621865988, 0.001466671354137361, 0.0003627589321695268),
    *(7.88261677371338e-05, 1.497444918641122e-05, 1.8031303170573665e-06, 4.715003854016686e-07),
    *(0.0, -0.2721770405769348, -0.44604507088661194, -0.4798157811164856),
    *(-0.40179917216300964, -0.2759617269039154, -0.15957017242908478, -0.07847225666046143),
    *(-0.03304893895983696, -0.012029659934341908, -0.0037809242494404316, -0.0010287620825693011),
    *(-0.0002438386291032657, -5.01813628943637e-05, -6.587457392015494e-06, -1.80600875410164e-06),
    *(-0.37612295150756836, -0.30515986680984497, -0.13489912450313568, 0.04066018387675285),
    *(0.14631310105323792, 0.16586174070835114, 0.13014478981494904, 0.07990535348653793),
    *(0.040105532854795456, 0.01687822863459587, 0.006008847150951624, 0.0018239500932395458),
    *(0.00047653421643190086, 0.00010709468915592879, 1.5447991245309822e-05, 4.458162493392592e-06),
    *(0.0, 0.13005517423152924, 0.1834697127342224, 0.14421355724334717),
    *(0.05849244073033333, -0.014936279505491257, -0.04745408147573471, -0.045932721346616745),
    *(-0.03034486621618271, -0.01556873694062233, -0.00648498022928834, -0.0022435097489506006),
    *(-0.0006559363682754338, -0.0001627032906981185, -2.5937133614206687e-05, -8.073716344370041e-06),
    *(0.11220553517341614, 0.0774252712726593, 0.002485796343535185, -0.056471072137355804),
    *(-0.06747222691774368, -0.04199213907122612, -0.009854141622781754, 0.008997504599392414),
    *(0.012925626710057259, 0.009378666058182716, 0.004902768414467573, 0.0020142674911767244),
    *(0.0006762617267668247, 0.00018908589845523238, 3.2894309697439894e-05, 1.1247019756410737e-05),
    *(0.0, -0.0410325787961483, -0.04912895709276199, -0.02380065806210041),
    *(0.007785371039062738, 0.021815957501530647, 0.017646055668592453, 0.00670215766876936),
    *(-0.0008251674007624388, -0.00311873946338892, -0.002464402001351118, -0.0012953534023836255),
    *(-0.0005145494360476732, -0.00016709287592675537, -4.3340543925296515e-05, -8.75041132530896e-06),
)


def erf_by_table(b: MathBuilder, x: SSAValue) -> SSAValue:
    a = b.at_most(b.abs(x), ERF_END)
    index = b.iand(b.bits(b.fma(a, 1 / ERF_STEP, magic(b))), 15)
    table = b.table(ERF_INTERVALS)
    center, value, *coefficients = (b.entry(table, first, index) for first in range(0, len(ERF_INTERVALS), 16))
    r = b.sub(a, center)
    total = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        total = b.fma(total, r, c)
    return b.copysign(b.fma(total, r, b.select(b.icompare(0, index, 0), r, value)), x)


def erf(b: MathBuilder, x: SSAValue) -> SSAValue:
    if b.shape and b.lookup == 16 and b.format is F32:
        return erf_by_table(b, x)
    a = b.at_most(b.abs(x), 4.0 if b.format is F32 else 6.0)
    far = b.sub(1.0, exp(b, b.neg(b.horner(a, ERFC[b.format]))))
    near = b.fma(x, b.horner(b.mul(x, x), ERF[b.format]), x)
    return b.select(b.compare("ole", a, 1.0), near, b.copysign(far, x))


# ---- remainder


def remainder(b: MathBuilder, x: SSAValue, y: SSAValue) -> SSAValue:
    """x - y trunc(x / y), exactly.

    The remainder of a quotient rounded to nearest is a float, so one fused operation gives it; where the quotient is
    whole only because it is large, that takes as many bits off as a float has, and more steps follow.
    """
    limit = 2.0**b.format.fraction

    def large(inner: MathBuilder, x: SSAValue, y: SSAValue) -> SSAValue:
        p, q = inner.abs(x), inner.abs(y)
        finite = inner.both(inner.compare("olt", p, inf), inner.compare("ogt", q, 0.0))
        return inner.both(finite, inner.compare("oge", inner.div(p, q), limit))

    def whole(inner: MathBuilder, x: SSAValue, r: SSAValue, q: SSAValue) -> SSAValue:
        """r in (-q, q), as it must be for the sign of x."""
        r = inner.select(inner.compare("olt", r, 0.0), inner.add(r, q), r)
        return inner.copysign(r, x)

    def long(inner: MathBuilder, x: SSAValue, y: SSAValue) -> SSAValue:
        p, q = inner.abs(x), inner.abs(y)
        steps, jump = (16, 2.0**90) if inner.format is F32 else (44, 2.0**700)
        higher = inner.mul(q, jump)
        divisors = [q, higher, inner.mul(higher, jump)]

        def step(deep: MathBuilder, r: SSAValue) -> SSAValue:
            """By a multiple of y where the quotient by y overflows."""
            value = divisor = None
            for d in reversed(divisors):
                quotient = deep.div(r, d)
                if value is None or divisor is None:
                    value, divisor = quotient, d
                else:
                    fits = deep.compare("olt", deep.abs(quotient), inf)
                    value, divisor = deep.select(fits, quotient, value), deep.select(fits, d, divisor)
            assert value is not None and divisor is not None
            short = deep.compare("olt", deep.abs(value), limit)
            value = deep.select(short, deep.trunc(value), value)
            return deep.fma(deep.neg(value), divisor, r)

        return whole(inner, x, repeated(inner, steps, p, step), q)

    p, q = b.abs(x), b.abs(y)
    r = b.fma(b.neg(b.trunc(b.div(p, q))), q, p)
    r = b.select(b.both(b.compare("oeq", q, inf), b.compare("olt", p, inf)), p, r)
    return unless(b, large, [x, y], whole(b, x, r, q), long)
