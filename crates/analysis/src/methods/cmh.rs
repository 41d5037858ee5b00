//! The Cochran-Mantel-Haenszel test of levels between groups within strata.

use std::collections::BTreeMap;

use datasets::DataSets;
use protocol::model::{Cmh, CmhAssociation, Scores};
use statistics::{
    NotEstimable,
    proportions::{Association, Table, generalised_cmh},
};

use crate::{
    Format,
    categories::Categories,
    population::Population,
    records::cell,
    sheet::{ALL, Sheet},
};

/// Says what the method does, with every option that changes a number.
pub(crate) fn words(options: &Cmh) -> String {
    let association = match options.association {
        CmhAssociation::General => "general association",
        CmhAssociation::RowMeanScores => "row mean scores differ",
        CmhAssociation::Correlation => "correlation",
    };
    let scores = match options.scores {
        Some(Scores::Values) => "; scores are the levels' own numbers",
        Some(Scores::Order) => "; scores are 1, 2, 3 in the order of levels",
        None => "",
    };
    format!(
        "Cochran-Mantel-Haenszel test ({association}) stratified by {}{scores}",
        options.strata.join(" and ")
    )
}

/// Tests levels between groups within strata. Levels that nobody has do not count.
///
/// Keys: `chi_squared df p`, and `denominator missing`, `count percent` by level, in all and by group;
/// percentages are of those with a level. Returns who has a level and no stratum, by row of the subject-level
/// data set.
pub(crate) fn cmh(
    sheet: &mut Sheet<'_>,
    population: &Population,
    data: &DataSets,
    categories: &Categories,
    options: &Cmh,
) -> Vec<(usize, String)> {
    categories.count(sheet, population, false);
    let rows = [categories.all(sheet)];
    let set = data.get(&categories.dataset).unwrap_or(&data.subjects);
    let stratum = |entry: &crate::categories::Category| -> Option<Vec<String>> {
        let level = |name: &String| cell(data, set, entry.row, entry.subject_row, name).level();
        options.strata.iter().map(level).collect()
    };
    let (mut strata, mut without) = (BTreeMap::new(), Vec::new());
    for entry in categories.entries.iter().filter(|entry| entry.level.is_some()) {
        match stratum(entry) {
            Some(stratum) => *strata.entry(stratum).or_insert(0) += 1,
            None => without.push((entry.subject_row, format!("no value of {}", options.strata.join(" or ")))),
        }
    }
    let levels = categories.occurring();
    let tables: Result<Vec<Table>, NotEstimable> = strata
        .keys()
        .map(|wanted| categories.table(population, &levels, |entry| stratum(entry).as_ref() == Some(wanted)))
        .collect();
    let numbers = |scores: Scores| -> Result<Vec<f64>, String> {
        levels
            .iter()
            .enumerate()
            .map(|(place, level)| match scores {
                Scores::Order => Ok(place as f64 + 1.0),
                Scores::Values => level
                    .id
                    .parse()
                    .map_err(|_| format!("level `{}` is no number, so it is no score", level.id)),
            })
            .collect()
    };
    let columns = options.scores.map_or(Ok(Vec::new()), numbers);
    let groups: Vec<f64> = (1..=population.groups.len()).map(|place| place as f64).collect();
    let test = columns.and_then(|columns| {
        let association = match options.association {
            CmhAssociation::General => Association::General,
            CmhAssociation::RowMeanScores => Association::RowMeanScores { columns: &columns },
            CmhAssociation::Correlation => Association::Correlation { rows: &groups, columns: &columns },
        };
        let test = tables.and_then(|tables| generalised_cmh(&tables, association));
        test.map_err(|reason| reason.to_string())
    });
    sheet.put("chi_squared", ALL, test.clone().map(|test| test.chi_squared), Format::Decimals(2), &rows);
    sheet.put("df", ALL, test.clone().map(|test| test.df), Format::Decimals(0), &rows);
    sheet.put("p", ALL, test.map(|test| test.p), Format::PValue, &rows);
    without
}
