# The power of the randomised study's main analysis in a trial of eight, in closed form: no simulation.
#
# The set-up is the study with everything switched off but the error of measurement and the drug's effect, and one stratum with blocks of
# 4, so that four are compared with four: a skin score of 36 before and 36 less the effect after, each seen with an error of SD 3.5, cut to
# 0..51 and written down as a whole number; the relative changes are compared by the exact rank-sum test. Of its 70 allocations only the
# two in which every value of one arm lies below every value of the other have p <= 0.05 (2/70; the next is 4/70, and a tie across the arms
# at the border leads there, too). So the power is the chance that the arms lie apart, from the distribution of a relative change alone.
#
# The analysis of the same changes in points of 60 participants is Welch's t-test: its power by the noncentral t distribution with 58
# degrees of freedom and the rounding's variance of 1/12 to each score (an approximation good to a tenth of a point of percent).
#
# Run: python3 power.py > result.csv        (SciPy 1.17.1)
from fractions import Fraction
from math import sqrt

from scipy import stats

ERROR = 3.5


def scores(true):
    """The chance of each whole score."""
    above = lambda x: stats.norm.sf((x - true) / ERROR)
    chances = {k: above(k - 0.5) - above(k + 0.5) for k in range(1, 51)}
    chances[0], chances[51] = 1 - above(0.5), above(50.5)
    return chances


def relative_changes(effect):
    changes = {}
    for before, p in scores(36.0).items():
        for after, q in scores(36.0 + effect).items():
            if before > 0:
                key = Fraction(after - before, before)
                changes[key] = changes.get(key, 0.0) + p * q
    return changes


def apart(low, high, n=4):
    """The chance that all n of the one lie below all n of the other."""
    total, upto_low, above_high = 0.0, 0.0, 1.0
    for value in sorted(set(low) | set(high)):
        before, upto_low = upto_low, upto_low + low.get(value, 0.0)
        above_high -= high.get(value, 0.0)
        # The largest of the low is `value`, and every one of the high lies above it.
        total += (upto_low**n - before**n) * max(above_high, 0.0) ** n
    return total


print("analysis,participants,effect,power")
none = relative_changes(0.0)
for effect in (0.0, -8.0):
    drug = relative_changes(effect)
    print(f"B-P1-main,8,{effect},{apart(drug, none) + apart(none, drug):.9f}")
for effect in (0.0, -3.0):
    sd = sqrt(2 * (ERROR**2 + 1 / 12))
    ncp, c = abs(effect) / (sd * sqrt(2 / 30)), stats.t.isf(0.025, 58)
    print(f"B-P1-change,60,{effect},{stats.nct.sf(c, 58, ncp) + stats.nct.cdf(-c, 58, ncp):.9f}")
