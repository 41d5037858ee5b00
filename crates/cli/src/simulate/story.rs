//! The story of the two shipped trials, in simulated numbers: what a one-arm trial shows of a drug that does
//! nothing, and what a small randomised one can and can't see. Every number stands beside the command that
//! prints it.

use std::fmt::Write;

use anyhow::{Context, Result, bail};
use protocol::{Study, model::SourceMark};
use simulation::campaign::{Characteristics, Counts, Criteria, Share};
use terms::AnalysisId;

use super::{Campaign, Way, choose_analyses, scenarios};
use crate::shipped;

/// The one-arm trial and its main analysis.
const ONE_ARM: (&str, &str) = ("imatinib-open", "A-P1-main");
/// The randomised trial, its main analysis, and the same outcome in points.
const RANDOMISED: (&str, &str) = ("imatinib-controlled", "B-P1-main");
const IN_POINTS: &str = "B-P1-change";
/// The important difference of the skin score, which the randomised study's scenario `important` has.
const IMPORTANT_POINTS: f64 = -5.0;
/// The effect that the one-arm trial published, less the natural course.
const AS_PUBLISHED: [&str; 4] = [
    "effect=important",
    "effects.important.points=-2.8",
    "effects.important.month=12",
    "effects.important.share_at_half=0.6667",
];
const SETTINGS: [&str; 2] = ["registry", "trial"];

/// Inputs that are assumed, each with a value below and above the one in force.
const SENSITIVITY: [(&str, &str, [&str; 2]); 7] = [
    ("share of the year's change reached by month 6", "skin.share_by_month_6", ["0.5", "0.8"]),
    ("mean natural change at the centre (points)", "skin.course.intercept", ["-2.8", "-0.8"]),
    ("change more for each point at the start", "skin.course.per_point", ["-0.25", "-0.05"]),
    ("error of the same observer (SD, points)", "skin.error_same_observer", ["1.5", "3.5"]),
    ("visits at which another assessor scores", "conduct.assessor_change", ["0", "0.2"]),
    ("visits missed", "conduct.missed_visit", ["0", "0.1"]),
    ("participants who stop the drug early", "dropout.all", ["0.1", "0.4"]),
];

/// How the story is told.
#[derive(Clone, Copy, Debug)]
pub struct Telling {
    /// Trials of each campaign.
    pub trials: u64,
    /// The seed.
    pub seed: u64,
    /// Threads.
    pub threads: usize,
}

/// A question put to the simulation.
struct Asked {
    counts: Counts,
    analyses: Vec<AnalysisId>,
    command: String,
}

impl Asked {
    fn of(&self, id: &str) -> Result<Characteristics> {
        let place = self.analyses.iter().position(|known| *known == *id);
        let place = place.with_context(|| format!("analysis {id} was not simulated"))?;
        Ok(Characteristics::of(&self.analyses[place], &self.counts.tallies[place], self.counts.trials, None))
    }

    fn trials_run(&self) -> u64 {
        self.counts.trials
    }
}

struct Teller {
    one_arm: Study,
    randomised: Study,
    telling: Telling,
    text: String,
}

/// Tells the story as a page of Markdown.
///
/// # Errors
/// A shipped study does not compile or can't be simulated.
pub fn tell(telling: Telling) -> Result<String> {
    let mut teller = Teller {
        one_arm: shipped_study(ONE_ARM.0)?,
        randomised: shipped_study(RANDOMISED.0)?,
        telling,
        text: String::new(),
    };
    teller.open()?;
    let inert = teller.inert_in_one_arm()?;
    teller.parts_of_the_change()?;
    let power = teller.power_of_the_randomised()?;
    teller.both_in_turn(inert, power)?;
    teller.same_people_randomised()?;
    teller.sensitivity()?;
    teller.text.truncate(teller.text.trim_end().len());
    Ok(teller.text)
}

fn shipped_study(id: &str) -> Result<Study> {
    let Some((_, files)) = shipped::studies().find(|(known, _)| *known == id) else {
        bail!("there is no shipped study {id}");
    };
    match protocol::compile(&files) {
        Ok(compiled) => Ok(compiled.study),
        Err(errors) => bail!("study {id} does not compile: {}", errors.len()),
    }
}

fn percent(share: Share) -> String {
    format!("{:.1} % (MC SE {:.2})", 100.0 * share.share, 100.0 * share.mc_se)
}

fn rejects(one: &Characteristics) -> Share {
    Share { share: one.rejection_rate, mc_se: one.mc_se }
}

