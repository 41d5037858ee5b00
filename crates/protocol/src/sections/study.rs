//! `study.toml`: identity, arms, epochs, sites, consent versions, facts, blind reading.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::sources::{MARK, SOURCES, read_mark, read_sources};
use crate::{
    desk::{Desk, Section},
    model::{Arm, BlindReading, ConsentVersion, Epoch, Label, Site, SlidePairs, StatedFact, ThirdReader},
    shape::{Field, Keys, Kind, Shape, Variant, may, must},
    tree::Node,
};

const ARM: &[Field] = &[
    must("label", Shape::Label, "What people call it."),
    must("treatment", Shape::Text, "The treatment given."),
    may("control", Shape::Flag, "Whether it is the control."),
];

const EPOCH: &[Field] = &[must("label", Shape::Label, "What people call it.")];

const SITE: &[Field] = &[
    must("label", Shape::Text, "Its name."),
    must("zone", Shape::Text, "IANA time zone."),
    must("laboratory", Shape::Name(Kind::Laboratory), "Its laboratory."),
];

const CONSENT: &[Field] = &[may("from", Shape::Date, "The first day on which it is the current one.")];

const FACT: &[Field] = &[
    must("label", Shape::Label, "What it is about."),
    must("value", Shape::NumberOrText, "The number as printed, or text."),
    may("unit", Shape::Text, "The unit, in words."),
    must("mark", MARK, "How sure the chosen value is."),
    may("decimals", Shape::Integer { min: 0, max: 12 }, "Decimals as printed, where trailing zeros count."),
    may("source", Shape::Name(Kind::Source), "The only source."),
    may("follows", Shape::Name(Kind::Source), "The chosen one of several sources."),
    may("because", Shape::Text, "Why that one was chosen."),
    may("sources", SOURCES, "All sources' wordings."),
];

const COUNT: Shape = Shape::Integer { min: 1, max: 100_000 };

const TARGET: Shape = Shape::Choice {
    common: &[],
    variants: &[
        Variant { key: "randomised", fields: &[must("randomised", COUNT, "Planned number randomised.")] },
        Variant { key: "enrolled", fields: &[must("enrolled", COUNT, "Planned number enrolled.")] },
    ],
};

const BLIND_READING: &[Field] = &[
    must("taken_on", Shape::Name(Kind::Form), "The form that records that a specimen was taken."),
    must("read_on", Shape::Name(Kind::Form), "The form a reader fills for a coded slide."),
    must("readers", Shape::Integer { min: 1, max: 10 }, "Readers per slide."),
    must(
        "repeat_percent",
        Shape::Integer { min: 0, max: 100 },
        "Share of slides read again under a new code, in percent.",
    ),
    may("third_reader", Shape::Table(THIRD_READER), "When one reader more decides."),
    may("pairs", Shape::Table(PAIRS), "Slides of one participant that are compared side by side."),
];

const PAIRS: &[Field] = &[
    must("read_on", Shape::Name(Kind::Form), "The form a reader fills for a coded pair."),
    must("earlier", Shape::Name(Kind::Visit), "The visit of the earlier slide."),
    must(
        "later",
        Shape::List(&Shape::Name(Kind::Visit)),
        "The visits of the later slide; the last one at which a specimen was taken counts.",
    ),
];

const THIRD_READER: &[Field] = &[
    must("item", Shape::Text, "The item of the reading form that is compared."),
    must("differs_by", Shape::Number { min: Some(0), max: None }, "A difference above this is a dispute."),
    must(
        "or_percent",
        Shape::Number { min: Some(0), max: Some(100) },
        "So is one above this share of the mean of two readings, in percent.",
    ),
];

