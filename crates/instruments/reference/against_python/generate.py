"""Reference cases of the instruments by an independent computation, with the standard library alone.

Written from the published rules, not from the crate: exact fractions for scores and cuts, spline tables read from the
shipped CSV files with an interpolation of its own. Edges are drawn on purpose: missing items at each rule's limit,
values on a cut, ages at the ends of the tables.

Run: python3 generate.py > cases.json
"""

import csv
import json
import math
import random
import sys
from fractions import Fraction as F
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
R = random.Random(20260528)
FILES = []


def file(instrument, make, count):
    """Adds a case file of `count` cases."""
    cases = []
    for number in range(count):
        given, expected = make(number)
        cases.append({"id": f"{instrument}-py{number + 1:03}", "in": given, "out": expected})
    FILES.append({"instrument": instrument, "tolerance_abs": 1e-6, "vectors": cases})


def num(value):
    return None if value is None else float(value)


# ---- skin and questionnaires ----

SITES = ["face", "chest", "abdomen"] + [
    f"{side}_{place}" for place in ["upper_arm", "forearm", "hand", "fingers", "thigh", "leg", "foot"] for side in "rl"
]


def mrss(number):
    sites = {site: R.randint(0, 3) for site in SITES}
    for site in R.sample(SITES, [0, 0, 1, 2, 3][number % 5]):
        sites[site] = None
    if number % 7 == 6:
        sites[R.choice(SITES)] = R.choice([-1, 4, 1.5, 51])
    present = [value for value in sites.values() if value is not None]
    if any(value not in (0, 1, 2, 3) for value in present):
        return {"sites": sites}, {"total": None, "status": "invalid"}
    missing = [site for site in SITES if sites[site] is None]
    if missing:
        return {"sites": sites}, {"total": None, "status": "incomplete", "missing": missing}
    return {"sites": sites}, {"total": sum(present), "status": "complete"}


CATEGORIES = {"dressing": 2, "arising": 2, "eating": 3, "walking": 2, "hygiene": 3, "reach": 2, "grip": 3, "activities": 3}


def haq_input(number):
    items = {name: [R.randint(0, 3) for _ in range(size)] for name, size in CATEGORIES.items()}
    for name in R.sample(sorted(items), number % 5):
        items[name] = [None] * CATEGORIES[name]
    for name in items:
        if R.random() < 0.2:
            items[name][R.randrange(CATEGORIES[name])] = None
    aided = sorted(R.sample(sorted(CATEGORIES), R.choice([0, 0, 1, 2, 4])))
    return items, aided


def haq_scores(items, aided):
    plain, scores = {}, {}
    for name, answers in items.items():
        present = [answer for answer in answers if answer is not None]
        if present:
            plain[name] = max(present)
            scores[name] = 2 if name in aided and plain[name] < 2 else plain[name]
    index = lambda by: F(sum(by.values()), len(by)) if len(by) >= 6 else None
    return scores, index(scores), index(plain)


def haq(number):
    items, aided = haq_input(number)
    scores, index, plain = haq_scores(items, aided)
    return {"items": items, "aids_or_help": aided}, {
        "categories": scores, "n_categories": len(scores), "haq_di": num(index), "haq_di_no_aids": num(plain)}


def ssc_haq(number):
    items, aided = haq_input(number)
    names = ["intestinal", "breathing", "raynaud", "finger_ulcers", "overall"]
    marks = {name: R.choice([0, 150, R.randint(0, 150)]) for name in names}
    if number % 4 == 3:
        marks[R.choice(names)] = None
    scores, index, _ = haq_scores(items, aided)
    pooled = None
    if len(scores) >= 6 and all(mark is not None for mark in marks.values()):
        pooled = (sum(scores.values()) + sum(F(mark, 50) for mark in marks.values())) / (len(scores) + 5)
    return {"items": items, "aids_or_help": aided, "vas_mm_150": marks}, {"haq_di": num(index), "ssc_haq": num(pooled)}


