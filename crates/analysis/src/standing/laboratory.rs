//! Laboratory: shifts of grade and of place in the range, liver peaks, course over visits.

use datasets::Dataset;
use protocol::model::LaboratoryTest;
use statistics::descriptive::{QuantileType, quantile, summarise};
use terms::AnalysisId;

use super::{Head, Standing};
use crate::{
    AnalysisResult, Format, Level,
    methods::population_place,
    population::{Member, Population, levels_of},
    sheet::{RowSets, Sheet, cell, group},
};

/// Grades of CTCAE for laboratory values.
const GRADES: [&str; 5] = ["0", "1", "2", "3", "4"];
/// Multiples of the upper limit at which Hy's law begins: ALT or AST, bilirubin.
const HYS_LAW: (f64, f64) = (3.0, 2.0);

/// The rows of a member for a test.
struct Of<'a> {
    set: &'a Dataset,
    rows: Vec<usize>,
}

impl Of<'_> {
    fn flagged(&self, flag: &str) -> Option<usize> {
        self.rows.iter().copied().find(|row| self.set.cell(flag, *row).flag() == Some(true))
    }

    fn number(&self, column: &str, row: Option<usize>) -> Option<f64> {
        self.set.cell(column, row?).number()
    }
}

/// Rows by participant and test, looked up once.
struct Lookup<'a> {
    set: &'a Dataset,
    rows: std::collections::BTreeMap<(&'a str, &'a str), Vec<usize>>,
}

impl<'a> Lookup<'a> {
    fn new(set: &'a Dataset) -> Self {
        let mut rows: std::collections::BTreeMap<(&str, &str), Vec<usize>> =
            std::collections::BTreeMap::new();
        for row in 0..set.rows() {
            if let (Some(subject), Some(test)) =
                (set.cell("subject", row).text(), set.cell("test", row).text())
            {
                rows.entry((subject, test)).or_default().push(row);
            }
        }
        Self { set, rows }
    }

    fn of(&self, member: &Member, test: &str) -> Of<'a> {
        let rows = self.rows.get(&(member.subject.as_str(), test)).cloned().unwrap_or_default();
        Of { set: self.set, rows }
    }
}

fn test_label(standing: &Standing<'_>, test: &LaboratoryTest) -> String {
    let column = standing.data.laboratory.column("test");
    column.map_or(test.id.as_str(), |column| column.level_label(&test.id)).to_owned()
}

/// The worst grade after baseline against that at baseline, by test and direction.
pub(super) fn grades(standing: &Standing<'_>, row_sets: &mut RowSets) -> AnalysisResult {
    let id = "laboratory-grades".into();
    let mut sheet = Sheet::new(&id, row_sets);
    let treated = standing.with_flag("treated");
    let lookup = Lookup::new(&standing.data.laboratory);
    let mut levels = Vec::new();
    for test in &standing.plan.tests {
        for (term, side, column, extreme) in
            [(&test.low, "low", "grade_low", "lowest"), (&test.high, "high", "grade_high", "highest")]
        {
            if term.is_none() {
                continue;
            }
            let level = format!("{} {side}", test.id);
            let shifts = shifts(&lookup, &treated, &test.id, |of| {
                let grade = |row| of.number(column, row).map(|grade| grade.to_string());
                (grade(of.flagged("is_baseline")), grade(of.flagged(extreme)))
            });
            let columns = [column, "is_baseline", extreme];
            put_shifts(&mut sheet, &treated, &level, &shifts, (&GRADES, &GRADES), &columns);
            levels.push(Level { id: level, label: format!("{}, {side}", test_label(standing, test)) });
        }
    }
    let head = Head {
        id: "laboratory-grades",
        label: "Laboratory grades at baseline and worst after it",
        method: "Counts of participants by CTCAE v5 grade at baseline and the worst grade of all later values",
        set: "Took at least one dose",
        groups: &treated.groups,
        levels,
    };
    standing.result(head, sheet)
}

/// Low, normal or high at baseline against the lowest and the highest value after it.
pub(super) fn ranges(standing: &Standing<'_>, row_sets: &mut RowSets) -> AnalysisResult {
    let id = "laboratory-ranges".into();
    let mut sheet = Sheet::new(&id, row_sets);
    let treated = standing.with_flag("treated");
    let lookup = Lookup::new(&standing.data.laboratory);
    for test in &standing.plan.tests {
        let shifts = shifts(&lookup, &treated, &test.id, |of| {
            let side = |row: Option<usize>| of.set.cell("indicator", row?).text().map(str::to_owned);
            let (lowest, highest) = (side(of.flagged("lowest")), side(of.flagged("highest")));
            let after = match (lowest.as_deref(), highest.as_deref()) {
                (None, None) => None,
                (Some("low"), Some("high")) => Some("both"),
                (Some("low"), _) => Some("low"),
                (_, Some("high")) => Some("high"),
                _ => Some("normal"),
            };
            (side(of.flagged("is_baseline")), after.map(str::to_owned))
        });
        let names = (&["low", "normal", "high"][..], &["low", "normal", "high", "both"][..]);
        let columns = ["indicator", "is_baseline", "lowest", "highest"];
        put_shifts(&mut sheet, &treated, &test.id, &shifts, names, &columns);
    }
    let level = |test: &LaboratoryTest| Level { id: test.id.clone(), label: test_label(standing, test) };
    let head = Head {
        id: "laboratory-ranges",
        label: "Laboratory values against their range, at baseline and after it",
        method: "Counts of participants by place in the range at baseline and of the lowest and highest of all later values",
        set: "Took at least one dose",
        groups: &treated.groups,
        levels: standing.plan.tests.iter().map(level).collect(),
    };
    standing.result(head, sheet)
}

