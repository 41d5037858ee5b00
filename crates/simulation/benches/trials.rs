//! Trials a second of one core beside the goals, beside the same in R, and beside the cost of their draws alone.
//!
//! `cargo bench -p simulation` prints the table; `cargo bench -p simulation -- NAME` the lines whose name holds NAME.
//! `benches/reference.R` times the methods alone in R (base R; its mixed model needs nlme, which comes with R), without
//! drawing participants, and is run beside this where R is installed. Measure on an idle machine.
//!
//! With `--trials N` nothing is timed: N trials of each line are run, so that a profiler can count instructions on any machine.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::{
    collections::BTreeMap,
    fs,
    hint::black_box,
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use protocol::{
    Study,
    model::{DesignKind, Method},
};
use simulation::{
    fast::{FastPlan, Workspace},
    scenario,
    streams::{Process, Streams},
};
use terms::AnalysisId;

/// How long a line is measured.
const MEASURED: Duration = Duration::from_millis(2_000);

/// What is simulated.
struct Line {
    name: &'static str,
    study: &'static str,
    sets: &'static [&'static str],
    /// Analyses; none: the whole plan but descriptions, mixed models and imputation.
    analyses: &'static [&'static str],
    change: fn(&mut Study),
    /// Trials a second of a core that it should reach.
    goal: Option<f64>,
}

fn as_written(_: &mut Study) {}

/// Looks at half, three quarters and all, by the t-test of the changes.
fn looks_by_means(study: &mut Study) {
    for design in &mut study.virtual_cohort.designs {
        if matches!(&design.kind, DesignKind::Looks { looks, .. } if looks.len() == 3) {
            design.analysis = "B-P1-change".into();
        }
    }
}

/// A fourth visit in the mixed model.
fn four_visits(study: &mut Study) {
    for analysis in &mut study.plan.analyses {
        if let Method::Mmrm(options) = &mut analysis.method {
            options.model.visits = ["M1", "M3", "M6", "M12"].map(str::to_owned).to_vec();
        }
    }
}

const LINES: [Line; 9] = [
    Line {
        name: "randomised: rank sum, exact with ties",
        study: "imatinib-controlled",
        sets: &[],
        analyses: &["B-P1-main"],
        change: as_written,
        goal: Some(30_000.0),
    },
    Line {
        name: "randomised: whole plan",
        study: "imatinib-controlled",
        sets: &[],
        analyses: &[],
        change: as_written,
        goal: Some(8_000.0),
    },
    Line {
        name: "one arm: paired t",
        study: "imatinib-open",
        sets: &[],
        analyses: &["A-P1-main"],
        change: as_written,
        goal: Some(100_000.0),
    },
    Line {
        name: "one arm: whole plan",
        study: "imatinib-open",
        sets: &[],
        analyses: &[],
        change: as_written,
        goal: None,
    },
    Line {
        name: "2 x 100: covariance",
        study: "imatinib-controlled",
        sets: &["sample_size=200"],
        analyses: &["B-P1-ancova"],
        change: as_written,
        goal: Some(30_000.0),
    },
    Line {
        name: "2 x 100: two-sample t, three looks",
        study: "imatinib-controlled",
        sets: &["sample_size=200", "design=three looks"],
        analyses: &["B-P1-change"],
        change: looks_by_means,
        goal: Some(30_000.0),
    },
    Line {
        name: "2 x 100 at four visits: mixed model",
        study: "imatinib-controlled",
        sets: &["sample_size=200"],
        analyses: &["B-P1-mmrm"],
        change: four_visits,
        goal: Some(700.0),
    },
    Line {
        name: "2 x 200 with accrual: log-rank",
        study: "time-to-event",
        sets: &[],
        analyses: &["P1-main"],
        change: as_written,
        goal: Some(10_000.0),
    },
    Line {
        name: "2 x 14 at three visits: mixed model",
        study: "imatinib-controlled",
        sets: &[],
        analyses: &["B-P1-mmrm"],
        change: as_written,
        goal: None,
    },
];

