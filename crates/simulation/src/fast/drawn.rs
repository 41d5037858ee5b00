//! How much is drawn in a trial: the counts that the bench takes its costs from (`benches/draws.csv`).

use std::{collections::BTreeMap, fs, path::Path};

use protocol::Study;

use super::{FastPlan, Workspace};
use crate::{
    scenario,
    streams::{Streams, tally},
};

fn study(name: &str) -> Study {
    let of = |folder: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder).join(name);
    let root = if of("studies").is_dir() { of("studies") } else { of("examples") };
    let mut files = BTreeMap::new();
    for folder in [root.clone(), root.join("forms")] {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                let within = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                files.insert(within, fs::read_to_string(&path).unwrap());
            }
        }
    }
    protocol::compile(&files).map_err(|faults| faults.len()).unwrap().study
}

/// Trials that a count is the mean of.
const TRIALS: u64 = 200;

#[test]
fn the_bench_knows_how_much_is_drawn() {
    let mut found = String::new();
    let written = include_str!("../../benches/draws.csv");
    for line in written.lines().skip(1) {
        let [name, of, sets, analysis, ..] = line.split(';').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let mut study = study(of);
        for set in sets.split(',').filter(|set| !set.is_empty()) {
            scenario::set_from_text(&mut study, set).unwrap();
        }
        if let Some(design) = study.virtual_cohort.design.clone() {
            let designs = &mut study.virtual_cohort.designs;
            designs.iter_mut().find(|one| one.name == design).unwrap().analysis = analysis.into();
        }
        let plan = FastPlan::compile(&study, &[analysis.into()]).unwrap();
        let mut space = Workspace::default();
        tally::take();
        for trial in 0..TRIALS {
            plan.run(&Streams::of_trial_number(1, trial), &mut space);
        }
        let counts = tally::take().map(|count| (count / TRIALS).to_string()).join(";");
        found.push_str(&format!("{name};{of};{sets};{analysis};{counts}\n"));
    }
    assert_eq!(written.split_once('\n').unwrap().1, found, "write what was found into benches/draws.csv");
}
