//! Drug taken, relative dose intensity, share of planned days with a dose, longest pause.
//!
//! Relative dose intensity = mg taken / (target mg × days from the first to the last planned
//! treatment day). It runs to the last *planned* day: after stopping the dose is 0,
//! and what is taken later does not count.
//!
//! Target 400 mg, planned 10 days (03-01 to 03-10):
//!
//! | participant | stretches (days × mg) | mg | intensity | days with dose | share | longest pause |
//! |---|---|---|---|---|---|---|
//! | 1 | 10 × 400 | 4000 | 100 % | 10 | 100 % | 0 |
//! | 2 | 5 × 400, 5 × 0 | 2000 | 50 % | 5 | 50 % | 5 |
//! | 3 | 5 × 400, 2 × 0, 3 × 300 | 2900 | 72.5 % | 8 | 80 % | 2 |
//! | 4 | 12 × 400 | 4000 | 100 % | 10 | 100 % | 0 |
//! | 5 | 2 × 400, 3 × 0, 1 × 200, 4 × 0 | 1000 | 25 % | 3 | 30 % | 4 |
//! | 6 | 10 × 0 | 0 | 0 % | 0 | 0 % | 10 |
//! | 7 | 4 × 0, 4 × 0, 2 × 400 | 800 | 20 % | 2 | 20 % | 8 |
//! | 8 | 10 × 200 | 2000 | 50 % | 10 | 100 % | 0 |
//! | 9 | 1 × 400, 9 × 0 | 400 | 10 % | 1 | 10 % | 9 |
//! | 10 | 9 × 400, 3 × 0 | 3600 | 90 % | 9 | 90 % | 1 |
//! | 11 | 10 × 300 | 3000 | 75 % | 10 | 100 % | 0 |
//! | 12 | 5 × ?, 5 × 400 | - | - | - | - | - |

use terms::{Date, days_between};

use super::derive_param_dose_stretch::DoseStretch;

/// What was taken up to the last planned treatment day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DoseTaken {
    /// Planned treatment days.
    pub planned_days: i32,
    /// mg taken.
    pub mg: f64,
    /// Relative dose intensity in percent.
    pub intensity_percent: f64,
    /// Days with a dose.
    pub dose_days: i32,
    /// Days with a dose, in percent of the planned ones.
    pub share_percent: f64,
    /// Longest run of planned days without a dose.
    pub longest_pause: i32,
}

/// Sums up the stretches; none if one's dose is unknown, or nothing was planned.
pub fn derive_var_dose_intensity(
    stretches: &[DoseStretch],
    first_dose: Date,
    planned_last: Date,
    target_mg: f64,
) -> Option<DoseTaken> {
    let planned_days = days_between(first_dose, planned_last) + 1;
    if planned_days <= 0 || target_mg <= 0.0 {
        return None;
    }
    let (mut mg, mut dose_days, mut pause, mut longest_pause) = (0.0, 0, 0, 0);
    for stretch in stretches {
        let days = (days_between(stretch.from, stretch.to.min(planned_last)) + 1).max(0);
        let dose_mg = stretch.dose_mg?;
        mg += dose_mg * f64::from(days);
        if dose_mg > 0.0 {
            dose_days += days;
            pause = if days > 0 { 0 } else { pause };
        } else {
            pause += days;
            longest_pause = longest_pause.max(pause);
        }
    }
    let planned = f64::from(planned_days);
    Some(DoseTaken {
        planned_days,
        mg,
        intensity_percent: 100.0 * mg / (target_mg * planned),
        dose_days,
        share_percent: 100.0 * f64::from(dose_days) / planned,
        longest_pause,
    })
}

#[test]
fn the_twelve_rows_of_the_example() {
    use super::example::date;
    use jiff::ToSpan;
    type Row<'a> = (&'a [(i32, f64)], (f64, f64, i32, f64, i32));
    let table: [Row<'_>; 11] = [
        (&[(10, 400.0)], (4000.0, 100.0, 10, 100.0, 0)),
        (&[(5, 400.0), (5, 0.0)], (2000.0, 50.0, 5, 50.0, 5)),
        (&[(5, 400.0), (2, 0.0), (3, 300.0)], (2900.0, 72.5, 8, 80.0, 2)),
        (&[(12, 400.0)], (4000.0, 100.0, 10, 100.0, 0)),
        (&[(2, 400.0), (3, 0.0), (1, 200.0), (4, 0.0)], (1000.0, 25.0, 3, 30.0, 4)),
        (&[(10, 0.0)], (0.0, 0.0, 0, 0.0, 10)),
        (&[(4, 0.0), (4, 0.0), (2, 400.0)], (800.0, 20.0, 2, 20.0, 8)),
        (&[(10, 200.0)], (2000.0, 50.0, 10, 100.0, 0)),
        (&[(1, 400.0), (9, 0.0)], (400.0, 10.0, 1, 10.0, 9)),
        (&[(9, 400.0), (3, 0.0)], (3600.0, 90.0, 9, 90.0, 1)),
        (&[(10, 300.0)], (3000.0, 75.0, 10, 100.0, 0)),
    ];
    let (first, last) = (date("2008-03-01"), date("2008-03-10"));
    let laid_out = |parts: &[(i32, Option<f64>)]| {
        let mut from = first;
        let mut stretches = Vec::new();
        for (days, dose_mg) in parts {
            let to = from + (*days - 1).days();
            stretches.push(DoseStretch { from, to, dose_mg: *dose_mg, after_stop: false, sources: vec![] });
            from = to + 1.day();
        }
        stretches
    };
    for (place, (parts, (mg, intensity_percent, dose_days, share_percent, longest_pause))) in
        table.into_iter().enumerate()
    {
        let parts: Vec<_> = parts.iter().map(|(days, mg)| (*days, Some(*mg))).collect();
        let found = derive_var_dose_intensity(&laid_out(&parts), first, last, 400.0);
        let wanted =
            DoseTaken { planned_days: 10, mg, intensity_percent, dose_days, share_percent, longest_pause };
        assert_eq!(found, Some(wanted), "participant {}", place + 1);
    }
    let unknown = laid_out(&[(5, None), (5, Some(400.0))]);
    assert_eq!(derive_var_dose_intensity(&unknown, first, last, 400.0), None);
}