/// One participant's shift: the group, from, to, and the rows it was read from.
struct Shift {
    group: Option<usize>,
    from: Option<String>,
    to: Option<String>,
    rows: Vec<usize>,
}

fn shifts(
    lookup: &Lookup<'_>,
    treated: &Population,
    test: &str,
    read: impl Fn(&Of<'_>) -> (Option<String>, Option<String>),
) -> Vec<Shift> {
    let shift = |member: &Member| {
        let of = lookup.of(member, test);
        let (from, to) = read(&of);
        let flags = ["is_baseline", "lowest", "highest"];
        let rows = flags.iter().filter_map(|flag| of.flagged(flag)).collect();
        Shift { group: member.group, from, to, rows }
    };
    treated.members.iter().map(shift).collect()
}

/// Writes counts down as `from_…_to_…`, for each place at baseline that occurs.
fn put_shifts(
    sheet: &mut Sheet<'_>,
    treated: &Population,
    level: &str,
    shifts: &[Shift],
    (before, after): (&[&str], &[&str]),
    columns: &[&str],
) {
    let name = |place: &Option<String>| place.as_deref().unwrap_or("none").to_owned();
    let from: Vec<&str> = before.iter().copied().chain(["none"]).collect();
    let to: Vec<&str> = after.iter().copied().chain(["none"]).collect();
    for (place, arm) in treated.cuts() {
        let own: Vec<&Shift> = shifts.iter().filter(|one| place.is_none() || one.group == place).collect();
        for from in from.iter().filter(|from| shifts.iter().any(|one| name(&one.from) == **from)) {
            for to in &to {
                let chosen: Vec<&&Shift> =
                    own.iter().filter(|one| name(&one.from) == *from && name(&one.to) == *to).collect();
                let rows = chosen.iter().flat_map(|one| one.rows.clone()).collect();
                let mut places = vec![sheet.row_sets.place("laboratory", rows, columns)];
                // Who has no value has no row here, but is one of those treated.
                places.push(population_place(sheet, treated, place));
                let key = format!("from_{from}_to_{to}");
                sheet.put(&key, cell(arm, level), chosen.len(), Format::Integer, &places);
            }
        }
    }
}

/// Each participant's highest ALT or AST and bilirubin as multiples of the upper limit, and how many lie in each quarter.
pub(super) fn hys_law(standing: &Standing<'_>, row_sets: &mut RowSets) -> AnalysisResult {
    let id = "hys-law".into();
    let mut sheet = Sheet::new(&id, row_sets);
    let treated = standing.with_flag("treated");
    let lookup = Lookup::new(&standing.data.laboratory);
    let graded = |codes: &[&str]| -> Vec<&str> {
        let tests = standing.plan.tests.iter();
        let wanted = tests.filter(|test| test.high.as_deref().is_some_and(|code| codes.contains(&code)));
        wanted.map(|test| test.id.as_str()).collect()
    };
    let (transaminases, bilirubin) = (graded(&["ALT", "AST"]), graded(&["BILI"]));
    let peak = |member: &Member, tests: &[&str]| {
        let mut best: Option<(f64, usize)> = None;
        for test in tests {
            let of = lookup.of(member, test);
            let Some(row) = of.flagged("highest") else { continue };
            let Some(times) = of.number("times_upper", Some(row)) else { continue };
            if best.is_none_or(|(known, _)| times > known) {
                best = Some((times, row));
            }
        }
        best
    };
    let mut quarters: Vec<(Option<usize>, &str, Vec<usize>)> = Vec::new();
    for member in &treated.members {
        let (Some((liver, liver_row)), Some((bile, bile_row))) =
            (peak(member, &transaminases), peak(member, &bilirubin))
        else {
            continue;
        };
        let of = group(Some(member.subject.as_str()));
        let liver_place = [sheet.row_sets.place("laboratory", vec![liver_row], &["times_upper", "highest"])];
        let bile_place = [sheet.row_sets.place("laboratory", vec![bile_row], &["times_upper", "highest"])];
        sheet.put("transaminase", of, liver, Format::Decimals(2), &liver_place);
        sheet.put("bilirubin", of, bile, Format::Decimals(2), &bile_place);
        let quarter = match (liver >= HYS_LAW.0, bile > HYS_LAW.1) {
            (false, false) => "neither",
            (true, false) => "transaminase",
            (false, true) => "bilirubin",
            (true, true) => "both",
        };
        quarters.push((member.group, quarter, vec![liver_row, bile_row]));
    }
    let levels = [
        ("neither", "Neither"),
        ("transaminase", "ALT or AST of 3 times the limit or more, bilirubin not raised so far"),
        ("bilirubin", "Bilirubin above twice the limit, ALT and AST below 3 times"),
        ("both", "Both: looked at case by case for Hy's law"),
    ];
    for (place, arm) in treated.cuts() {
        let own = quarters.iter().filter(|(group, ..)| place.is_none() || *group == place);
        let own: Vec<_> = own.collect();
        let all = sheet.row_sets.place(
            "laboratory",
            own.iter().flat_map(|(.., rows)| rows.clone()).collect(),
            &["times_upper", "highest"],
        );
        sheet.put("n", group(arm), own.len(), Format::Integer, &[all]);
        for (level, _) in levels {
            let chosen: Vec<_> = own.iter().filter(|(_, quarter, _)| *quarter == level).collect();
            let rows = chosen.iter().flat_map(|(.., rows)| rows.clone()).collect();
            let rows = [sheet.row_sets.place("laboratory", rows, &["times_upper", "highest"]), all];
            sheet.put("count", cell(arm, level), chosen.len(), Format::Integer, &rows);
        }
    }
    let head = Head {
        id: "hys-law",
        label: "Highest ALT or AST, and highest bilirubin",
        method: "Each participant's highest values after baseline as multiples of the upper limit of normal, wherever they lie in time",
        set: "Took at least one dose",
        groups: &treated.groups,
        levels: levels.map(|(id, label)| Level { id: id.to_owned(), label: label.to_owned() }).to_vec(),
    };
    standing.result(head, sheet)
}

/// A test over the planned visits, as a multiple of the limit that its grades count from.
pub(super) fn trend(standing: &Standing<'_>, row_sets: &mut RowSets, test: &str) -> Option<AnalysisResult> {
    let test = standing.plan.tests.iter().find(|known| known.id == *test)?;
    // Of a test that is graded on both sides the low one is followed: anaemia, not too much haemoglobin.
    let (column, limit) = match &test.low {
        Some(_) => ("times_lower", "lower"),
        None => ("times_upper", "upper"),
    };
    let name = AnalysisId::from(format!("laboratory:{}", test.id));
    let mut sheet = Sheet::new(&name, row_sets);
    let treated = standing.with_flag("treated");
    let set = &standing.data.laboratory;
    let lookup = Lookup::new(set);
    let mut levels = Vec::new();
    for visit in set.column("visit").map(levels_of).unwrap_or_default() {
        let rows_of = |place: Option<usize>| -> Vec<usize> {
            let at = |row: &usize| {
                set.cell("visit", *row).text() == Some(visit.id.as_str())
                    && set.cell("planned", *row).flag() == Some(true)
                    && set.cell(column, *row).number().is_some()
            };
            let members = treated.of(place);
            members.flat_map(|member| lookup.of(member, &test.id).rows.into_iter().filter(at)).collect()
        };
        if rows_of(None).is_empty() {
            continue;
        }
        for (place, arm) in treated.cuts() {
            let rows = rows_of(place);
            let values: Vec<f64> = rows.iter().filter_map(|row| set.cell(column, *row).number()).collect();
            if values.is_empty() {
                continue;
            }
            let rows = [sheet.row_sets.place("laboratory", rows, &[column])];
            let (of, summary) = (cell(arm, &visit.id), summarise(&values));
            let quartile = |p| quantile(&values, p, QuantileType::Type2);
            sheet.put("n", of, values.len(), Format::Integer, &rows);
            sheet.put("median", of, summary.map(|all| all.median), Format::Decimals(2), &rows);
            sheet.put("q1", of, quartile(0.25), Format::Decimals(2), &rows);
            sheet.put("q3", of, quartile(0.75), Format::Decimals(2), &rows);
            sheet.put("max", of, summary.map(|all| all.max), Format::Decimals(2), &rows);
            sheet.put("min", of, summary.map(|all| all.min), Format::Decimals(2), &rows);
        }
        levels.push(visit);
    }
    let label =
        format!("{} over time, as a multiple of the {limit} limit of normal", test_label(standing, test));
    let head = Head {
        id: name.as_str(),
        label: &label,
        method: "Median, quartiles of type 2 and range of the values at planned visits",
        set: "Took at least one dose",
        groups: &treated.groups,
        levels,
    };
    Some(standing.result(head, sheet))
}
