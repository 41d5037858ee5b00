//! A trial on the fast path works in memory that it has used before.

use allocation_counter::measure;
use simulation::{
    fast::{FastPlan, Workspace},
    streams::Streams,
};

use crate::study;

/// Allocations of a trial, on average, once the trials before it have stretched the buffers. Those that are
/// left come of rules of entry that have to be judged whole: of one person in a hundred.
fn each_trial(name: &str, analysis: &str) -> f64 {
    let study = study(name);
    let plan = FastPlan::compile(&study, &[analysis.into()]).unwrap();
    let mut space = Workspace::default();
    let mut run = |trials: std::ops::Range<u64>| {
        for trial in trials {
            plan.run(&Streams::of_trial_number(1, trial), &mut space);
        }
    };
    run(0..1_000);
    measure(|| run(1_000..2_000)).count_total as f64 / 1_000.0
}

#[test]
fn a_trial_allocates_little() {
    for (name, analysis, most) in
        [("imatinib-controlled", "B-P1-main", 10.0), ("imatinib-open", "A-P1-main", 3.0)]
    {
        let count = each_trial(name, analysis);
        assert!(count < most, "{name}: {count} allocations a trial");
    }
}
