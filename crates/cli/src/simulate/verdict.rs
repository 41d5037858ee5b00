//! What a trial of this size can and can't show, in plain words, for its report.

use anyhow::Result;
use protocol::{Study, model::Analysis};
use report::document::{Block, Inline, Section};
use simulation::campaign::{Characteristics, Counts, Criteria};

use super::{Campaign, Way, choose_analyses, scenarios};

/// Simulates the study's main analysis under each of its effects in each setting, and says it in plain words.
/// A study whose main analysis or cohort can't be simulated has no such section.
///
/// # Errors
/// A simulation fails that should not.
pub fn section(study: &Study, trials: u64, seed: u64) -> Result<Option<Section>> {
    let Some(main) = study.plan.analyses.iter().find(|analysis| analysis.role == "main") else {
        return Ok(None);
    };
    let Ok(analyses) = choose_analyses(study, &[main.id.to_string()], Way::Fast) else { return Ok(None) };
    let effects: Vec<&str> = study.virtual_cohort.effects.iter().map(|effect| effect.name.as_str()).collect();
    let skin = study.virtual_cohort.skin.as_ref();
    let settings: Vec<&str> =
        skin.map_or(Vec::new(), |skin| skin.settings.iter().map(|one| one.0.as_str()).collect());
    if effects.is_empty() || settings.is_empty() {
        return Ok(None);
    }
    let grid = [format!("effect={}", effects.join(",")), format!("setting={}", settings.join(","))];
    let campaign = Campaign {
        study,
        analyses,
        scenarios: scenarios(study, &[], &grid)?,
        trials,
        seed,
        criteria: Criteria { alpha: 0.05, exclude: None },
        shard: None,
        way: Way::Fast,
    };
    let counts = campaign.run_without_truth(1)?;
    Ok(Some(said(&campaign, main, &counts, &grid)))
}

fn said(campaign: &Campaign<'_>, main: &Analysis, counts: &[Counts], grid: &[String]) -> Section {
    let study = campaign.study;
    let n = study.virtual_cohort.cohort.enrol.unwrap_or(study.target);
    let mut blocks = vec![paragraph(format!(
        "Simulated, not observed: analysis {} on {} virtual trials of {n} participants for each line, by this \
         protocol and this plan. The settings are two views of how much participants' natural courses differ.",
        main.id, campaign.trials,
    ))];
    for (scenario, counts) in campaign.scenarios.iter().zip(counts) {
        let virtuals = &scenario.study.virtual_cohort;
        let found = Characteristics::of(&campaign.analyses[0], &counts.tallies[0], counts.trials, None);
        let effect = virtuals.effects.iter().find(|effect| effect.name == virtuals.effect);
        let Some(effect) = effect else { continue };
        let rate = format!(
            "{:.1} % of runs, Monte Carlo standard error {:.1}",
            100.0 * found.rejection_rate,
            100.0 * found.mc_se
        );
        let setting = &virtuals.setting;
        blocks.push(paragraph(if effect.points == 0.0 {
            let what = if effect.toxic { "no effect on the skin, with its toxicity" } else { "no effect at all" };
            format!(
                "If the drug has {what}, the analysis rejects all the same in {} of 10 runs ({rate}; setting \
                 {setting}).",
                tenths(found.rejection_rate)
            )
        } else {
            format!(
                "With {n} participants this trial misses a true effect of {} points at month {} in {} of 10 runs \
                 (it rejects in {rate}; setting {setting}).",
                effect.points.abs(),
                effect.month,
                tenths(1.0 - found.rejection_rate)
            )
        }));
    }
    let mut command = format!("equipoise simulate {} --analyses {}", study.id, main.id);
    for axis in grid {
        let quote = if axis.contains(' ') { "'" } else { "" };
        command.push_str(&format!(" --grid {quote}{axis}{quote}"));
    }
    command.push_str(&format!(" --trials {} --seed {}", campaign.trials, campaign.seed));
    blocks.push(paragraph(format!("Printed by: {command}")));
    Section {
        id: "foresight".to_owned(),
        title: "What this trial can and can't show".to_owned(),
        titled_by_study: false,
        blocks,
    }
}

fn tenths(share: f64) -> String {
    match (10.0 * share).round() as u32 {
        0 if share > 0.0 => "fewer than 1".to_owned(),
        10 if share < 1.0 => "more than 9".to_owned(),
        whole => format!("about {whole}"),
    }
}

fn paragraph(text: String) -> Block {
    Block::Paragraph(vec![Inline::Text(text)])
}

#[test]
fn tenths_do_not_say_never_or_always_of_what_can_happen() {
    assert_eq!(tenths(0.0), "about 0");
    assert_eq!(tenths(0.04), "fewer than 1");
    assert_eq!(tenths(0.58), "about 6");
    assert_eq!(tenths(0.97), "more than 9");
    assert_eq!(tenths(1.0), "about 10");
}