def shaq_vas(number):
    line = R.choice([100, 150])
    mark = [0, line, None, R.randint(0, line * 10) / 10][number % 4]
    return {"mark_mm": mark, "line_mm": line}, {"score_0_3": None if mark is None else num(3 * F(str(mark)) / line)}


POINTS = {"very_much": 3, "a_lot": 2, "a_little": 1, "not_at_all": 0, "not_relevant": 0}


def dlqi(number):
    names = [f"q{n}" for n in range(1, 11) if n != 7]
    items = {name: R.choice(sorted(POINTS)) for name in names}
    for name in R.sample(names, [0, 0, 1, 2][number % 4]):
        items[name] = None
    main = R.choice(["yes", "no", "not_relevant", None])
    sub = None if main in ("yes", None) else R.choice(["a_lot", "a_little", "not_at_all", None])
    seven = None if main is None else 3 if main == "yes" else POINTS[sub] if sub else 0
    points = {int(name[1:]): None if code is None else POINTS[code] for name, code in items.items()} | {7: seven}
    missing = sum(point is None for point in points.values())
    total = sum(point or 0 for point in points.values()) if missing <= 1 else None
    band = None
    if total is not None:
        band = next(name for top, name in [(1, "none"), (5, "small"), (10, "moderate"), (20, "very_large"), (30, "extremely_large")] if total <= top)
    part = lambda *of: None if any(points[n] is None for n in of) else sum(points[n] for n in of)
    return {"items": items, "q7_main": main, "q7_sub": sub}, {"total": total, "band": band, "missing": missing, "subscales": {
        "symptoms_feelings": part(1, 2), "daily_activities": part(3, 4), "leisure": part(5, 6),
        "work_school": part(7), "relationships": part(8, 9), "treatment": part(10)}}


def rand36_levels(item):
    if item in range(3, 13):
        return 3
    if item in range(13, 20):
        return 2
    return 6 if item in (21, *range(23, 32)) else 5


def rand36(number):
    answers = {n: R.randint(1, rand36_levels(n)) for n in range(1, 37)}
    for n in R.sample(range(1, 37), [0, 4, 12, 18][number % 4]):
        answers[n] = None
    falling = {1, 2, 20, 22, 34, 36, 21, 23, 26, 27, 30}

    def recoded(n):
        top = rand36_levels(n) - 1
        step = answers[n] - 1
        return F(100 * (top - step if n in falling else step), top)

    def scale(*items):
        present = [recoded(n) for n in items if answers[n] is not None]
        return num(sum(present) / len(present)) if 2 * len(present) >= len(items) else None

    return {"items": {str(n): answer for n, answer in answers.items()}}, {
        "physical_functioning": scale(*range(3, 13)), "role_physical": scale(*range(13, 17)),
        "role_emotional": scale(17, 18, 19), "energy_fatigue": scale(23, 27, 29, 31),
        "emotional_wellbeing": scale(24, 25, 26, 28, 30), "social_functioning": scale(20, 32),
        "pain": scale(21, 22), "general_health": scale(1, 33, 34, 35, 36)}


def sf36_summary(number):
    rows = list(csv.DictReader(open(HERE / "sf36_norms.csv")))
    norm = R.choice(["us1990_v1", "us1998_v2"])
    scales = {row["scale"]: R.choice([0, 100, R.randint(0, 20) * 5]) for row in rows}
    if number % 5 == 4:
        scales[R.choice(sorted(scales))] = None
    out = {"pcs": None, "mcs": None}
    if None not in scales.values():
        for key, column in (("pcs", "coef_pcs"), ("mcs", "coef_mcs")):
            z = ((scales[row["scale"]] - F(row[f"mean_{norm}"])) / F(row[f"sd_{norm}"]) * F(row[column]) for row in rows)
            out[key] = num(50 + 10 * sum(z))
    return {"scales": scales, "norm": norm}, out