fn crate_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn study(name: &str) -> Study {
    let of = |folder: &str| crate_folder().join("../..").join(folder).join(name);
    let root = if of("studies").is_dir() { of("studies") } else { of("examples") };
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

impl Line {
    fn study(&self) -> Study {
        let mut study = study(self.study);
        (self.change)(&mut study);
        for set in self.sets {
            scenario::set_from_text(&mut study, set).expect("an input of the cohort");
        }
        study
    }

    fn plan<'a>(&self, study: &'a Study) -> FastPlan<'a> {
        let asked: Vec<AnalysisId> = if self.analyses.is_empty() {
            let plain = study.plan.analyses.iter().filter(|one| one.method.over_visits().is_none());
            let plain: Vec<AnalysisId> = plain.map(|one| one.id.clone()).collect();
            FastPlan::sort_out(study, &plain).0
        } else {
            self.analyses.iter().map(|id| AnalysisId::from(*id)).collect()
        };
        FastPlan::compile(study, &asked).expect("analyses that the fast path serves")
    }
}

/// Trials from one number on, until the time is over; how many, and the seconds they took.
fn run_for(plan: &FastPlan<'_>, from: u64, time: Duration) -> (u64, f64) {
    let mut space = Workspace::default();
    let streams = Streams::new(1);
    (from..from + 32).for_each(|trial| {
        black_box(plan.run(&streams.numbered(trial), &mut space));
    });
    let began = Instant::now();
    let mut trial = 0;
    while began.elapsed() < time {
        // Looking at the clock is spread over some trials.
        for _ in 0..8 {
            black_box(plan.run(&streams.numbered(from + 32 + trial), &mut space));
            trial += 1;
        }
    }
    (trial, began.elapsed().as_secs_f64())
}

/// Nanoseconds of one call, as the least of ten rounds.
fn nanoseconds(mut call: impl FnMut(u64)) -> f64 {
    const CALLS: u64 = 200_000;
    let round = |round: u64, call: &mut dyn FnMut(u64)| {
        let began = Instant::now();
        (round * CALLS..(round + 1) * CALLS).for_each(&mut *call);
        began.elapsed().as_secs_f64() * 1e9 / CALLS as f64
    };
    (0..10).map(|number| round(number, &mut call)).fold(f64::INFINITY, f64::min)
}

/// What draws cost, in nanoseconds: of one person alone, and of many side by side.
struct Costs {
    /// A block of four words.
    block: f64,
    /// The quantile that makes a number normal.
    quantile: f64,
    block_beside: f64,
    quantile_beside: f64,
}

/// As many people are drawn of side by side.
const PEOPLE: u32 = 64;

impl Costs {
    fn measured() -> Self {
        let streams = Streams::new(1);
        let wanted = ["a", "b", "c", "d"].map(|name| (Process::named(name), 0));
        let block = nanoseconds(|person| {
            black_box(streams.draws_of(person, wanted));
        });
        let alone = nanoseconds(|person| {
            black_box(streams.draws(person, wanted[0].0, 0).normal());
        });
        let more = nanoseconds(|person| {
            let mut one = streams.draws(person, wanted[0].0, 0);
            black_box((one.normal(), one.normal()));
        }) - alone;
        println!(
            "a normal draw of a stream of its own {alone:.1} ns, one more of the same stream {more:.1} ns"
        );
        println!("a block of four words beside three others {:.1} ns", block / 4.0);
        let people: Vec<u32> = (1..=PEOPLE).collect();
        let mut numbers = [0.0; PEOPLE as usize];
        let mut of_people = |normal: bool| {
            nanoseconds(|occasion| {
                let occasion = occasion % (1 << 20);
                streams.first_of_people(&people, wanted[0].0, occasion, normal, &mut numbers);
                black_box(&numbers);
            }) / f64::from(PEOPLE)
        };
        let (block_beside, normal_beside) = (of_people(false), of_people(true));
        println!(
            "of {PEOPLE} people side by side a block {block_beside:.1} ns, a normal draw {normal_beside:.1} ns\n"
        );
        Self {
            block: block / 4.0,
            quantile: more.max(0.0),
            block_beside,
            quantile_beside: (normal_beside - block_beside).max(0.0),
        }
    }
}