fn improves(one: &Characteristics, trials: u64) -> Share {
    let share = one.rejection_rate_below;
    Share { share, mc_se: (share * (1.0 - share) / trials.max(1) as f64).sqrt() }
}

fn points(value: Option<f64>, mc_se: Option<f64>) -> String {
    match (value, mc_se) {
        (Some(value), Some(mc_se)) => format!("{value:+.2} (MC SE {mc_se:.3})"),
        _ => "not estimable".to_owned(),
    }
}

impl Teller {
    fn ask(&self, study: &Study, analyses: &[&str], set: &[&str]) -> Result<Asked> {
        let ids: Vec<String> = analyses.iter().map(|id| (*id).to_owned()).collect();
        let sets: Vec<String> = set.iter().map(|one| (*one).to_owned()).collect();
        let Telling { trials, seed, threads } = self.telling;
        let exclude = analyses.contains(&IN_POINTS).then_some(IMPORTANT_POINTS);
        let campaign = Campaign {
            study,
            analyses: choose_analyses(study, &ids, Way::Fast)?,
            scenarios: scenarios(study, &sets, &[])?,
            trials,
            seed,
            criteria: Criteria { alpha: 0.05, exclude },
            shard: None,
            way: Way::Fast,
        };
        let mut command = format!("equipoise simulate {} --analyses {}", study.id, analyses.join(","));
        for one in set {
            write!(command, " --set {one}")?;
        }
        if let Some(value) = exclude {
            write!(command, " --exclude={value}")?;
        }
        write!(command, " --trials {trials} --seed {seed}")?;
        // The true values are not told, and finding them would take longer than the trials.
        let counts = campaign.run_without_truth(threads)?.swap_remove(0);
        Ok(Asked { counts, analyses: campaign.analyses, command })
    }

