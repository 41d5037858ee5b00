//! Trials a second on one core, and the cost of the draws alone beside them.
//!
//! `crates/simulation/benches/reference.R` times the rank sum test alone in R.

use std::{collections::BTreeMap, fs, path::Path};

use divan::{Bencher, black_box, counter::ItemsCount};
use protocol::Study;
use simulation::{
    fast::{FastPlan, Workspace},
    streams::{Process, Streams},
};
use terms::AnalysisId;

fn main() {
    divan::main();
}

fn study(name: &str) -> Study {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../studies").join(name);
    let mut files = BTreeMap::new();
    for folder in [root.clone(), root.join("forms")] {
        for entry in fs::read_dir(&folder).expect("the study's folder") {
            let path = entry.expect("an entry of it").path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                let within = path.strip_prefix(&root).expect("a path below the folder");
                let text = fs::read_to_string(&path).expect("a study file");
                files.insert(within.to_string_lossy().into_owned(), text);
            }
        }
    }
    protocol::compile(&files).map_err(|faults| faults.len()).expect("a study that compiles").study
}

fn trials(bencher: Bencher<'_, '_>, name: &str, analyses: &[&str]) {
    let study = study(name);
    let asked: Vec<AnalysisId> = if analyses.is_empty() {
        let plan = study.plan.analyses.iter().filter(|one| one.role != "descriptive");
        FastPlan::sort_out(&study, &plan.map(|one| one.id.clone()).collect::<Vec<_>>()).0
    } else {
        analyses.iter().map(|id| AnalysisId::from(*id)).collect()
    };
    let plan = FastPlan::compile(&study, &asked).expect("analyses that the fast path serves");
    let mut space = Workspace::default();
    let mut trial = 0;
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        trial += 1;
        plan.run(&Streams::of_trial_number(1, trial), &mut space).len()
    });
}

#[divan::bench]
fn randomised_main_analysis(bencher: Bencher<'_, '_>) {
    trials(bencher, "imatinib-controlled", &["B-P1-main"]);
}

#[divan::bench]
fn randomised_whole_plan(bencher: Bencher<'_, '_>) {
    trials(bencher, "imatinib-controlled", &[]);
}

#[divan::bench]
fn one_arm_main_analysis(bencher: Bencher<'_, '_>) {
    trials(bencher, "imatinib-open", &["A-P1-main"]);
}

#[divan::bench]
fn one_arm_whole_plan(bencher: Bencher<'_, '_>) {
    trials(bencher, "imatinib-open", &[]);
}

/// A stream of its own for each normal draw: its block and the quantile.
#[divan::bench]
fn normal_draws_each_of_its_own_stream(bencher: Bencher<'_, '_>) {
    let streams = Streams::new(1);
    let process = Process::named("bench");
    let mut person = 0;
    bencher.counter(ItemsCount::new(4_usize)).bench_local(|| {
        person += 1;
        let draws = streams.draws_of(person, [(process, 0), (process, 1), (process, 2), (process, 3)]);
        draws.map(|mut draws| black_box(draws.normal()))
    });
}

#[divan::bench]
fn normal_draws_of_one_stream(bencher: Bencher<'_, '_>) {
    let mut draws = Streams::new(1).of(1, "bench", 0);
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| black_box(draws.normal()));
}
