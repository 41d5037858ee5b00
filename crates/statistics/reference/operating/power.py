# Power in closed form, by numerical integration or by counting every outcome: no simulation. Noncentral distributions are SciPy's,
# the rest is written out here.
#
# Run: python3 power.py > power.csv        (NumPy 2.4.6, SciPy 1.17.1)
from itertools import combinations, product
from math import comb, sqrt

import numpy as np
from scipy import integrate, optimize, stats

print("test,case,power")


def say(test, case, power):
    print(f"{test},{case},{power:.12g}")


def t_power(ncp, df, alpha=0.05):
    c = stats.t.isf(alpha / 2, df)
    return stats.nct.sf(c, df, ncp) + stats.nct.cdf(-c, df, ncp)


# Means: pairs that differ by 0.9 SD; two arms that differ by 1.1 SD.
say("t_paired", "12 0.9", t_power(0.9 * sqrt(12), 11))
say("t_pooled", "9 15 1.1", t_power(1.1 / sqrt(1 / 9 + 1 / 15), 22))


# Analysis of covariance, two arms of n, a baseline that correlates with the outcome by rho: the residual SD is sqrt(1 - rho^2), and the
# adjusted difference has the variance residual * 2/n * (1 + F/(2n - 2)), F being the baseline's own F statistic between arms with 1 and
# 2n - 2 degrees of freedom. Given the baselines the test's F is noncentral; what is left is a mean over F.
def ancova_power(n, difference, rho, alpha=0.05):
    residual, df = 1 - rho**2, 2 * n - 3
    critical = stats.f.isf(alpha, 1, df)

    def given(f):
        noncentrality = difference**2 / (residual * 2 / n * (1 + f / (2 * n - 2)))
        return stats.ncf.sf(critical, 1, df, noncentrality)

    # In the quantile of F, so that the range is finite.
    return integrate.quad(lambda u: given(stats.f.ppf(u, 1, 2 * n - 2)), 0, 1, epsabs=1e-10, limit=200)[0]


say("ancova", "10 0.9 0.6", ancova_power(10, 0.9, 0.6))
say("ancova", "25 0.6 0.5", ancova_power(25, 0.6, 0.5))


# Fisher's test: every table of 14 and 12, p-values by probability.
def fisher_p(a, n, c, m):
    total = a + c
    ways = {k: comb(n, k) * comb(m, total - k) for k in range(max(0, total - m), min(n, total) + 1)}
    return sum(w for w in ways.values() if w <= ways[a]) / comb(n + m, total)


say("fisher", "14 12 0.7 0.2", sum(
    stats.binom.pmf(a, 14, 0.7) * stats.binom.pmf(c, 12, 0.2)
    for a in range(15) for c in range(13) if fisher_p(a, 14, c, 12) <= 0.05))
# One proportion of 29 against 0.1, at least as many as keep 5 % on that side.
critical = next(c for c in range(30) if stats.binom.sf(c - 1, 29, 0.1) <= 0.05)
say("binomial_one_sided", "29 0.1 0.3", stats.binom.sf(critical - 1, 29, 0.3))


# The exact rank-sum test on an outcome of four grades, 6 and 6 participants: every pair of counts by grade, each with its chance; the
# p-value is the share of all ways to choose six of the twelve whose rank sum is as far from the mean.
def rank_sum_p(x, y):
    ranks = stats.rankdata(x + y)
    w = np.array([sum(ranks[list(c)]) for c in combinations(range(len(ranks)), len(x))])
    far = np.abs(w - w.mean())
    return np.mean(far >= abs(sum(ranks[: len(x)]) - w.mean()) - 1e-9)


def graded(first, second, n):
    counts = [c for c in product(range(n + 1), repeat=4) if sum(c) == n]
    spread = {c: [grade for grade, k in enumerate(c) for _ in range(k)] for c in counts}
    known, power = {}, 0.0
    for c in counts:
        for d in counts:
            # The p-value hangs on the totals and on the first arm's counts; mirrored arms share it.
            key = min((c, d), (d, c))
            if key not in known:
                known[key] = rank_sum_p(spread[key[0]], spread[key[1]])
            if known[key] <= 0.05 + 1e-12:
                power += stats.multinomial.pmf(c, n, first) * stats.multinomial.pmf(d, n, second)
    return power


say("rank_sum_exact", "graded 6 6", graded([0.1, 0.2, 0.3, 0.4], [0.5, 0.25, 0.15, 0.1], 6))
say("rank_sum_exact", "graded 6 6 none", graded([0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 0.4], 6))


# Four against four without ties: p <= 0.05 only if all of one arm lie above all of the other (2 of 70 ways).
def separated(shift, n=4):
    above = lambda d: integrate.quad(
        lambda x: n * stats.norm.pdf(x) * stats.norm.cdf(x) ** (n - 1) * stats.norm.sf(x - d) ** n, -12, 12, epsabs=1e-13)[0]
    return above(shift) + above(-shift)


say("rank_sum_exact", "normal 4 4 2", separated(2.0))
# Six pairs: only all of one sign (2 of 64 ways).
say("signed_rank_exact", "normal 6 1.1", stats.norm.cdf(1.1) ** 6 + stats.norm.cdf(-1.1) ** 6)


# Two-sided group sequential tests on Z at the looks t: S = Z sqrt(t) has independent normal steps. The density of S among trials that
# have not stopped is carried from look to look on 400 Gauss-Legendre points.
NODES, WEIGHTS = np.polynomial.legendre.leggauss(400)


def stops(t, critical, drift):
    """Chances to stop above and below by look, with drift the mean of Z at t = 1."""
    t, out, before, points, density = np.array(t), [], 0.0, np.array([0.0]), np.array([1.0])
    for share, c in zip(t, critical):
        step = sqrt(share - before)
        mean = points + drift * (share - before)
        limit = c * sqrt(share)
        out.append((np.sum(density * stats.norm.sf((limit - mean) / step)), np.sum(density * stats.norm.cdf((-limit - mean) / step))))
        next_points = NODES * limit
        carried = stats.norm.pdf((next_points[:, None] - mean[None, :]) / step) / step
        density, points, before = (carried @ density) * WEIGHTS * limit, next_points, share
    return out


def boundary(t, shape, alpha=0.05):
    form = 1 / np.sqrt(t) if shape == "OBrienFleming" else np.ones(len(t))
    c = optimize.brentq(lambda c: sum(map(sum, stops(t, c * form, 0.0))) - alpha, 1.5, 5, xtol=1e-13)
    return c * form


for shape in ("OBrienFleming", "Pocock"):
    for t in ([0.5, 0.75, 1.0], [0.2, 0.4, 0.6, 0.8, 1.0]):
        critical = boundary(np.array(t), shape)
        for k, c in enumerate(critical):
            say(f"boundary {shape}", f"{len(t)} {k}", c)
        for drift in (0.0, 2.8):
            for k, (above, below) in enumerate(stops(t, critical, drift)):
                say(f"above {shape} {drift}", f"{len(t)} {k}", above)
                say(f"below {shape} {drift}", f"{len(t)} {k}", below)