# ---- composites ----

def tri(chance=0.15):
    return None if R.random() < chance else R.random() < 0.4


def acr_criss(number):
    delta = {"d_mrss": R.randint(-20, 10), "d_fvc_pct": R.randint(-150, 150) / 10, "d_ptga": R.randint(-50, 50) / 10,
             "d_mdga": R.randint(-50, 50) / 10, "d_haq_di": R.randint(-16, 16) / 8}
    if number % 5 == 4:
        delta[R.choice(sorted(delta))] = None
    step = {key: R.random() < 0.08 for key in
            ("renal_crisis", "fvc_decline_15_confirmed_ild", "new_lvef_le_45", "new_pah_rhc_treated")}
    if any(step.values()):
        return {"delta": delta, "step1": step}, {"score": 0.0, "step1_failed": True}
    if None in delta.values():
        return {"delta": delta, "step1": step}, {"score": None, "step1_failed": False}
    weights = {"d_mrss": "-0.81", "d_fvc_pct": "0.21", "d_ptga": "-0.40", "d_mdga": "-0.44", "d_haq_di": "-3.41"}
    x = F("-5.54") + sum(F(weight) * F(str(delta[key])) for key, weight in weights.items())
    return {"delta": delta, "step1": step}, {
        "score": 1 / (1 + math.exp(-float(x))), "linear": num(x), "step1_failed": False}


def revised_criss(number):
    percent = R.choice([20, 25, 30, 40, 50, 60])
    fvc = R.choice([5, 10])
    before = {"mrss": R.randint(0, 45), "fvc_pct": R.randint(400, 1100) / 10, "ptga": R.randint(0, 100) / 10,
              "mdga": R.randint(0, 100) / 10, "haq_di": R.randint(0, 24) / 8}
    after = {}
    for key, value in before.items():
        if R.random() < 0.4:  # on the threshold itself
            sign, share = (1, fvc) if key == "fvc_pct" else (-1, percent)
            after[key] = float(F(str(value)) * (100 + sign * share) / 100)
        else:
            after[key] = round(max(0, value * R.uniform(0.3, 1.3)), 1)
    improved = {}
    for key in before:
        a, b = F(str(before[key])), F(str(after[key]))
        gain = b - a if key == "fvc_pct" else a - b
        improved[key] = a > 0 and 100 * gain / a >= (fvc if key == "fvc_pct" else percent)
    count = sum(improved.values())
    return {"baseline": before, "followup": after, "threshold_pct": percent, "fvc_threshold_pct": fvc}, {
        "n_improved": count, "responder": count >= 3, "improved": improved}


def activity_index(number):
    flags = ["scleredema", "delta_skin", "digital_necrosis", "delta_vascular", "arthritis", "delta_cardiopulm",
             "hypocomplementemia", "digital_ulcers", "tendon_friction_rubs"]
    found = {key: R.random() < 0.35 for key in flags}
    found |= {"mrss": R.choice([14, 15, 18, 19, 30]), "dlco_pct": R.choice([69.9, 70, 79.9, 80, 95]),
              "esr": R.choice([10, 30, 31]), "crp_mg_dl": R.choice([0.5, 1.0, 1.1])}
    f = lambda key: int(found[key])
    old = (F(1) * (found["mrss"] > 14) + F(1, 2) * f("scleredema") + 2 * f("delta_skin") + F(1, 2) * f("digital_necrosis")
           + F(1, 2) * f("delta_vascular") + F(1, 2) * f("arthritis") + F(1, 2) * (found["dlco_pct"] < 80)
           + 2 * f("delta_cardiopulm") + F(3, 2) * (found["esr"] > 30) + f("hypocomplementemia"))
    new = (F(3, 2) * f("delta_skin") + F(3, 2) * f("digital_ulcers") + F(3, 2) * (found["mrss"] > 18)
           + F(9, 4) * f("tendon_friction_rubs") + F(9, 4) * (found["crp_mg_dl"] > 1) + (found["dlco_pct"] < 70))
    return found, {"escsg_2003": {"score": num(old), "active": old >= 3}, "eustar_2017": {"score": num(new), "active": new >= F(5, 2)}}


