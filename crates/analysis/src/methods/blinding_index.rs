//! Blinding indices of what people guessed their treatment to be.

use datasets::DataSets;
use protocol::model::BlindingIndex;
use statistics::{
    NotEstimable,
    blinding::{Guesses, bang_index, james_index},
};

use super::confidence;
use crate::{
    Format,
    outcome::level_of,
    population::Population,
    sheet::{ALL, Sheet, group},
};

/// Says what the method does, with every option that changes a number.
pub(crate) fn words(options: &BlindingIndex) -> String {
    let guesses: Vec<String> =
        options.guesses.iter().map(|(guess, arm)| format!("`{guess}` is {arm}")).collect();
    format!(
        "Blinding indices of Bang (by group) and James (of all); {}, `{}` is no guess; confidence {}",
        guesses.join(", "),
        options.unknown,
        options.confidence
    )
}

/// Compares guesses with the arms.
///
/// Keys by group: `n right wrong unknown index lower upper p` (Bang's, against 0); of all:
/// `james james_lower james_upper james_p` (James's, against one half), of two groups only.
pub(crate) fn blinding_index(
    sheet: &mut Sheet<'_>,
    population: &Population,
    data: &DataSets,
    variable: &str,
    options: &BlindingIndex,
) {
    let level = confidence(options.confidence);
    let mut columns: Vec<&str> = population.columns.iter().map(String::as_str).collect();
    columns.push(variable);
    let (mut arms, mut all) = (Vec::new(), Vec::new());
    for (place, arm) in population.groups.iter().enumerate() {
        let (mut guesses, mut rows) = (Guesses { right: 0, wrong: 0, unknown: 0 }, Vec::new());
        for member in population.of(Some(place)) {
            let Some(guess) = level_of(data, member, variable) else { continue };
            let meant = options.guesses.iter().find(|(own, _)| *own == guess).map(|(_, arm)| arm);
            match meant {
                Some(meant) if meant.as_str() == arm.id => guesses.right += 1,
                Some(_) => guesses.wrong += 1,
                None if guess == options.unknown => guesses.unknown += 1,
                None => continue,
            }
            rows.push(member.row);
        }
        all.extend(rows.iter().copied());
        let (n, rows) = (rows.len(), [sheet.row_sets.place("subjects", rows, &columns)]);
        let index = level.and_then(|level| bang_index(guesses, level));
        let of = group(Some(&arm.id));
        sheet.put("n", of, n, Format::Integer, &rows);
        for (key, count) in [("right", guesses.right), ("wrong", guesses.wrong), ("unknown", guesses.unknown)]
        {
            sheet.put(key, of, count as usize, Format::Integer, &rows);
        }
        let p = index.and_then(|index| index.p_two_sided.ok_or(NotEstimable::ZeroVariance));
        sheet.put("index", of, index.map(|index| index.estimate), Format::Decimals(2), &rows);
        sheet.put("lower", of, index.map(|index| index.interval.lower), Format::Decimals(2), &rows);
        sheet.put("upper", of, index.map(|index| index.interval.upper), Format::Decimals(2), &rows);
        sheet.put("p", of, p, Format::PValue, &rows);
        arms.push(guesses);
    }
    let rows = [sheet.row_sets.place("subjects", all, &columns)];
    let index = match arms.as_slice() {
        &[first, second] => {
            level.and_then(|level| james_index([first, second], level)).map_err(|reason| reason.to_string())
        }
        [] => Err("there are no groups to compare".to_owned()),
        found => Err(format!("{} groups where the index is of 2", found.len())),
    };
    let p = index
        .clone()
        .and_then(|index| index.p_two_sided.ok_or_else(|| NotEstimable::ZeroVariance.to_string()));
    sheet.put("james", ALL, index.clone().map(|index| index.estimate), Format::Decimals(2), &rows);
    sheet.put(
        "james_lower",
        ALL,
        index.clone().map(|index| index.interval.lower),
        Format::Decimals(2),
        &rows,
    );
    sheet.put("james_upper", ALL, index.map(|index| index.interval.upper), Format::Decimals(2), &rows);
    sheet.put("james_p", ALL, p, Format::PValue, &rows);
}
