# An independent simulation of a randomised trial whose size is reckoned anew, blind, from the spread of its first outcomes, in NumPy.
# It shares no code with the program.
#
# The set-up is the randomised study with everything switched off but the error of measurement and the drug's effect: a skin score of 36
# before and 36 less the effect after, each seen with an error of SD 3.5 and written down as a whole number; blocks of 4 in two strata
# (89 % and 11 %). 40 participants are planned. After 20 the variance of their changes is taken whatever their arm, and the trial goes
# on to N = 4 (z_0.975 + z_0.8)^2 s^2 / 3.5^2 participants, not fewer than 40 and not more than 80. Then the changes are compared by Welch's
# t-test at 5 %, two-sided.
#
# Run: python3 simulate.py > result.csv        (NumPy 2.4.6, SciPy 1.17.1)
import numpy as np
from scipy import stats

RNG = np.random.default_rng(20261103)
TRIALS, PLANNED, MOST, REVIEW, ERROR, DIFFERENCE = 400_000, 40, 80, 20, 3.5, 3.5


def arms(trials):
    """1 for the drug, 0 for placebo, in the order of starts."""
    blocks = np.tile([0, 0, 1, 1], (trials * 2 * (MOST // 4), 1))
    lists = RNG.permuted(blocks, axis=1).reshape(trials, 2, MOST)
    stratum = (RNG.random((trials, MOST)) < 0.11).astype(int)
    place = np.where(stratum == 1, np.cumsum(stratum, axis=1), np.cumsum(1 - stratum, axis=1)) - 1
    return lists[np.arange(trials)[:, None], stratum, place]


def seen(true):
    observed = np.clip(true + ERROR * RNG.standard_normal(true.shape), 0, 51)
    return np.floor(observed + 0.5)


print("effect,better,worse,mean_size,sd_size,planned,most")
for effect in (0.0, -3.5):
    sizes, better, worse, done = [], 0, 0, 0
    while done < TRIALS:
        trials = 50_000
        arm = arms(trials)
        change = seen(36.0 + effect * arm) - seen(np.full(arm.shape, 36.0))
        z = stats.norm.isf(0.025) + stats.norm.isf(0.2)
        wanted = np.ceil(4 * (z / DIFFERENCE) ** 2 * change[:, :REVIEW].var(axis=1, ddof=1))
        size = np.clip(wanted, PLANNED, MOST).astype(int)
        within = np.arange(MOST)[None, :] < size[:, None]
        groups = [within & (arm == 1), within & (arm == 0)]
        n = [g.sum(1) for g in groups]
        mean = [np.where(g, change, 0).sum(1) / m for g, m in zip(groups, n)]
        v = [np.where(g, (change - m[:, None]) ** 2, 0).sum(1) / (k - 1) / k for g, m, k in zip(groups, mean, n)]
        df = (v[0] + v[1]) ** 2 / (v[0] ** 2 / (n[0] - 1) + v[1] ** 2 / (n[1] - 1))
        difference = mean[0] - mean[1]
        rejects = 2 * stats.t.sf(np.abs(difference) / np.sqrt(v[0] + v[1]), df) <= 0.05
        better += int((rejects & (difference < 0)).sum())
        worse += int((rejects & (difference >= 0)).sum())
        sizes.append(size)
        done += trials
    sizes = np.concatenate(sizes)
    shares = (better / done, worse / done, sizes.mean(), sizes.std(ddof=1), (sizes == PLANNED).mean(), (sizes == MOST).mean())
    print(f"{effect}," + ",".join(f"{one:.6f}" for one in shares))
