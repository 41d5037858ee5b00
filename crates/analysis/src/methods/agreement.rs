//! Agreement of readers who read blind: of two readers of the same slides, or of one reader with himself
//! where a slide came back under a second code.

use std::collections::BTreeMap;

use datasets::Dataset;
use protocol::model::{Agreement, Between, IccForm, KappaWeighting, Readings, WeightedKappa};
use statistics::{
    NotEstimable,
    agreement::{IccModel, KappaWeights, bland_altman, icc, kappa},
    proportions::Table,
};

use super::{Precision, confidence};
use crate::{
    Format,
    population::Population,
    sheet::{ALL, Sheet},
};

/// Two readings of one slide, by row of the data set.
pub(crate) type Pair = [usize; 2];

/// Says what is compared.
pub(crate) fn words_between(between: Between) -> &'static str {
    match between {
        Between::Readers => "between the two readers of a slide",
        Between::Repeats => "between a reader's two readings of a slide",
    }
}

/// Says what the method does, with every option that changes a number.
pub(crate) fn words(options: &Agreement) -> String {
    let form = match options.icc {
        IccForm::OneWay => "one-way model",
        IccForm::Absolute => "two-way model, absolute agreement",
        IccForm::Consistency => "two-way model, consistency",
    };
    format!(
        "Intraclass correlation of single readings ({form}) and limits of agreement (Bland and Altman); confidence {}",
        options.confidence
    )
}

/// Says what the method does, with every option that changes a number.
pub(crate) fn kappa_words(options: &WeightedKappa) -> String {
    let weights = match options.weights {
        KappaWeighting::None => "Cohen's kappa",
        KappaWeighting::Linear => "Kappa with linear weights",
        KappaWeighting::Quadratic => "Kappa with quadratic weights",
    };
    format!("{weights}; confidence {}", options.confidence)
}

/// Returns the pairs of readings of a population's slides.
///
/// Between readers: readers 1 and 2 of each code. Between repeats: the first and the second code of a slide, of each reader.
pub(crate) fn pairs(set: &Dataset, population: &Population, readings: &Readings) -> Vec<Pair> {
    let known = |row: &usize| {
        set.cell("item", *row).text() == Some(readings.item.as_str())
            && (readings.between == Between::Repeats
                || matches!(set.cell("reader", *row).level().as_deref(), Some("1" | "2")))
            && (set.cell("value", *row).number().is_some() || set.cell("level", *row).text().is_some())
            && population.members.iter().any(|m| set.cell("subject", *row).text() == Some(m.subject.as_str()))
    };
    let mut slides: BTreeMap<(String, String, String), Vec<(bool, usize)>> = BTreeMap::new();
    for row in (0..set.rows()).filter(known) {
        let text = |column: &str| set.cell(column, row).text().unwrap_or_default().to_owned();
        let reader = set.cell("reader", row).level().unwrap_or_default();
        let (second, apart) = match readings.between {
            Between::Readers => (reader != "1", text("specimen")),
            Between::Repeats => (set.cell("repeat", row).flag() == Some(true), reader),
        };
        slides.entry((text("subject"), text("visit"), apart)).or_default().push((second, row));
    }
    let pair = |mut both: Vec<(bool, usize)>| {
        both.sort_unstable();
        match both.as_slice() {
            &[(false, first), (true, second)] => Some([first, second]),
            _ => None,
        }
    };
    slides.into_values().filter_map(pair).collect()
}

