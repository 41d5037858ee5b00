//! The methods with a target, timed beside R on the same data.
//!
//! Each time is the median of five timings of many calls. The data go to R as files, and
//! `beside_r.R` times R the same way; without `Rscript`, or without one of its packages, R's column stays empty.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use statistics::mixed::{MixedModel, Panel, Workspace};
use statistics::models::LinearWorkspace;
use statistics::ranks::{RankSumWorkspace, TwoSided};
use statistics::survival::{LogRankWeights, LogRankWorkspace, Times};

use super::mixed::{JumpToReference, SATTERTHWAITE, Trials, fitted, panel, weights};
use super::{Cohort, Trial, arms, cohort, covariates, tied_arms, trial};

/// Name, the time to stay below in seconds, ours in seconds.
type Row = (&'static str, f64, f64);

/// Times everything and prints a table.
pub(crate) fn run() {
    let rows = ours();
    let theirs = in_r().unwrap_or_default();
    println!("\n{:<22}{:>12}{:>12}{:>12}{:>10}", "median of 5", "Equipoise", "target", "R", "R / ours");
    for (name, target, ours) in rows {
        let (r, ratio) = theirs
            .get(name)
            .map_or(("-".to_owned(), "-".to_owned()), |r| (shown(*r), format!("{:.0}", r / ours)));
        println!("{name:<22}{:>12}{:>12}{r:>12}{ratio:>10}", shown(ours), shown(target));
    }
}

fn shown(seconds: f64) -> String {
    match seconds {
        s if s < 1e-6 => format!("{:.0} ns", s * 1e9),
        s if s < 1e-3 => format!("{:.2} µs", s * 1e6),
        s if s < 1.0 => format!("{:.2} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}

fn ours() -> Vec<Row> {
    let rule = TwoSided::AsFarFromMean;
    let mut space = RankSumWorkspace::default();
    let mut rank_sum = |[x, y]: [Vec<f64>; 2], calls| {
        median_of_five(calls, || {
            let _ = black_box(space.exact(black_box(&x), &y, rule));
        })
    };
    let mut rows = vec![
        ("rank_sum_2x14", 1e-6, rank_sum(arms(14), 100_000)),
        ("rank_sum_2x14_ties", 20e-6, rank_sum(tied_arms(14, 12.0), 5_000)),
        ("rank_sum_2x100_ties", 50e-3, rank_sum(tied_arms(100, 60.0), 5)),
    ];
    let Trial { arm, base, change } = trial(100);
    let (arm, mut space): (Vec<f64>, _) =
        (arm.into_iter().map(|a| a as f64).collect(), LinearWorkspace::default());
    let ancova = median_of_five(10_000, || {
        let fitted = space.fit(black_box(&change), &[&base, &arm]);
        let _ = black_box(fitted.and_then(|()| space.test(2)));
    });
    rows.push(("ancova_2x100", 10e-6, ancova));
    let (Cohort { time, event, arm }, mut space) = (cohort(400), LogRankWorkspace::default());
    let log_rank = median_of_five(2_000, || {
        let times = Times::new(black_box(&time), &event);
        let _ = black_box(times.and_then(|t| space.compare(t, &arm, 2, None, LogRankWeights::Equal)));
    });
    rows.push(("log_rank_400", 50e-6, log_rank));
    let data = covariates();
    let cox = median_of_five(50, || {
        let _ = black_box(data.fit());
    });
    rows.push(("cox_1000", 5e-3, cox));
    rows.extend(mixed_models());
    rows
}

fn mixed_models() -> Vec<Row> {
    let mut space = Workspace::new();
    let mut one = |participants: usize, model: MixedModel| {
        let panel = panel(participants, 4);
        let weights = weights(&panel);
        let calls = 100_000 / participants as u32;
        median_of_five(calls, || {
            let _ = black_box(fitted(&mut space, black_box(&panel), &weights, model));
        })
    };
    let mut rows = vec![
        ("mmrm_200x4_s", 1e-3, one(200, SATTERTHWAITE)),
        ("mmrm_200x4_kr", 2e-3, one(200, MixedModel::PRIMARY)),
        ("mmrm_1000x4_s", 5e-3, one(1_000, SATTERTHWAITE)),
        ("mmrm_1000x4_kr", 5e-3, one(1_000, MixedModel::PRIMARY)),
    ];
    let mut trials = Trials::of_200x4();
    let trial = median_of_five(200, || {
        let _ = black_box(trials.one());
    });
    rows.push(("mmrm_trial_200x4", 1.0 / 700.0, trial));
    let data = JumpToReference::of_100x4();
    let jump = median_of_five(10, || {
        let _ = black_box(data.pooled(&mut space, 20));
    });
    rows.push(("jump_100x4_20_draws", 20e-3, jump));
    rows
}

/// Participant, visit, arm, baseline and response of each observation.
fn observations(panel: &Panel) -> [(&'static str, Vec<f64>); 5] {
    let mut columns = [("id", vec![]), ("visit", vec![]), ("arm", vec![]), ("base", vec![]), ("y", vec![])];
    for i in 0..panel.participants() {
        for v in 0..panel.visits() {
            let Some(y) = panel.response(i, v) else { continue };
            let own = panel.covariates_of(i, v);
            for (column, value) in columns.iter_mut().zip([i as f64, v as f64, own[1], own[2], y]) {
                column.1.push(value);
            }
        }
    }
    columns
}

/// Seconds a call: the median of five timings of `calls` calls.
fn median_of_five(calls: u32, mut f: impl FnMut()) -> f64 {
    f();
    let mut timings = [0.0; 5];
    for timing in &mut timings {
        let start = Instant::now();
        for _ in 0..calls {
            f();
        }
        *timing = start.elapsed().as_secs_f64() / f64::from(calls);
    }
    timings.sort_unstable_by(f64::total_cmp);
    timings[2]
}

/// R's times by name; `None` where R is not there or fails.
fn in_r() -> Option<BTreeMap<String, f64>> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("beside-r");
    fs::create_dir_all(&folder).ok()?;
    let write = |name: &str, columns: &[(&str, Vec<f64>)]| {
        let mut text: String = columns.iter().map(|c| c.0).collect::<Vec<_>>().join(",");
        for i in 0..columns[0].1.len() {
            let row: Vec<String> = columns.iter().map(|c| c.1[i].to_string()).collect();
            let _ = write!(text, "\n{}", row.join(","));
        }
        fs::write(folder.join(format!("{name}.csv")), text + "\n").ok()
    };
    for (name, [x, y]) in [
        ("rank_sum_2x14", arms(14)),
        ("rank_sum_2x14_ties", tied_arms(14, 12.0)),
        ("rank_sum_2x100_ties", tied_arms(100, 60.0)),
    ] {
        write(name, &[("x", x), ("y", y)])?;
    }
    let numbers = |arm: Vec<usize>| -> Vec<f64> { arm.into_iter().map(|a| a as f64).collect() };
    let flags =
        |event: Vec<bool>| -> Vec<f64> { event.into_iter().map(|e| f64::from(u8::from(e))).collect() };
    let Trial { arm, base, change } = trial(100);
    write("ancova_2x100", &[("arm", numbers(arm)), ("base", base), ("change", change)])?;
    let Cohort { time, event, arm } = cohort(400);
    write("log_rank_400", &[("time", time), ("event", flags(event)), ("arm", numbers(arm))])?;
    let data = covariates();
    let Cohort { time, event, arm } = data.cohort;
    let columns = [
        ("time", time),
        ("event", flags(event)),
        ("arm", numbers(arm)),
        ("age", data.age),
        ("dose", data.dose),
    ];
    write("cox_1000", &columns)?;
    for (name, participants) in [("mixed_100x4", 100), ("mixed_200x4", 200), ("mixed_1000x4", 1_000)] {
        write(name, &observations(&panel(participants, 4)))?;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/methods/beside_r.R");
    let output = Command::new("Rscript").arg("--vanilla").arg(script).arg(&folder).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = |line: &str| {
        let (name, seconds) = line.trim().split_once(' ')?;
        Some((name.to_owned(), seconds.parse().ok()?))
    };
    Some(text.lines().filter_map(line).collect())
}
