//! `deviations.toml`: which deviations are major. All others are minor.

use super::sources::{MARK, read_mark};
use crate::{
    desk::{Desk, Section},
    model::DeviationRule,
    shape::{Field, Keys, Kind, Shape, may, must},
};

/// The kinds of deviation that the record knows.
const KINDS: &[&str] = &[
    "out_of_window",
    "missed_visit",
    "early_end",
    "missed_activity",
    "eligibility",
    "compliance",
    "prohibited_treatment",
    "blind_broken",
    "wrong_kit",
    "assessor_changed",
    "other",
];

const RULE: &[Field] = &[
    must("label", Shape::Label, "What it says."),
    must("what", Shape::Word(KINDS), "The kind of deviation it is about."),
    may("visit", Shape::Name(Kind::Visit), "The visit it is about, if one."),
    may(
        "more_than_days",
        Shape::Integer { min: 0, max: 1000 },
        "Days beyond which it is major: off the planned date, or off the drug in a row.",
    ),
    may(
        "dose_share_below",
        Shape::Number { min: Some(0), max: Some(1) },
        "Share of planned doses below which it is major.",
    ),
    must("mark", MARK, "How sure the rule is."),
];

pub(crate) const FIELDS: &[Field] = &[must(
    "major",
    Shape::Map(Keys::Define(Kind::Deviation), &Shape::Table(RULE)),
    "Rules that make a deviation major.",
)];

/// Reads the file.
pub(crate) fn read(desk: &mut Desk<'_>, root: &Section<'_>) -> Vec<DeviationRule> {
    let mut rules = Vec::new();
    for entry in root.named("major") {
        let what = entry.owned("what");
        if entry.get("dose_share_below").is_some() && what != "compliance" {
            let help = "only `what = \"compliance\"` is about doses".to_owned();
            desk.error(
                "ambiguous",
                &entry.place_of("dose_share_below"),
                "a share of doses does not decide this kind of deviation",
                Some(help),
            );
        }
        if entry.get("visit").is_some()
            && !matches!(what.as_str(), "out_of_window" | "missed_visit" | "missed_activity")
        {
            let help = "leave `visit` out, or choose `out_of_window`, `missed_visit` or `missed_activity`"
                .to_owned();
            desk.error(
                "ambiguous",
                &entry.place_of("visit"),
                format!("a deviation of kind `{what}` is not about one visit"),
                Some(help),
            );
        }
        rules.push(DeviationRule {
            id: entry.name().into(),
            label: desk.label(entry.get("label")),
            what,
            visit: entry.text("visit").map(Into::into),
            more_than_days: entry.whole("more_than_days"),
            dose_share_below: entry.decimal("dose_share_below"),
            mark: read_mark(&entry),
        });
    }
    rules
}
