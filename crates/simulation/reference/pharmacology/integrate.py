# Concentrations of a drug taken at fixed intervals, one compartment and first-order absorption, by integrating the two differential
# equations (gut and blood) dose by dose until nothing changes from one interval to the next. No closed form is used.
#
#   dG/dt = -ka G,   dA/dt = ka G - CL/V A,   C = A / V;   each dose adds to G.
#
# Run: python3 integrate.py > result.csv        (NumPy 2.4.6, SciPy 1.17.1)
import numpy as np
from scipy.integrate import solve_ivp


def steady_state(clearance, volume, absorption, interval, dose):
    """The solution over one interval once it repeats itself, with the area under A as a third component."""
    state = np.array([0.0, 0.0])
    while True:
        before = state.copy()
        rates = lambda t, y: [-absorption * y[0], absorption * y[0] - clearance / volume * y[1], y[1]]
        found = solve_ivp(rates, (0, interval), [state[0] + dose, state[1], 0.0], method="DOP853", rtol=1e-12, atol=1e-14, dense_output=True)
        state = found.y[:2, -1]
        if np.max(np.abs(state - before)) < 1e-12 * dose:
            return found


print("clearance,volume,absorption,interval,dose,hours,ng_per_ml,mean_ng_per_ml")
for clearance, volume, absorption, interval, dose in (
    (14.3, 347.0, 0.609, 24.0, 400.0),
    (8.1, 210.0, 0.609, 24.0, 400.0),
    (25.0, 900.0, 0.609, 24.0, 300.0),
    (14.3, 347.0, 0.609, 12.0, 200.0),
    (20.0, 60.0, 0.33, 24.0, 400.0),
):
    found = steady_state(clearance, volume, absorption, interval, dose)
    mean = found.y[2, -1] / interval / volume * 1000
    for share in (0.0, 0.1, 0.25, 0.5, 1.0):
        hours = share * interval
        concentration = found.sol(hours)[1] / volume * 1000
        print(f"{clearance},{volume},{absorption},{interval},{dose},{hours},{concentration:.9g},{mean:.9g}")