/// Blocks and normal numbers of a trial on average, alone and side by side, by line: a test of the library counts them.
fn drawn(name: &str) -> Option<[f64; 4]> {
    let counts = include_str!("draws.csv").lines().skip(1).map(|line| line.split(';').collect::<Vec<_>>());
    let own = counts.into_iter().find(|line| line[0] == name)?;
    let counts: Vec<f64> = own[4..].iter().filter_map(|count| count.parse().ok()).collect();
    counts.try_into().ok()
}

/// What R does a second, by name.
fn in_r() -> BTreeMap<String, f64> {
    let script = crate_folder().join("benches/reference.R");
    let output = match Command::new("Rscript").arg("--vanilla").arg(&script).output() {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).into_owned(),
        _ => {
            println!("R is not installed: no figures beside these\n");
            return BTreeMap::new();
        }
    };
    let line = |line: &str| {
        let (name, value) = line.split_once(": ")?;
        Some((name.to_owned(), value.trim().parse().ok()?))
    };
    output.lines().filter_map(line).collect()
}

/// Runs so many trials of the lines and nothing else.
fn run_only(trials: u64, lines: impl Iterator<Item = &'static Line>) {
    for line in lines {
        let study = line.study();
        let plan = line.plan(&study);
        let mut space = Workspace::default();
        let streams = Streams::new(1);
        for trial in 0..trials {
            black_box(plan.run(&streams.numbered(trial), &mut space));
        }
        println!("{}: {trials} trials", line.name);
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench").peekable();
    let trials = arguments.next_if(|argument| argument == "--trials").map(|_| arguments.next());
    let wanted: Vec<String> = arguments.collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str()));
    if let Some(trials) = trials {
        let trials = trials.and_then(|trials| trials.parse().ok()).expect("--trials takes a number");
        return run_only(trials, LINES.iter().filter(|line| is_wanted(line.name)));
    }
    let costs = Costs::measured();
    let beside = in_r();
    println!("| trials of | a second of a core | goal | in R | times R | times its draws | two threads |");
    println!("|---|---|---|---|---|---|---|");
    for line in LINES.iter().filter(|line| is_wanted(line.name)) {
        let study = line.study();
        let plan = line.plan(&study);
        let (trials, seconds) = run_for(&plan, 0, MEASURED);
        let rate = trials as f64 / seconds;
        let both: f64 = thread::scope(|scope| {
            let run = |from| {
                scope.spawn({
                    let plan = &plan;
                    move || run_for(plan, from, MEASURED)
                })
            };
            let threads = [run(1 << 32), run(1 << 33)];
            let rates =
                threads.map(|thread| thread.join().map_or(0.0, |(trials, seconds)| trials as f64 / seconds));
            rates.iter().sum()
        });
        let or_none = |number: Option<String>| number.unwrap_or_else(|| "-".to_owned());
        let r = beside.get(line.name);
        let of_draws = drawn(line.name).map(|counts| {
            let each = [costs.block, costs.quantile, costs.block_beside, costs.quantile_beside];
            let draws: f64 = counts.iter().zip(each).map(|(count, each)| count * each).sum();
            format!("{:.1}", 1e9 / rate / draws)
        });
        println!(
            "| {} | {rate:.0} | {} | {} | {} | {} | {:.2} |",
            line.name,
            or_none(line.goal.map(|goal| format!("{goal:.0}"))),
            or_none(r.map(|r| format!("{r:.0}"))),
            or_none(r.map(|r| format!("{:.0}", rate / r))),
            or_none(of_draws),
            both / rate
        );
    }
}