def acr_eular(number):
    keys = ["skin_thickening_proximal_mcp", "puffy_fingers", "sclerodactyly", "digital_tip_ulcers", "pitting_scars",
            "telangiectasia", "abnormal_nailfold", "pah", "ild", "raynaud", "autoantibody"]
    found = {key: R.random() < (0.15 if key.startswith("skin") else 0.5) for key in keys}
    score = 9 if found["skin_thickening_proximal_mcp"] else (
        (4 if found["sclerodactyly"] else 2 * found["puffy_fingers"])
        + (3 if found["pitting_scars"] else 2 * found["digital_tip_ulcers"]) + 2 * found["telangiectasia"]
        + 2 * found["abnormal_nailfold"] + 2 * (found["pah"] or found["ild"]) + 3 * found["raynaud"] + 3 * found["autoantibody"])
    return found, {"score": score, "definite": score >= 9, "sufficient": found["skin_thickening_proximal_mcp"]}


# ---- laboratory and liver ----

def ctcae(number):
    tests = ["ALT", "AST", "ALP", "BILI", "CPK", "CREAT", "ANC", "PLT", "HGB_gL", "WBC", "K_low", "ALB_gL"]
    test = tests[number % len(tests)]
    low = {"ANC": (F(2), [F(3, 2), F(1), F(1, 2)], [2, 3, 4]), "PLT": (F(150), [F(75), F(50), F(25)], [2, 3, 4]),
           "WBC": (F(4), [F(3), F(2), F(1)], [2, 3, 4]), "HGB_gL": (F(120), [F(100), F(80)], [2, 3]),
           "K_low": (F("3.5"), [F(3), F("2.5")], [3, 4]), "ALB_gL": (F(35), [F(30), F(20)], [2, 3])}
    if test in low:
        lln, cuts, grades = low[test]
        value = R.choice([lln, *cuts]) + R.choice([F(0), F(-1, 10), F(1, 10)])
        grade = 1 if value < lln else 0
        for cut, reached in zip(cuts, grades):
            if value < cut:
                grade = reached
        return {"test": test, "value": num(value), "lln": num(lln), "uln": None, "baseline": num(lln + 1)}, {"grade": grade}
    uln = {"ALT": F(40), "AST": F(35), "ALP": F(120), "BILI": F("1.2"), "CPK": F(200), "CREAT": F("1.1")}[test]
    base = R.choice([F(1, 2), F(1), F(6, 5), F(2)]) * uln
    cuts = {"ALT": [3, 5, 20], "AST": [3, 5, 20], "ALP": [F(5, 2), 5, 20], "BILI": [F(3, 2), 3, 10],
            "CPK": [F(5, 2), 5, 10], "CREAT": [F(3, 2), 3, 6]}[test]
    against = base if test in ("ALT", "AST", "ALP", "BILI") and base > uln else uln
    value = R.choice([F(1), F(3, 2), F(2), *cuts]) * against + R.choice([F(0), F(1, 100), F(-1, 100)])
    if test == "CREAT":
        over = lambda factor, of: value > factor * of
        grade = 4 if over(6, uln) else 3 if over(3, uln) or over(3, base) else 2 if over(F(3, 2), uln) or over(F(3, 2), base) else int(over(1, uln))
    else:
        grade = int(value > against)
        if against is base and test != "BILI":
            grade = int(value >= (F(2) if test == "ALP" else F(3, 2)) * base)
        for reached, cut in zip((2, 3, 4), cuts):
            if value > cut * against:
                grade = reached
    return {"test": test, "value": num(value), "lln": None, "uln": num(uln), "baseline": num(base)}, {"grade": grade}


