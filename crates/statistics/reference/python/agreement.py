"""Fresh cases of agreement and blinding with pingouin, statsmodels and SciPy.

Run in crates/statistics/reference: python3 python/agreement.py
"""
import json
import os

import numpy as np
import pandas
import pingouin
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.inter_rater import cohens_kappa

random = np.random.default_rng(2026)
Z = stats.norm.ppf(0.975)


def write(method, tool, call, cases):
    os.makedirs(method, exist_ok=True)
    with open(f"{method}/cases.json", "w") as file:
        file.write(json.dumps({"method": method, "tool": tool, "tolerance": {"rel": 1e-9, "abs": 1e-12},
                               "cases": [{"id": name, "call": call, "input": given, "output": output}
                                         for name, given, output in cases]}, indent=1) + "\n")


def icc(ratings):
    n, k = ratings.shape
    long = pandas.DataFrame([(i, j, ratings[i, j]) for i in range(n) for j in range(k)], columns=["s", "r", "v"])
    names = [name for name in pingouin.options if name.startswith("round")]
    for name in names:
        pingouin.options[name] = None
    table = pingouin.intraclass_corr(long, targets="s", raters="r", ratings="v")
    table = table.set_index(table.columns[0])
    # Limits are rounded there; they are formed here from its F (Shrout and Fleiss 1979, McGraw and Wong 1996).
    out = {}
    mean_squares = (ratings.mean(axis=0).var(ddof=1) * n, ratings.mean(axis=1).var(ddof=1) * k)
    msc, msr = mean_squares
    residual = ((ratings - ratings.mean(axis=1, keepdims=True) - ratings.mean(axis=0) + ratings.mean()) ** 2).sum()
    mse = residual / ((n - 1) * (k - 1))
    for number, label in enumerate(["ICC(1,1)", "ICC(A,1)", "ICC(C,1)"], 1):
        old = f"ICC{number}"
        row = table.loc[label] if label in table.index else table.loc[old]
        f, d1, d2 = float(row["F"]), int(row["df1"]), int(row["df2"])
        if number == 2:
            r = float(row["ICC"])
            fj = msc / mse
            v = (n - 1) * (k - 1) * (k * r * fj + n * (1 + (k - 1) * r) - k * r) ** 2 / (
                (n - 1) * (k * r * fj) ** 2 + (n * (1 + (k - 1) * r) - k * r) ** 2)
            up, low = stats.f.ppf(0.975, n - 1, v), stats.f.ppf(0.975, v, n - 1)
            limits = [n * (msr - up * mse) / (up * (k * msc + (k * n - k - n) * mse) + n * msr),
                      n * (low * msr - mse) / (k * msc + (k * n - k - n) * mse + n * low * msr)]
        else:
            low, up = f / stats.f.ppf(0.975, d1, d2), f * stats.f.ppf(0.975, d2, d1)
            limits = [(low - 1) / (low + k - 1), (up - 1) / (up + k - 1)]
        out[old] = {"estimate": float(row["ICC"]), "ci95": [float(x) for x in limits], "F": f, "df": [d1, d2],
                    "p": float(stats.f.sf(f, d1, d2))}
    return out


cases = []
for name, n, k, noise in [("two_readers", 14, 2, 0.3), ("three_readers", 25, 3, 1.0), ("poor", 9, 2, 4.0), ("many", 60, 4, 0.6)]:
    ratings = np.round(random.normal(0, 1, (n, 1)) + random.normal(0, noise, (n, k)) + random.normal(0, 0.4, k) + 5, 2)
    cases.append((name, {"ratings": ratings.tolist()}, icc(ratings)))
write("icc", f"pingouin {pingouin.__version__}; SciPy {scipy.__version__}", "pingouin.intraclass_corr", cases)

cases = []
for name, levels, n, agree in [("two", 2, 40, 0.7), ("four", 4, 60, 0.6), ("five_poor", 5, 30, 0.15), ("large", 6, 500, 0.5)]:
    first = random.integers(0, levels, n)
    second = np.where(random.random(n) < agree, first, random.integers(0, levels, n))
    table = np.zeros((levels, levels), int)
    np.add.at(table, (first, second), 1)
    output = {}
    for key, weights in [("unweighted", None), ("linear", "linear"), ("quadratic", "quadratic")]:
        k = cohens_kappa(table, wt=weights)
        output[key] = {"estimate": float(k.kappa), "se": float(k.std_kappa),
                       "ci95": [float(k.kappa - Z * k.std_kappa), float(k.kappa + Z * k.std_kappa)],
                       "se_null": float(k.std_kappa0), "p": float(2 * stats.norm.sf(abs(k.kappa / k.std_kappa0)))}
    cases.append((name, {"table_rows": table.tolist()}, output))
write("weighted_kappa", f"statsmodels {statsmodels.__version__}; SciPy {scipy.__version__}", "cohens_kappa(table, wt)", cases)

cases = []
for name, n in [("three", 3), ("twenty", 20), ("far", 45)]:
    x = np.round(random.normal(2, 0.5, n), 2) + (1000 if name == "far" else 0)
    y = np.round(x + random.normal(0.05, 0.15, n), 2)
    paired = stats.ttest_rel(x, y)
    interval = paired.confidence_interval()
    d = x - y
    bias, sd = float(d.mean()), float(d.std(ddof=1))
    t, se = stats.t.ppf(0.975, n - 1), sd * np.sqrt(1 / n + Z**2 / (2 * (n - 1)))
    limits = [bias - Z * sd, bias + Z * sd]
    around = [[float(limit - t * se), float(limit + t * se)] for limit in limits]
    cases.append((name, {"x": x.tolist(), "y": y.tolist()},
                  {"n": n, "bias": bias, "bias_ci95": [float(interval.low), float(interval.high)], "sd": sd,
                   "limits": [float(v) for v in limits], "lower_limit_ci95": around[0], "upper_limit_ci95": around[1]}))
write("bland_altman", f"SciPy {scipy.__version__}", "ttest_rel; Bland and Altman 1999", cases)
