//! Designs.

use super::inputs::{Inputs, wrong};
use super::outputs::Outputs;
use super::{Computed, Unsupported};
use crate::NotEstimable;
use crate::planning::{
    Alternative, BoundaryShape, GroupSequentialDesign, OperatingCharacteristics, Sides, SimonDesign,
    TTestKind, anova_power, anova_size, binomial_power, fisher_power, group_sequential_design, noether_size,
    proportions_power, proportions_size, rank_sum_shift_power, schoenfeld_events, t_test_power,
    t_test_power_unequal, t_test_size,
};

pub(super) fn simon_two_stage(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let designs = crate::planning::simon_two_stage(
        input.number("p0")?,
        input.number("p1")?,
        input.number("alpha")?,
        input.number("beta")?,
        input.count("nmax")?,
    );
    let mut out = Outputs::default();
    let put = |design: Result<SimonDesign, NotEstimable>| {
        let mut part = Outputs::default();
        part.put("r1", design.map(|d| d.r1))
            .put("n1", design.map(|d| d.n1))
            .put("r", design.map(|d| d.r))
            .put("n", design.map(|d| d.n))
            .put("EN_p0", design.map(|d| d.expected_n))
            .put("PET_p0", design.map(|d| d.early_stop))
            .put("alpha_actual", design.map(|d| d.alpha))
            .put("power_actual", design.map(|d| d.power));
        part
    };
    out.put("optimal", put(designs.map(|d| d.optimal))).put("minimax", put(designs.map(|d| d.minimax)));
    Ok(out.done())
}

pub(super) fn group_sequential(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let shape = match input.text("type")? {
        "OF" => BoundaryShape::OBrienFleming,
        "P" => BoundaryShape::Pocock,
        "WT" => BoundaryShape::WangTsiatis { delta: input.number("deltaWT")? },
        "asOF" => BoundaryShape::SpendingOBrienFleming,
        "asP" => BoundaryShape::SpendingPocock,
        "asKD" => BoundaryShape::SpendingPower { gamma: input.number("gammaA")? },
        "asHSD" => BoundaryShape::SpendingGamma { gamma: input.number("gammaA")? },
        _ => return Err(wrong("type", "a known boundary")),
    };
    let sides = match input.count("sided")? {
        1 => Sides::One,
        2 => Sides::Two,
        _ => return Err(wrong("sided", "1 or 2")),
    };
    let power = 1.0 - input.number_or("beta", 0.2)?;
    let design = group_sequential_design(shape, &input.present("info")?, input.number("alpha")?, sides);
    let design = design.as_ref().map_err(|e| *e);
    let drift = design.and_then(|d| d.drift_for_power(power));
    let inflation = design.and_then(|d| d.inflation_factor(power));
    let at_power = design.and_then(|d| drift.map(|drift| d.at_drift(drift)));
    let at_null = design.map(|d| d.at_drift(0.0));
    let expected = |at: &Result<OperatingCharacteristics, NotEstimable>| {
        inflation.and_then(|i| at.as_ref().map_err(|e| *e).map(|at| i * at.expected_information))
    };
    let mut out = Outputs::default();
    out.put("critical_values", design.map(|d| d.critical_values.clone()))
        .put("cumulative_alpha_spent_upper", design.map(|d| d.alpha_spent_upper.clone()))
        .put("stage_levels_one_sided", design.map(GroupSequentialDesign::stage_levels))
        .put("inflation_factor", inflation)
        .put("drift_at_power", drift)
        .put("cumulative_power_upper", at_power.as_ref().map_err(|e| *e).map(|a| a.upper.clone()))
        .put("asn_ratio_H1_vs_fixed", expected(&at_power))
        .put("asn_ratio_H0_vs_fixed", expected(&at_null));
    Ok(out.done())
}