def hys_law(number):
    alt, ast = R.choice([1, 2.9, 3, 3.1, 5, 8]), R.choice([0.9, 2.9, 3, 3.1, 9])
    alp, bilirubin = R.choice([0.6, 1, 1.9, 2, 3]), R.choice([0.5, 2, 2.1, 4])
    ratio = F(str(alt)) / F(str(alp))
    return {"alt_x_uln": alt, "ast_x_uln": ast, "alp_x_uln": alp, "bili_x_uln": bilirubin}, {
        "r_value": num(ratio), "pattern": "hepatocellular" if ratio >= 5 else "cholestatic" if ratio <= 2 else "mixed",
        "temple": alt > 3 or ast > 3, "potential_hys_law": (alt >= 3 or ast >= 3) and bilirubin > 2 and alp < 2}


# ---- body, kidney, lung ----

def bsa(number):
    height, weight = R.randint(1400, 2000) / 10, R.randint(350, 1500) / 10
    return {"height_cm": height, "weight_kg": weight}, {
        "mosteller": math.sqrt(height * weight / 3600), "dubois": 0.007184 * height ** 0.725 * weight ** 0.425}


def ckd_epi(number):
    sex, age, creatinine = R.choice("FM"), R.randint(18, 95), R.choice([0.7, 0.9, R.randint(30, 600) / 100])
    k, a = (0.7, -0.241) if sex == "F" else (0.9, -0.302)
    rate = 142 * min(creatinine / k, 1) ** a * max(creatinine / k, 1) ** -1.2 * 0.9938 ** age * (1.012 if sex == "F" else 1)
    return {"sex": sex, "age_y": age, "creatinine_mg_dl": creatinine}, {"egfr": rate}


def table(name):
    coefficients = {(row[0], row[1]): row[2:] for row in csv.reader(open(HERE / f"{name}_coefficients.csv"))}
    header = next(csv.reader(open(HERE / f"{name}_coefficients.csv")))[2:]
    splines = {}
    for row in list(csv.reader(open(HERE / f"{name}_splines.csv")))[1:]:
        splines.setdefault((row[0], row[1]), []).append([float(cell) for cell in row[2:6]])
    return {key: dict(zip(header, map(float, row))) for key, row in coefficients.items() if key[1] in "FM"}, splines


TABLES = {name: table(name) for name in ("gli2012", "gli2022", "gli2017_dlco", "gli2021_volumes")}


def spline(rows, age):
    if not rows[0][0] <= age <= rows[-1][0]:
        return None
    for low, high in zip(rows, rows[1:]):
        if low[0] <= age <= high[0]:
            share = (age - low[0]) / (high[0] - low[0])
            return [a + share * (b - a) for a, b in zip(low[1:], high[1:])]


