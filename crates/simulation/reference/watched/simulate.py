# An independent simulation of a one-arm trial whose serious related events are watched against a stopping boundary, person by person.
# It shares no code with the program: the boundary comes from SciPy's beta distribution, the accrual and the events are written out here.
#
# The set-up is the one-arm study with an inert drug (no reactions), nobody stopping early, and visits on their days. People come one at a
# time, the first on day 7, waits between them exponential (0.6 a month) and rounded up to days; who may enter starts 7 to 21 days later
# (each as likely); nobody is screened while those entered and those waiting make up the 30. Events that have nothing to do with the drug
# come at 0.35 a month (waits rounded up to days, counted from screening); half of them are serious, and 15 % of these are called related.
# Each participant counts once, by the first serious related event from the first dose until the last visit (three months after the last
# dose, the day before month 12) and the day after it. At each such event the trial stops if the participants with one reach the boundary for the
# number who have begun: the fewest x of k with P(p > 0.2 | x, k) >= 0.9631 under the prior Beta(0.6, 2.4).
#
# Of those who come some share may not enter, by rules that do not look at events: ENTERS is that of the study's other inputs.
#
# Run: python3 simulate.py > result.csv        (NumPy 2.4.6, SciPy 1.17.1)
import numpy as np
from scipy import stats

RNG = np.random.default_rng(20261104)
TRIALS, N, MONTH = 40_000, 30, 30.4375
ENTERS = 0.777
# Days from the first dose until somebody is through: twelve months less a day, three months more, and the day after.
THROUGH = round(15 * MONTH)


def boundary():
    def fewest(k):
        stops = [x for x in range(k + 1) if stats.beta.sf(0.2, 0.6 + x, 2.4 + k - x) >= 0.9631]
        return stops[0] if stops else k + 1

    return [fewest(k) for k in range(1, N + 1)]


def starts():
    """Days of the first doses, in order."""
    day, begun, waiting = 7, [], []
    while True:
        begun += [due for due in waiting if due <= day]
        waiting = [due for due in waiting if due > day]
        full = len(begun) + len(waiting) >= N
        if full and not waiting:
            return sorted(begun)
        if not full and RNG.random() < ENTERS:
            waiting.append(day + 7 + RNG.integers(15))
        day += int(np.ceil(RNG.exponential(MONTH / 0.6)))


def first_event(start):
    """The day of the first event that counts; none after the participant is through."""
    # Waits that are rounded up are geometric, so that each day has an event with the same chance and what was before the start does not matter.
    chance = (1 - np.exp(-0.35 / MONTH)) * 0.5 * 0.15
    day = start - 1 + RNG.geometric(chance)
    return day if day <= start + THROUGH else None


LIMITS = boundary()
unsafe, sizes, events = [], [], 0
for _ in range(TRIALS):
    begun = starts()
    days = sorted(day for day in map(first_event, begun) if day is not None)
    events += len(days)
    stop = None
    for before, day in enumerate(days):
        started = sum(start <= day for start in begun)
        if before + 1 >= LIMITS[started - 1]:
            stop = (day, started)
            break
    unsafe.append(stop is not None)
    sizes.append(stop[1] if stop else N)
print("enters,unsafe,mean_size,sd_size,with_event")
print(f"{ENTERS},{np.mean(unsafe):.6f},{np.mean(sizes):.6f},{np.std(sizes, ddof=1):.6f},{events / TRIALS / N:.6f}")