pub(super) fn power(input: Inputs<'_>) -> Result<Computed, Unsupported> {
    let mut out = Outputs::default();
    let alpha = input.number("alpha")?;
    match input.text("kind")? {
        "t" => put_t_power(&mut out, input, alpha)?,
        "t_unequal" => {
            let (n1, n2) = (input.number("n1")?, input.number("n2")?);
            out.put(
                "power",
                t_test_power_unequal(n1, n2, input.number("delta")?, input.number("sd")?, alpha),
            );
        }
        "prop" => {
            let (p1, p2) = (input.number("p1")?, input.number("p2")?);
            let (n, power) = match wanted(input)? {
                Wanted::Power(n) => (Ok(n), proportions_power(n, p1, p2, alpha)),
                Wanted::Size(power) => (proportions_size(power, p1, p2, alpha), Ok(power)),
            };
            out.put("n", n).put("n_ceiling", n.map(f64::ceil)).put("power", power);
        }
        "fisher" => {
            let (p1, p2) = (input.number("p1")?, input.number("p2")?);
            out.put("power", fisher_power(input.count("n1")?, input.count("n2")?, p1, p2, alpha));
        }
        "binom1" => {
            let exact = binomial_power(input.count("n")?, input.number("p0")?, input.number("p1")?, alpha);
            out.put("critical_count", exact.map(|e| e.critical_count))
                .put("alpha_actual", exact.map(|e| e.alpha_actual))
                .put("power", exact.map(|e| e.power));
        }
        "wilcoxon_noether" => {
            let n = noether_size(input.number("p_xy")?, input.number("frac")?, alpha, input.number("power")?);
            out.put("n_total", n).put("n_total_ceiling", n.map(f64::ceil));
        }
        "wilcoxon_exact_shift_normal" => put_shift_power(&mut out, input, alpha)?,
        "schoenfeld" => {
            let events =
                schoenfeld_events(input.number("hr")?, input.number("frac")?, alpha, input.number("power")?);
            out.put("events", events).put("events_ceiling", events.map(f64::ceil));
        }
        "anova" => {
            let (groups, between, within) =
                (input.number("groups")?, input.number("between")?, input.number("within")?);
            let (n, power) = match wanted(input)? {
                Wanted::Power(n) => (Ok(n), anova_power(groups, n, between, within, alpha)),
                Wanted::Size(power) => (anova_size(power, groups, between, within, alpha), Ok(power)),
            };
            out.put("n", n).put("n_ceiling", n.map(f64::ceil)).put("power", power);
        }
        _ => return Err(wrong("kind", "a known design")),
    }
    Ok(out.done())
}

/// What a case asks for: the power of a size, or the size for a power.
enum Wanted {
    Power(f64),
    Size(f64),
}

fn wanted(input: Inputs<'_>) -> Result<Wanted, Unsupported> {
    if input.has("n") {
        Ok(Wanted::Power(input.number("n")?))
    } else {
        Ok(Wanted::Size(input.number("power")?))
    }
}

fn put_t_power(out: &mut Outputs, input: Inputs<'_>, alpha: f64) -> Result<(), Unsupported> {
    let (delta, sd) = (input.number("delta")?, input.number("sd")?);
    let kind = match input.text("type")? {
        "two.sample" => TTestKind::TwoSample,
        "one.sample" | "paired" => TTestKind::OneSample,
        _ => return Err(wrong("type", "a known t-test")),
    };
    let alternative = match (input.text("alternative")?, input.flag_or("strict", false)?) {
        ("one.sided", _) => Alternative::OneSided,
        ("two.sided", false) => Alternative::TwoSided,
        ("two.sided", true) => Alternative::TwoSidedStrict,
        _ => return Err(wrong("alternative", "one.sided or two.sided")),
    };
    let (n, power) = match wanted(input)? {
        Wanted::Power(n) => (Ok(n), t_test_power(n, delta, sd, alpha, kind, alternative)),
        Wanted::Size(power) => (t_test_size(power, delta, sd, alpha, kind, alternative), Ok(power)),
    };
    out.put("n", n).put("n_ceiling", n.map(f64::ceil)).put("power", power);
    Ok(())
}

fn put_shift_power(out: &mut Outputs, input: Inputs<'_>, alpha: f64) -> Result<(), Unsupported> {
    let (n1, n2) = (input.count("n1")? as usize, input.count("n2")? as usize);
    let shift = rank_sum_shift_power(n1, n2, input.number("delta")?, alpha);
    out.put("p1", shift.map(|s| s.p1))
        .put("p2", shift.map(|s| s.p2))
        .put("var_W", shift.map(|s| s.variance))
        .put("reject_if_W_le", shift.map(|s| s.reject_at_most))
        .put("size_exact", shift.map(|s| s.size))
        .put("power_normal_approx", shift.map(|s| s.power));
    Ok(())
}