def lms(name, number):
    coefficients, splines = TABLES[name]
    param, sex = R.choice(sorted(coefficients))
    rows = splines[(param, sex)]
    first, last = rows[0][0], rows[-1][0]
    age = [R.randint(1800, 7900) / 100, first, last, round(last + 0.01, 2), round(first - 0.01, 2)][number % 5 if number % 3 == 0 else 0]
    height, c = R.randint(1450, 1950) / 10, coefficients[(param, sex)]
    given = {"param": param, "sex": sex, "age_y": age, "height_cm": height}
    group = None
    if name == "gli2012":
        group = R.choice(["white", "black", "ne_asian", "se_asian", "other"])
        given["ethnicity"] = group
    at = spline(rows, age)
    if at is None:
        given["value"] = 3.0
        return given, {key: None for key in ("l", "m", "s", "pct_pred", "z", "lln", "uln")}
    l_spline, m_spline, s_spline = at
    ln_age, ln_height = math.log(age), math.log(height)
    if name == "gli2021_volumes":
        a_age, a_height = {"TLC": (ln_age, ln_height), "FRC": (ln_age, ln_height), "VC": (age, ln_height)}.get(param, (age, height))
        m = math.exp(c["a0"] + c["a1"] * a_age + c["a2"] * a_height + m_spline)
        s = math.exp(c["p0"] + c["p1"] * (ln_age if param == "FRC" else age) + (0 if param == "VC" else s_spline))
        l = c["q0"]
    else:
        m = math.exp(c["a0"] + c["a1"] * ln_height + c["a2"] * ln_age + m_spline + (c.get({"black": "a3", "ne_asian": "a4", "se_asian": "a5", "other": "a6"}.get(group, ""), 0)))
        s = math.exp(c["p0"] + c["p1"] * ln_age + s_spline + (c.get({"black": "p2", "ne_asian": "p3", "se_asian": "p4", "other": "p5"}.get(group, ""), 0)))
        l = c["q0"] + (c.get("q1", 0) * ln_age + l_spline if name == "gli2012" else c.get("q1", 0) * ln_age if name == "gli2022" else 0)
    value = given["value"] = round(m * R.uniform(0.5, 1.3), 3)
    return given, {"l": l, "m": m, "s": s, "pct_pred": 100 * value / m, "z": ((value / m) ** l - 1) / (l * s),
                   "lln": m * (1 - 1.645 * l * s) ** (1 / l), "uln": m * (1 + 1.645 * l * s) ** (1 / l)}


# ---- monitoring ----

def tail(n, p):
    mass = [math.comb(n, x) * p ** x * (1 - p) ** (n - x) for x in range(n + 1)]
    return [math.fsum(mass[x:]) for x in range(n + 1)]


def crossing(limits, p):
    going, crossed = [1.0], 0.0
    for limit in limits:
        going = [(going[x] if x < len(going) else 0) * (1 - p) + (going[x - 1] * p if x else 0) for x in range(len(going) + 1)]
        crossed += math.fsum(going[limit:])
        going = [mass if x < limit else 0.0 for x, mass in enumerate(going)]
    return crossed


def pocock(number):
    n, p0, alpha = R.choice([10, 17, 22, 30]), R.choice([0.1, 0.15, 0.2, 0.3]), R.choice([0.05, 0.1])
    tails = [tail(k, p0) for k in range(1, n + 1)]
    at = lambda level: [next((x for x, t in enumerate(of) if t <= level * (1 + 1e-12)), len(of)) for of in tails]
    levels = sorted({t for of in tails for t in of[1:]})
    allowed = [level for level in levels if crossing(at(level), p0) <= alpha + 1e-12]
    limits = at(allowed[-1] if allowed else 0)
    return {"kind": "pocock_binomial", "n": n, "p0": p0, "alpha": alpha}, {
        "stop_if_events_at_least": limits, "prob_stop_at_p0": crossing(limits, p0), "prob_stop_at_p0_plus_0_2": crossing(limits, p0 + 0.2)}


file("mrss", mrss, 35)
file("haq_di", haq, 30)
file("ssc_haq", ssc_haq, 30)
file("shaq_vas", shaq_vas, 12)
file("dlqi", dlqi, 40)
file("rand36", rand36, 24)
file("sf36_summary", sf36_summary, 15)
file("acr_criss", acr_criss, 25)
file("revised_criss", revised_criss, 40)
file("activity_index", activity_index, 30)
file("acr_eular_2013", acr_eular, 30)
file("ctcae5_labs", ctcae, 120)
file("dili_hys_law", hys_law, 30)
file("bsa", bsa, 8)
file("ckd_epi_2021", ckd_epi, 15)
for name in sorted(TABLES):
    file(name, lambda number, name=name: lms(name, number), 40)
file("stopping_rule", pocock, 12)
json.dump(FILES, sys.stdout, indent=1)
