# An independent simulation of a fixed and of a group sequential trial with two arms, patient by patient, in NumPy.
# It shares no code with the program: boundaries come from SciPy's multivariate normal distribution, t-tests from
# sums and SciPy's Student distribution, blocks are permuted here.
#
# The set-up is the randomised study with everything switched off but the error of measurement and the drug's
# effect: a skin score of 36 before and 36 less the effect after, each seen with an error of SD 3.5 and written
# down as a whole number; 60 participants in blocks of 4 in two strata (89 % and 11 %); the change is compared
# by Welch's t-test, two-sided. Three looks after 30, 45 and 60 participants, O'Brien and Fleming's boundary at
# 5 %, and the trial stops as futile where the one-sided p-value in the drug's favour is above 0.5 and 0.3.
#
# Run: python3 simulate.py > result.csv        (NumPy 2.4.6, SciPy 1.17.1)
import numpy as np
from scipy import optimize, stats

RNG = np.random.default_rng(20260513)
TRIALS, N, ERROR = 400_000, 60, 3.5


def boundary(shares, alpha):
    """Critical values c / sqrt(t) that |Z| crosses with probability alpha at one look or more."""
    t = np.array(shares)
    correlation = np.sqrt(np.minimum.outer(t, t) / np.maximum.outer(t, t))
    if len(t) == 1:
        return np.array([stats.norm.isf(alpha / 2)])
    normal = stats.multivariate_normal(np.zeros(len(t)), correlation, maxpts=4_000_000, abseps=1e-9, releps=0)

    def error(c):
        limits = c / np.sqrt(t)
        return 1 - normal.cdf(limits, lower_limit=-limits) - alpha

    return optimize.brentq(error, 1.5, 3.0, xtol=1e-7) / np.sqrt(t)


def arms(trials):
    """1 for the drug, 0 for placebo, in the order of starts."""
    blocks = np.tile([0, 0, 1, 1], (trials * 2 * (N // 4), 1))
    lists = RNG.permuted(blocks, axis=1).reshape(trials, 2, N)
    stratum = (RNG.random((trials, N)) < 0.11).astype(int)
    place = np.where(stratum == 1, np.cumsum(stratum, axis=1), np.cumsum(1 - stratum, axis=1)) - 1
    return lists[np.arange(trials)[:, None], stratum, place]


def round_half_away(x):
    return np.sign(x) * np.floor(np.abs(x) + 0.5)


def seen(true):
    return round_half_away(np.clip(true + ERROR * RNG.standard_normal(true.shape), 0, 51))


def run(effect, shares, futility):
    levels = 2 * stats.norm.sf(boundary(shares, 0.05))
    counts = np.zeros((len(shares), 4), dtype=int)  # better, worse, futile, nothing shown
    done = 0
    while done < TRIALS:
        trials = min(50_000, TRIALS - done)
        arm = arms(trials)
        before = seen(np.full((trials, N), 36.0))
        change = seen(36.0 + effect * arm) - before
        going = np.ones(trials, dtype=bool)
        for look, share in enumerate(shares):
            n = round(share * N)
            x, drug = change[:, :n], arm[:, :n].astype(bool)
            size = [drug.sum(1), (~drug).sum(1)]
            mean = [np.where(g, x, 0).sum(1) / m for g, m in zip((drug, ~drug), size)]
            square = [np.where(g, (x - m[:, None]) ** 2, 0).sum(1) for g, m in zip((drug, ~drug), mean)]
            v = [s / (m - 1) / m for s, m in zip(square, size)]
            df = (v[0] + v[1]) ** 2 / (v[0] ** 2 / (size[0] - 1) + v[1] ** 2 / (size[1] - 1))
            difference = mean[0] - mean[1]
            p = 2 * stats.t.sf(np.abs(difference) / np.sqrt(v[0] + v[1]), df)
            better = going & (p <= levels[look]) & (difference < 0)
            worse = going & (p <= levels[look]) & (difference >= 0)
            one_sided = np.where(difference < 0, p / 2, 1 - p / 2)
            last = look + 1 == len(shares)
            futile = going & ~better & ~worse & (False if last else one_sided > futility[look])
            nothing = going & ~better & ~worse & ~futile & last
            for place, which in enumerate((better, worse, futile, nothing)):
                counts[look, place] += which.sum()
            going &= ~(better | worse | futile)
        done += trials
    return counts / TRIALS


print("design,effect,look,better,worse,futile,nothing")
for effect in (0.0, -3.0):
    for name, shares, futility in (("fixed", [1.0], []), ("three looks", [0.5, 0.75, 1.0], [0.5, 0.3])):
        for look, row in enumerate(run(effect, shares, futility), 1):
            print(f"{name},{effect},{look}," + ",".join(f"{share:.6f}" for share in row))
