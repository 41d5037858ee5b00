//! The share of participants with something, with its interval.

use protocol::model::ShareInterval;
use statistics::proportions::{BinomialInterval, binomial_interval};
use terms::Decimal;

use super::confidence;
use crate::{
    Format,
    sheet::{Of, Sheet, percent},
};

/// Which interval, and how sure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interval {
    pub(crate) confidence: Decimal,
    pub(crate) kind: ShareInterval,
}

/// Says what the method does, with every option that changes a number.
pub(crate) fn words(interval: Interval) -> String {
    let kind = match interval.kind {
        ShareInterval::ClopperPearson => "exact (Clopper-Pearson) interval",
        ShareInterval::Wilson => "Wilson's score interval",
        ShareInterval::WilsonCorrected => "Wilson's score interval with continuity correction",
        ShareInterval::AgrestiCoull => "Agresti-Coull interval",
        ShareInterval::Jeffreys => "Jeffreys interval",
        ShareInterval::MidP => "mid-p interval",
        ShareInterval::Wald => "Wald interval",
    };
    format!("Share with {kind}, confidence {}", interval.confidence)
}

/// Returns the statistics crate's name of an interval.
pub(crate) fn share_interval(kind: ShareInterval) -> BinomialInterval {
    match kind {
        ShareInterval::ClopperPearson => BinomialInterval::ClopperPearson,
        ShareInterval::Wilson => BinomialInterval::Wilson,
        ShareInterval::WilsonCorrected => BinomialInterval::WilsonContinuity,
        ShareInterval::AgrestiCoull => BinomialInterval::AgrestiCoull,
        ShareInterval::Jeffreys => BinomialInterval::Jeffreys,
        ShareInterval::MidP => BinomialInterval::MidP,
        ShareInterval::Wald => BinomialInterval::Wald,
    }
}

/// Writes down `events n percent lower upper`, the last three in percent. `rows` are those with it and all.
pub(crate) fn binomial(
    sheet: &mut Sheet<'_>,
    of: Of<'_>,
    (events, n): (usize, usize),
    (event_rows, n_rows): (usize, usize),
    wanted: Interval,
) {
    let interval = confidence(wanted.confidence)
        .and_then(|level| binomial_interval(events as u64, n as u64, share_interval(wanted.kind), level));
    sheet.put("events", of, events, Format::Integer, &[event_rows]);
    sheet.put("n", of, n, Format::Integer, &[n_rows]);
    let rows = [event_rows, n_rows];
    sheet.put("percent", of, percent(events, n), Format::Percent(1), &rows);
    sheet.put("lower", of, interval.map(|interval| 100.0 * interval.lower), Format::Percent(1), &rows);
    sheet.put("upper", of, interval.map(|interval| 100.0 * interval.upper), Format::Percent(1), &rows);
}