/// Compares numbers.
///
/// Keys: `n` (pairs), `icc icc_lower icc_upper`, and of the differences, first less second, `bias lower upper sd
/// limit_lower limit_upper`.
pub(crate) fn agreement(
    sheet: &mut Sheet<'_>,
    set: &Dataset,
    pairs: &[Pair],
    precision: Precision,
    options: &Agreement,
) {
    let number = |row: usize| set.cell("value", row).number();
    let (mut rows, mut first, mut second) = (Vec::new(), Vec::new(), Vec::new());
    for pair in pairs {
        if let [Some(one), Some(other)] = pair.map(number) {
            first.push(one);
            second.push(other);
            rows.extend(pair);
        }
    }
    let rows = [sheet.row_sets.place(&set.name, rows, &["value", "reader", "repeat"])];
    let level = confidence(options.confidence);
    let model = match options.icc {
        IccForm::OneWay => IccModel::OneWay,
        IccForm::Absolute => IccModel::TwoWayAgreement,
        IccForm::Consistency => IccModel::TwoWayConsistency,
    };
    let ratings: Vec<Vec<f64>> = first.iter().zip(&second).map(|(a, b)| vec![*a, *b]).collect();
    let correlation = level.and_then(|level| icc(&ratings, model, level));
    let limits = level.and_then(|level| bland_altman(&first, &second, level));
    sheet.put("n", ALL, first.len(), Format::Integer, &rows);
    sheet.put("icc", ALL, correlation.map(|one| one.estimate), Format::Decimals(3), &rows);
    sheet.put("icc_lower", ALL, correlation.map(|one| one.interval.lower), Format::Decimals(3), &rows);
    sheet.put("icc_upper", ALL, correlation.map(|one| one.interval.upper), Format::Decimals(3), &rows);
    let decimals = precision.summary();
    sheet.put("bias", ALL, limits.map(|one| one.bias), decimals, &rows);
    sheet.put("lower", ALL, limits.map(|one| one.bias_interval.lower), decimals, &rows);
    sheet.put("upper", ALL, limits.map(|one| one.bias_interval.upper), decimals, &rows);
    sheet.put("sd", ALL, limits.map(|one| one.sd), decimals, &rows);
    sheet.put("limit_lower", ALL, limits.map(|one| one.limits.lower), decimals, &rows);
    sheet.put("limit_upper", ALL, limits.map(|one| one.limits.upper), decimals, &rows);
}

/// Compares levels, weighted by how far apart they stand in the code list's order.
///
/// Keys: `n` (pairs), `agree` (percent of them), `kappa lower upper p`.
pub(crate) fn weighted_kappa(sheet: &mut Sheet<'_>, set: &Dataset, pairs: &[Pair], options: &WeightedKappa) {
    let whole = |column: &str, row: usize| set.cell(column, row).number().map(|number| number as usize);
    let place = |row: usize| whole("place", row).and_then(|place| place.checked_sub(1));
    let levels = pairs.iter().flatten().find_map(|row| whole("places", *row)).unwrap_or(2);
    let mut counts = vec![vec![0_u64; levels]; levels];
    let (mut rows, mut n, mut same) = (Vec::new(), 0, 0);
    for pair in pairs {
        if let [Some(one), Some(other)] = pair.map(place) {
            counts[one][other] += 1;
            n += 1;
            same += usize::from(one == other);
            rows.extend(pair);
        }
    }
    let rows = [sheet.row_sets.place(&set.name, rows, &["level", "place", "reader", "repeat"])];
    let weights = match options.weights {
        KappaWeighting::None => KappaWeights::Unweighted,
        KappaWeighting::Linear => KappaWeights::Linear,
        KappaWeighting::Quadratic => KappaWeights::Quadratic,
    };
    let index =
        confidence(options.confidence).and_then(|level| kappa(&Table::from_rows(&counts)?, weights, level));
    sheet.put("n", ALL, n, Format::Integer, &rows);
    sheet.put("agree", ALL, crate::sheet::percent(same, n), Format::Percent(1), &rows);
    sheet.put("kappa", ALL, index.map(|one| one.estimate), Format::Decimals(3), &rows);
    sheet.put("lower", ALL, index.map(|one| one.interval.lower), Format::Decimals(3), &rows);
    sheet.put("upper", ALL, index.map(|one| one.interval.upper), Format::Decimals(3), &rows);
    let p = index.and_then(|one| one.p.ok_or(NotEstimable::ZeroVariance));
    sheet.put("p", ALL, p, Format::PValue, &rows);
}
