//! Pearson's chi-squared test of levels between groups.

use statistics::proportions::{Yates, chi_squared_test};

use crate::{
    Format,
    categories::Categories,
    population::Population,
    sheet::{ALL, Sheet},
};

/// Says what the method does, with every option that changes a number.
pub(crate) fn words(continuity_correction: bool) -> String {
    let correction =
        if continuity_correction { "with Yates' correction" } else { "without continuity correction" };
    format!("Pearson's chi-squared test {correction}")
}

/// Tests whether levels are spread alike over the groups. Levels that nobody has do not count.
///
/// Keys: `chi_squared df p`, and `denominator missing`, `count percent` by level, in all and by group;
/// percentages are of those with a level.
pub(crate) fn chi_squared(
    sheet: &mut Sheet<'_>,
    population: &Population,
    categories: &Categories,
    continuity_correction: bool,
) {
    categories.count(sheet, population, false);
    let rows = [categories.all(sheet)];
    let yates = if continuity_correction { Yates::Corrected } else { Yates::None };
    let table = categories.table(population, &categories.occurring(), |_| true);
    let test = table.and_then(|table| chi_squared_test(&table, yates));
    sheet.put("chi_squared", ALL, test.map(|test| test.chi_squared), Format::Decimals(2), &rows);
    sheet.put("df", ALL, test.map(|test| test.df), Format::Decimals(0), &rows);
    sheet.put("p", ALL, test.map(|test| test.p), Format::PValue, &rows);
}
