"""Reference numbers for rounding half away from zero on the decimal value, from Python's decimal module.

Run in this directory's parent: python3 python/rounding.py
"""
import json
import platform
from decimal import ROUND_HALF_UP, Decimal

VALUES = [0.15, 0.25, 0.35, 1.005, 2.675, -2.5, 2.5, 0.5, -0.5, 97.66081871345029, 97.65, 1e-7, 123456.785,
          -0.049, 0.045, 9.9951, 9.995, 1 / 3, 22.4, -6.6, 1e15 + 0.5, 0.285, 64.5]
cases = []
for places in range(4):
    quantum = Decimal(1).scaleb(-places)
    text = []
    for value in VALUES:
        rounded = Decimal(repr(value)).quantize(quantum, rounding=ROUND_HALF_UP)
        text.append(f"{abs(rounded) if rounded == 0 else rounded:f}")
    cases.append({"id": f"{places}_places", "call": "Decimal(repr(x)).quantize(ROUND_HALF_UP)",
                  "input": {"x": VALUES, "places": places}, "output": {"text": text}})
with open("rounding.json", "w") as out:
    json.dump({"method": "rounding", "tool": f"Python {platform.python_version()} decimal",
               "tolerance": {"rel": 0, "abs": 0}, "cases": cases}, out, indent=1)
    out.write("\n")