pub(crate) const FIELDS: &[Field] = &[
    must("id", Shape::Text, "The study's id."),
    may("registry", Shape::Map(Keys::Free, &Shape::Text), "Registry name to number."),
    must("title", Shape::Label, "Its title."),
    must("phase", Shape::Text, "The phase as the protocol writes it."),
    must("sponsor", Shape::Text, "The sponsor."),
    must("languages", Shape::List(&Shape::Text), "Language codes; the first is the main one."),
    must("blinded", Shape::Flag, "Whether arms are hidden from participants and staff."),
    must("target", TARGET, "Planned number of participants."),
    must("arms", Shape::Map(Keys::Define(Kind::Arm), &Shape::Table(ARM)), "Arms in order."),
    must("epochs", Shape::Map(Keys::Define(Kind::Epoch), &Shape::Table(EPOCH)), "Epochs in order."),
    must("sites", Shape::Map(Keys::Define(Kind::Site), &Shape::Table(SITE)), "Sites."),
    must(
        "consents",
        Shape::Map(Keys::Define(Kind::Consent), &Shape::Table(CONSENT)),
        "Consent versions in order of validity.",
    ),
    may("blind_reading", Shape::Table(BLIND_READING), "Blind reading of specimens."),
    may(
        "watches",
        Shape::Map(Keys::Define(Kind::Watch), &Shape::Table(super::watches::WATCH)),
        "Stopping rules and planned looks that the safety board watches while the trial runs.",
    ),
    must(
        "sources",
        Shape::Map(Keys::Define(Kind::Source), &Shape::Label),
        "Where statements come from: name and citation.",
    ),
    may(
        "facts",
        Shape::Map(Keys::Define(Kind::Fact), &Shape::Table(FACT)),
        "Facts with their sources, published numbers included.",
    ),
];

/// What `study.toml` says.
#[derive(Default)]
pub(crate) struct Identity {
    pub(crate) id: String,
    pub(crate) registry: BTreeMap<String, String>,
    pub(crate) title: Label,
    pub(crate) phase: String,
    pub(crate) sponsor: String,
    pub(crate) blinded: bool,
    pub(crate) randomised: bool,
    pub(crate) target: u32,
    pub(crate) arms: Vec<Arm>,
    pub(crate) epochs: Vec<Epoch>,
    pub(crate) sites: Vec<Site>,
    pub(crate) consents: Vec<ConsentVersion>,
    pub(crate) blind_reading: Option<BlindReading>,
    pub(crate) sources: Vec<(String, Label)>,
    pub(crate) facts: Vec<StatedFact>,
}

/// Returns the language codes, before anything else is read.
pub(crate) fn languages(root: &Node) -> Vec<String> {
    let listed = root.get("languages").map_or(&[][..], Node::elements);
    listed.iter().filter_map(Node::text).map(str::to_owned).collect()
}

/// Reads the file.
pub(crate) fn read(desk: &mut Desk<'_>, root: Section<'_>) -> Identity {
    let target = root.section("target");
    let randomised = target.and_then(|target| target.whole("randomised"));
    let enrolled = target.and_then(|target| target.whole("enrolled"));
    let registry = root
        .named("registry")
        .map(|entry| (entry.name().to_owned(), entry.node.text().unwrap_or_default().to_owned()));
    Identity {
        id: root.owned("id"),
        registry: registry.collect(),
        title: desk.label(root.get("title")),
        phase: root.owned("phase"),
        sponsor: root.owned("sponsor"),
        blinded: root.flag("blinded").unwrap_or(false),
        randomised: randomised.is_some(),
        target: randomised.or(enrolled).unwrap_or(0),
        arms: read_arms(desk, &root),
        epochs: root
            .named("epochs")
            .map(|entry| Epoch { id: entry.name().to_owned(), label: desk.label(entry.get("label")) })
            .collect(),
        sites: read_sites(desk, &root),
        consents: read_consents(desk, &root),
        blind_reading: root.section("blind_reading").map(|section| BlindReading {
            taken_on: section.owned("taken_on").into(),
            read_on: section.owned("read_on").into(),
            readers: section.whole("readers").unwrap_or(1),
            repeat_percent: section.whole("repeat_percent").unwrap_or(0),
            third_reader: section.section("third_reader").map(|third| ThirdReader {
                item: third.owned("item").into(),
                differs_by: third.decimal("differs_by").unwrap_or_default(),
                or_percent: third.decimal("or_percent").unwrap_or_default(),
            }),
            pairs: section.section("pairs").map(|pairs| SlidePairs {
                read_on: pairs.owned("read_on").into(),
                earlier: pairs.owned("earlier").into(),
                later: pairs.texts("later").into_iter().map(Into::into).collect(),
            }),
        }),
        sources: root
            .named("sources")
            .map(|entry| (entry.name().to_owned(), desk.label(Some(entry.node))))
            .collect(),
        facts: root.named("facts").map(|entry| read_fact(desk, &entry)).collect(),
    }
}

