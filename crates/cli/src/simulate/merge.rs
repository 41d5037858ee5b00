//! Joins the parts of a campaign, once they are sure to be all of it.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, bail};

use super::{FORMAT, Part, Shard};

/// Joins parts into the campaign's result.
///
/// # Errors
/// A file is no part, parts are of different campaigns, or they do not tile its trials.
pub fn merge(paths: &[PathBuf]) -> Result<Part> {
    let mut parts = Vec::new();
    for path in paths {
        let name = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("{name} can't be read"))?;
        let part: Part = serde_json::from_str(&text).with_context(|| {
            format!("{name} is no part of a campaign (equipoise simulate --shard I/N --out FILE)")
        })?;
        if part.format != FORMAT {
            bail!("{name} was written in another format (`{}`; this program reads `{FORMAT}`)", part.format);
        }
        parts.push((name.to_string(), part));
    }
    parts.sort_by_key(|(_, part)| part.shard.index);
    let Some((first_name, first)) = parts.first() else { bail!("there is no part to merge") };
    for (name, part) in &parts {
        if let Some(difference) = difference(first, part) {
            bail!("{name} and {first_name} are of different campaigns: {difference}");
        }
    }
    for (index, (name, part)) in (1..).zip(&parts) {
        if part.shard.index != index {
            let (of, found) = (part.shard.of, part.shard.index);
            if found < index {
                bail!("shard {found}/{of} is there twice; the second time in {name}");
            }
            bail!("shard {index}/{of} is missing");
        }
    }
    let (there, of) = (parts.len() as u64, first.shard.of);
    if there < of {
        bail!("shard {}/{of} is missing", there + 1);
    }
    let mut all = first.clone();
    all.shard = Shard { index: 1, of: 1 };
    for (_, part) in &parts[1..] {
        all.seconds += part.seconds;
        for (scenario, other) in all.scenarios.iter_mut().zip(&part.scenarios) {
            scenario.counts.join(&other.counts);
        }
    }
    let run = all.trials_run();
    if run != all.campaign.trials {
        bail!("the parts hold {run} trials of {}", all.campaign.trials);
    }
    Ok(all)
}

/// Says in what two parts differ that all parts share.
fn difference(first: &Part, other: &Part) -> Option<String> {
    let (a, b) = (&first.campaign, &other.campaign);
    let differs = |what: &str, a: &dyn std::fmt::Display, b: &dyn std::fmt::Display| {
        Some(format!("{what} {a} and {b}"))
    };
    if (&a.study, &a.study_version) != (&b.study, &b.study_version) {
        return differs("study versions", &a.study_version, &b.study_version);
    }
    if a.program != b.program {
        return differs("programs", &a.program, &b.program);
    }
    if a.seed != b.seed {
        return differs("seeds", &a.seed, &b.seed);
    }
    if a.trials != b.trials {
        return differs("numbers of trials", &a.trials, &b.trials);
    }
    if first.shard.of != other.shard.of {
        return differs("numbers of shards", &first.shard.of, &other.shard.of);
    }
    if a != b {
        return Some("their analyses or levels".to_owned());
    }
    let what = |part: &Part| -> Vec<_> {
        part.scenarios
            .iter()
            .map(|one| (one.name.clone(), one.set.clone(), one.truths.clone(), one.course))
            .collect()
    };
    (what(first) != what(other)).then(|| "their scenarios".to_owned())
}
