//! `allocation.toml`: the open part of the allocation. Block sizes, seed and list never stand here.

use super::sources::{MARK, read_mark};
use crate::{
    desk::{Desk, Section},
    expression::Type,
    model::{AllocationPlan, Arm},
    shape::{Field, Keys, Kind, Shape, may, must},
    source::Place,
};

const COUNT: Shape = Shape::Integer { min: 1, max: 100_000 };

const STRATA: &[Field] = &[
    must("item", Shape::Name(Kind::Item), "The item whose code is the stratum."),
    must("codes", Shape::List(&Shape::Text), "The strata in order."),
];

const KITS: &[Field] = &[
    must("tablets", COUNT, "Tablets in a kit."),
    must("visits", Shape::List(&Shape::Name(Kind::Visit)), "Visits at which a kit is handed out."),
];

const SECRET: &[Field] = &[
    must("file", Shape::Text, "The sealed file's name."),
    must("holds", Shape::List(&Shape::Word(&["block sizes", "seed", "list"])), "What is sealed in it."),
    must("opened_by", Shape::List(&Shape::Name(Kind::Role)), "Roles that hold a key."),
    may("threshold", Shape::Integer { min: 1, max: 20 }, "How many holders open the whole list together."),
];

pub(crate) const FIELDS: &[Field] = &[
    must("scheme", Shape::Word(&["permuted blocks"]), "How the list is drawn."),
    must("ratio", Shape::Map(Keys::Name(Kind::Arm), &COUNT), "Arms and their shares."),
    must("strata", Shape::Table(STRATA), "The stratum."),
    must("kits", Shape::Table(KITS), "Kits."),
    must("secret", Shape::Table(SECRET), "What is sealed, where, and who opens it."),
    must("mark", MARK, "How sure the scheme is."),
];

/// Reads the file.
pub(crate) fn read(desk: &mut Desk<'_>, root: &Section<'_>, arms: &[Arm]) -> Option<AllocationPlan> {
    let ratio = root
        .named("ratio")
        .filter_map(|arm| Some((arm.name().into(), u32::try_from(arm.node.integer()?).ok()?)));
    let ratio: Vec<(terms::ArmId, u32)> = ratio.collect();
    for arm in arms {
        if root.get("ratio").is_some()
            && !ratio.iter().any(|(id, _)| *id == arm.id)
            && !desk.was_left_out(arm.id.as_str())
        {
            let message = format!("arm `{}` has no share in the allocation", arm.id);
            desk.error("allocation", &root.place_of("ratio"), message, Some(format!("add `{} = 1`", arm.id)));
        }
    }
    let (form, item, strata) = read_strata(desk, root)?;
    let secret = root.section("secret")?;
    let holders: Vec<_> = secret.texts("opened_by").into_iter().map(Into::into).collect();
    let threshold = secret.whole("threshold").unwrap_or(1);
    if threshold as usize > holders.len() {
        let message =
            format!("{threshold} holders are needed to open the list, and there are {}", holders.len());
        desk.error(
            "allocation",
            &secret.place_of("threshold"),
            message,
            Some("name more holders, or lower `threshold`".into()),
        );
    }
    for needed in ["block sizes", "list"] {
        if !secret.texts("holds").contains(&needed) && secret.get("holds").is_some() {
            desk.error(
                "allocation",
                &secret.place_of("holds"),
                format!("the sealed file does not hold the {needed}"),
                Some(format!("add \"{needed}\"")),
            );
        }
    }
    let kits = root.section("kits");
    Some(AllocationPlan {
        ratio,
        stratum_form: form.into(),
        stratum_item: item.into(),
        strata,
        sealed_file: secret.owned("file"),
        holders,
        threshold,
        kit_tablets: kits.and_then(|kits| kits.whole("tablets")).unwrap_or(0),
        kit_visits: kits
            .map(|kits| kits.texts("visits").into_iter().map(Into::into).collect())
            .unwrap_or_default(),
        mark: read_mark(root),
    })
}

fn read_strata(desk: &mut Desk<'_>, root: &Section<'_>) -> Option<(String, String, Vec<String>)> {
    let strata = root.section("strata")?;
    let name = strata.text("item")?;
    let (form, item) = name.split_once('.')?;
    let facts = desk.items.get(name)?.clone();
    let Type::Code(codes) = &facts.kind else {
        desk.error(
            "allocation",
            &strata.place_of("item"),
            format!("`{name}` holds {}, and a stratum is a code", facts.kind.noun()),
            None,
        );
        return None;
    };
    let among = codes.among.clone().unwrap_or_default();
    for node in strata.get("codes").map_or(&[][..], |codes| codes.elements()) {
        let place = Place::new(strata.file, node.text_span());
        desk.refer_among(Kind::Code, node.text()?, &place, &among);
    }
    let named = strata.texts("codes");
    for code in among.iter().filter(|code| !named.contains(&code.as_str()) && !named.is_empty()) {
        let message = format!("code `{code}` of `{}` has no stratum", codes.list);
        desk.error("allocation", &strata.place_of("codes"), message, Some(format!("add \"{code}\"")));
    }
    Some((form.to_owned(), item.to_owned(), named.into_iter().map(str::to_owned).collect()))
}