fn read_arms(desk: &mut Desk<'_>, root: &Section<'_>) -> Vec<Arm> {
    let arms: Vec<Arm> = root
        .named("arms")
        .map(|entry| Arm {
            id: entry.name().into(),
            label: desk.label(entry.get("label")),
            treatment: entry.owned("treatment"),
            control: entry.flag("control").unwrap_or(false),
        })
        .collect();
    if root.get("arms").is_some() && arms.is_empty() {
        desk.error("missing-key", &root.place_of("arms"), "a study has at least one arm", None);
    }
    arms
}

fn read_sites(desk: &mut Desk<'_>, root: &Section<'_>) -> Vec<Site> {
    let mut sites = Vec::new();
    for entry in root.named("sites") {
        let zone = entry.owned("zone");
        if !zone.is_empty() && TimeZone::get(&zone).is_err() {
            let help = crate::names::suggest(
                &zone,
                jiff::tz::db()
                    .available()
                    .map(|name| name.to_string())
                    .collect::<Vec<_>>()
                    .iter()
                    .map(String::as_str),
            );
            desk.error(
                "unknown-name",
                &entry.place_of("zone"),
                format!("there is no time zone `{zone}`"),
                help,
            );
        } else if !zone.is_empty() {
            desk.record(Kind::Zone, &zone, &entry.place_of("zone"));
        }
        sites.push(Site {
            id: entry.name().into(),
            label: entry.owned("label"),
            zone,
            laboratory: entry.owned("laboratory"),
        });
    }
    sites
}

fn read_consents(desk: &mut Desk<'_>, root: &Section<'_>) -> Vec<ConsentVersion> {
    let mut consents: Vec<ConsentVersion> = Vec::new();
    for entry in root.named("consents") {
        let from = entry.get("from").and_then(Node::date);
        if let Some(before) = consents.last() {
            if from.is_none() {
                let help = "add `from = …`: only the first version is valid from the start".to_owned();
                desk.error(
                    "missing-key",
                    &entry.place(),
                    format!("consent version `{}` has no first day", entry.name()),
                    Some(help),
                );
            } else if from <= before.from {
                let message = format!("consent version `{}` is not later than `{}`", entry.name(), before.id);
                desk.error(
                    "order",
                    &entry.place_of("from"),
                    message,
                    Some("list the versions in the order of their first days".into()),
                );
            }
        }
        consents.push(ConsentVersion { id: entry.name().to_owned(), from });
    }
    consents
}

fn read_fact(desk: &mut Desk<'_>, entry: &Section<'_>) -> StatedFact {
    let value = entry.get("value");
    let number = value.and_then(Node::decimal).map(|number| match entry.whole::<u32>("decimals") {
        Some(decimals) if decimals > number.scale() => {
            let mut number = number;
            number.rescale(decimals);
            number
        }
        _ => number,
    });
    let text = match number {
        Some(number) => number.to_string(),
        None => value.and_then(Node::text).unwrap_or_default().to_owned(),
    };
    let sourced = read_sources(desk, entry, &text);
    if sourced.follows.is_none() && entry.get("follows").is_none() && entry.get("sources").is_none() {
        let help = "add `source = \"…\"`, or `follows` and `sources`".to_owned();
        desk.error(
            "missing-key",
            &entry.place(),
            format!("fact `{}` has no source", entry.name()),
            Some(help),
        );
    }
    StatedFact {
        id: entry.name().into(),
        label: desk.label(entry.get("label")),
        number,
        text,
        unit: entry.text("unit").map(str::to_owned),
        mark: read_mark(entry),
        follows: sourced.follows.unwrap_or_default(),
        because: sourced.because,
        statements: sourced.statements,
    }
}