    fn say(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn commands(&mut self, asked: &[&Asked]) {
        self.say("\n```");
        for one in asked {
            let command = one.command.clone();
            self.say(&command);
        }
        self.say("```\n");
    }

    fn open(&mut self) -> Result<()> {
        let Telling { trials, seed, .. } = self.telling;
        self.say("# What the two trials could show\n");
        self.say(&format!(
            "This page is what `equipoise simulate story --trials {trials} --seed {seed}` writes.\n"
        ));
        self.say(&format!(
            "Simulated numbers, not results of the trials. Each comes from {trials} virtual trials of the study's own \
             protocol and analysis plan, printed by the command below it; MC SE is its Monte Carlo standard error in \
             the same unit. The disease's natural course has two settings, which differ in how much participants \
             differ from one another: `registry` fits the shares that improve and worsen in a registry, `trial` the \
             spread of changes in controlled trials. Neither fits both, so every headline is given for both. Inputs \
             marked as assumed are listed at the end with what another value would change.\n"
        ));
        Ok(())
    }

    fn inert_in_one_arm(&mut self) -> Result<[Share; 2]> {
        self.say("## A one-arm trial of a drug that does nothing\n");
        let mut shares = Vec::new();
        let mut all = Vec::new();
        for setting in SETTINGS {
            let asked =
                self.ask(&self.one_arm, &[ONE_ARM.1], &["effect=inert", &format!("setting={setting}")])?;
            let found = asked.of(ONE_ARM.1)?;
            let share = improves(&found, asked.trials_run());
            self.say(&format!(
                "- Setting `{setting}`: it reports an improvement at p < 0.05 in {}; the mean change is {} points.",
                percent(share),
                points(found.mean_estimate, found.mean_estimate_mc_se),
            ));
            shares.push(share);
            all.push(asked);
        }
        self.commands(&all.iter().collect::<Vec<_>>());
        Ok([shares[0], shares[1]])
    }

    fn published_change(&self) -> Option<(String, f64)> {
        let analysis = self.one_arm.plan.analyses.iter().find(|one| one.id == *ONE_ARM.1)?;
        let beside = analysis.published.iter().find(|published| published.estimate == "mean")?;
        let fact = self.one_arm.fact(beside.fact.as_str())?;
        let number = fact.text.trim().replace('\u{2212}', "-");
        Some((fact.text.clone(), number.parse().ok()?))
    }

    fn parts_of_the_change(&mut self) -> Result<()> {
        self.say("## Where the published change comes from\n");
        let published = self.published_change();
        let mut all = Vec::new();
        for setting in SETTINGS {
            let of_setting = format!("setting={setting}");
            let still = [
                "effect=inert",
                &of_setting,
                "skin.course.intercept=0",
                "skin.course.per_point=0",
                "skin.course.per_month=0",
                &format!("skin.settings.{setting}=0"),
            ];
            let regression = self.ask(&self.one_arm, &[ONE_ARM.1], &still)?;
            let natural = self.ask(&self.one_arm, &[ONE_ARM.1], &["effect=inert", &of_setting])?;
            let (a, b) = (regression.of(ONE_ARM.1)?, natural.of(ONE_ARM.1)?);
            let (Some(of_regression), Some(of_both)) = (a.mean_estimate, b.mean_estimate) else {
                bail!("no trial could be analysed")
            };
            let mut line = format!(
                "- Setting `{setting}`: entry is decided on observed scores, and that alone gives {} points \
                 (regression to the mean); with the natural course it is {} points.",
                points(Some(of_regression), a.mean_estimate_mc_se),
                points(Some(of_both), b.mean_estimate_mc_se),
            );
            if let Some((text, change)) = &published {
                let mc_se = b.mean_estimate_mc_se.unwrap_or(0.0);
                write!(
                    line,
                    " Of the published {text} these are {:.1} % (MC SE {:.1}), and {:+.2} (MC SE {mc_se:.3}) points are \
                     left for the drug, chance and expectation.",
                    100.0 * of_both / change,
                    (100.0 * mc_se / change).abs(),
                    change - of_both,
                )?;
            }
            self.say(&line);
            all.extend([regression, natural]);
        }
        self.commands(&all.iter().collect::<Vec<_>>());
        Ok(())
    }

    fn power_of_the_randomised(&mut self) -> Result<[[Share; 2]; 2]> {
        self.say("## What the randomised trial could see\n");
        self.say("| setting | effect on the skin score | rejects | difference in points | interval lies above -5 points |");
        self.say("|---|---|---|---|---|");
        let effects: [(&str, Vec<&str>); 4] = [
            ("none, and no toxicity (inert)", vec!["effect=inert"]),
            ("none, with toxicity", vec!["effect=none"]),
            ("-2.8 at month 12, two thirds by month 6", AS_PUBLISHED.to_vec()),
            ("-5 at month 6", vec!["effect=important"]),
        ];
        let mut all = Vec::new();
        let mut shares = [[Share { share: 0.0, mc_se: 0.0 }; 2]; 2];
        for (row, setting) in SETTINGS.iter().enumerate() {
            for (place, (words, set)) in effects.iter().enumerate() {
                let of_setting = format!("setting={setting}");
                let mut set = set.clone();
                set.push(&of_setting);
                let asked = self.ask(&self.randomised, &[RANDOMISED.1, IN_POINTS], &set)?;
                let (main, change) = (asked.of(RANDOMISED.1)?, asked.of(IN_POINTS)?);
                let trials = asked.trials_run();
                self.say(&format!(
                    "| `{setting}` | {words} | {} | {} | {} |",
                    percent(rejects(&main)),
                    points(change.mean_estimate, change.mean_estimate_mc_se),
                    percent(Share::of(change.excluded_above, trials)),
                ));
                match place {
                    0 => shares[row][0] = improves(&main, trials),
                    3 => shares[row][1] = improves(&main, trials),
                    _ => {}
                }
                all.push(asked);
            }
        }
        self.say(
            "\nThe last column says how often the trial's own 95 % interval of the difference leaves out the \
             important benefit of 5 points: what a trial of this size can exclude.",
        );
        self.commands(&all.iter().collect::<Vec<_>>());
        Ok(shares)
    }

    fn both_in_turn(&mut self, inert: [Share; 2], power: [[Share; 2]; 2]) -> Result<()> {
        self.say("## One trial after the other\n");
        self.say(
            "A team that goes on to the randomised trial if the one-arm trial improves, and believes the drug if the \
             randomised trial then finds it better at p < 0.05 (the trials are independent, so chances multiply):\n",
        );
        let mut all = Vec::new();
        for (row, setting) in SETTINGS.iter().enumerate() {
            let of_setting = format!("setting={setting}");
            let set = [
                "effect=as published",
                "effects.as published.points=-5",
                "effects.as published.month=6",
                "effects.as published.share_at_half=0.5",
                &of_setting,
            ];
            let asked = self.ask(&self.one_arm, &[ONE_ARM.1], &set)?;
            let goes_on = improves(&asked.of(ONE_ARM.1)?, asked.trials_run());
            let product = |a: Share, b: Share| Share {
                share: a.share * b.share,
                mc_se: ((a.share * b.mc_se).powi(2) + (b.share * a.mc_se).powi(2)).sqrt(),
            };
            self.say(&format!(
                "- Setting `{setting}`: an inert drug goes on in {} and is believed in the end in {}; one that takes 5 \
                 points off by month 6 goes on in {} and is believed in {}.",
                percent(inert[row]),
                percent(product(inert[row], power[row][0])),
                percent(goes_on),
                percent(product(goes_on, power[row][1])),
            ));
            all.push(asked);
        }
        let mut lines = String::from("\n```");
        for one in &all {
            // An effect's name has a blank in it.
            write!(lines, "\n{}", quoted(&one.command))?;
        }
        lines.push_str("\n```\n");
        self.say(&lines);
        Ok(())
    }

    fn same_people_randomised(&mut self) -> Result<()> {
        self.say("## The same thirty people, randomised\n");
        self.say(
            "The randomised study with 30 participants whose skin scores start as the one-arm study's do (its own \
             rules of entry stay, 20 points instead of 16), analysed at month 6:\n",
        );
        let mut all = Vec::new();
        for setting in SETTINGS {
            let of_setting = format!("setting={setting}");
            let people = ["sample_size=30", "skin.start.mean=28", "skin.start.sd=8.5", &of_setting];
            let with = |effect| people.iter().copied().chain([effect]).collect::<Vec<_>>();
            let inert = self.ask(&self.randomised, &[RANDOMISED.1], &with("effect=inert"))?;
            let important = self.ask(&self.randomised, &[RANDOMISED.1], &with("effect=important"))?;
            let trials = inert.trials_run();
            self.say(&format!(
                "- Setting `{setting}`: it would have called an inert drug better in {} (the one-arm trial: see above), \
                 and found one worth 5 points in {}.",
                percent(improves(&inert.of(RANDOMISED.1)?, trials)),
                percent(improves(&important.of(RANDOMISED.1)?, trials)),
            ));
            all.extend([inert, important]);
        }
        self.commands(&all.iter().collect::<Vec<_>>());
        Ok(())
    }

    fn sensitivity(&mut self) -> Result<()> {
        self.say("## Assumed inputs, and what another value would change\n");
        for study in [&self.one_arm, &self.randomised] {
            if study.virtual_cohort.cohort.mark == Some(SourceMark::Assumed) {
                let line = format!("The cohort of `{}` is marked as assumed. ", study.id);
                self.text.push_str(&line);
            }
        }
        self.text.truncate(self.text.trim_end().len());
        let mut head = String::from("| input | value |");
        for setting in SETTINGS {
            write!(
                head,
                " one-arm trial, inert drug: improves (`{setting}`) | randomised trial, -5 at month 6: rejects (`{setting}`) |"
            )?;
        }
        self.say(&format!("\n\n{head}\n|---|---|---|---|---|---|"));
        for (words, key, values) in SENSITIVITY {
            for value in values {
                let set = format!("{key}={value}");
                let mut row = format!("| {words} | `{set}` |");
                for setting in SETTINGS {
                    let of_setting = format!("setting={setting}");
                    let asked = |study: &Study, id: &str, effect: &str| {
                        self.ask(study, &[id], &[effect, &of_setting, &set])
                    };
                    let a = asked(&self.one_arm, ONE_ARM.1, "effect=inert")?;
                    let b = asked(&self.randomised, RANDOMISED.1, "effect=important")?;
                    write!(
                        row,
                        " {} | {} |",
                        percent(improves(&a.of(ONE_ARM.1)?, a.trials_run())),
                        percent(rejects(&b.of(RANDOMISED.1)?)),
                    )?;
                }
                self.say(&row);
            }
        }
        let Telling { trials, seed, .. } = self.telling;
        let settings = SETTINGS.join(",");
        self.say("\n```");
        for (_, key, values) in SENSITIVITY {
            for ((study, analysis), effect) in [(ONE_ARM, "inert"), (RANDOMISED, "important")] {
                self.say(&format!(
                    "equipoise simulate {study} --analyses {analysis} --set effect={effect} --grid {key}={} \
                     --grid setting={settings} --trials {trials} --seed {seed}",
                    values.join(","),
                ));
            }
        }
        self.say("```\n");
        Ok(())
    }
}

/// A command whose settings with a blank are quoted for a shell.
fn quoted(command: &str) -> String {
    let mut parts = command.split(" --set ");
    let mut quoted = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (set, rest) = part.split_once(" --").map_or((part, None), |(set, rest)| (set, Some(rest)));
        quoted.push_str(" --set ");
        if set.contains(' ') {
            quoted.push_str(&format!("'{set}'"));
        } else {
            quoted.push_str(set);
        }
        if let Some(rest) = rest {
            quoted.push_str(" --");
            quoted.push_str(rest);
        }
    }
    quoted
}
