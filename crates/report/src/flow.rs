//! The participants' flow after CONSORT 2025: enrolment, allocation, follow-up, analysis.
//!
//! Every count is a number of the standing analysis `flow`; nothing is added up here.

use analysis::{AnalysisResult, Level, Number};

use crate::{
    BuildError,
    context::Context,
    document::{Flow, FlowBox, FlowPhase, Inline, text},
    figures::draw_flow,
    trace::{cell_text, row_anchor},
    wording,
};

/// Builds the flow from the standing results.
pub(crate) fn flow(context: &Context<'_>) -> Result<Flow, BuildError> {
    let counts = Counts { context, result: context.result("flow")? };
    let randomised = context.study.allocation.is_some();
    let groups: Vec<Option<&Level>> = match counts.result.groups.as_slice() {
        [] => vec![None],
        groups => groups.iter().map(Some).collect(),
    };
    let per_group =
        |make: &dyn Fn(Option<&Level>) -> FlowBox| groups.iter().map(|group| make(*group)).collect();
    let mut phases = vec![FlowPhase {
        title: "Enrolment".to_owned(),
        boxes: vec![counts.lines(&[(0, "Assessed for eligibility", "screened")], None)],
        leaves: Some(counts.excluded()),
    }];
    if groups.len() > 1 || randomised {
        let name = if randomised { "Randomised" } else { "Enrolled" };
        phases.push(FlowPhase {
            title: if randomised { "Randomisation" } else { "Inclusion" }.to_owned(),
            boxes: vec![counts.lines(&[(0, name, "enrolled")], None)],
            leaves: None,
        });
    }
    phases.push(FlowPhase {
        title: if randomised { "Allocation" } else { "Treatment" }.to_owned(),
        boxes: per_group(&|group| counts.treatment(group, randomised)),
        leaves: None,
    });
    phases.push(FlowPhase {
        title: "Follow-up".to_owned(),
        boxes: per_group(&|group| counts.follow_up(group)),
        leaves: None,
    });
    phases.push(FlowPhase {
        title: "Analysis".to_owned(),
        boxes: per_group(&|group| counts.analysed(group)),
        leaves: None,
    });
    phases.retain(|phase| phase.boxes.iter().chain(&phase.leaves).any(|one| !one.lines.is_empty()));
    let caption = context.caption("Flow of participants through the trial (CONSORT 2025)");
    let svg = draw_flow(&phases, &caption);
    Ok(Flow { id: "figure-flow".to_owned(), caption, phases, svg })
}

/// When the first and the last participant entered, and when the last one was followed to the end.
///
/// Each date leads to the participant's row. None where nobody entered.
pub(crate) fn dates(context: &Context<'_>) -> Option<Vec<Inline>> {
    let set = &context.data.subjects;
    let on = |column: &str| {
        let entered = (0..set.rows()).filter(|row| set.cell("enrolled", *row).flag() == Some(true));
        let mut days: Vec<(String, usize)> = entered
            .map(|row| (cell_text(set, column, row), row))
            .filter(|(date, _)| !date.is_empty())
            .collect();
        days.sort();
        days
    };
    let (entered, ended) = (on("enrolment_date"), on("end_date"));
    let (first, last) = entered.first().zip(entered.last())?;
    let link = |(date, row): &(String, usize)| Inline::Link {
        target: row_anchor(&set.name, *row),
        text: date.clone(),
    };
    let mut words = vec![
        Inline::Text("Participants entered from ".to_owned()),
        link(first),
        Inline::Text(" to ".to_owned()),
        link(last),
    ];
    if let Some(last) = ended.last() {
        words.extend([Inline::Text("; the last was followed until ".to_owned()), link(last)]);
    }
    words.push(Inline::Text(".".to_owned()));
    Some(words)
}

struct Counts<'a> {
    context: &'a Context<'a>,
    result: &'a AnalysisResult,
}

impl<'a> Counts<'a> {
    fn number(&self, key: &str, group: Option<&Level>, level: Option<&str>) -> Option<&'a Number> {
        self.result.number(key, group.map(|group| group.id.as_str()), level)
    }

    /// `name (n = 12)`, the bracket unbroken, for the counts that there are.
    fn line(&self, name: &str, number: Option<&Number>) -> Option<Vec<Inline>> {
        Some(vec![
            Inline::Text(format!("{name} (n\u{a0}=\u{a0}")),
            wording::number(number?),
            Inline::Text(")".to_owned()),
        ])
    }

    fn lines(&self, names: &[(u8, &str, &str)], group: Option<&Level>) -> FlowBox {
        let lines = names.iter().filter_map(|(indent, name, key)| {
            Some((*indent, self.line(name, self.number(key, group, None))?))
        });
        FlowBox { lines: lines.collect() }
    }

    /// A count by level: one line for each level that anybody has.
    fn levels(
        &self,
        key: &str,
        group: Option<&Level>,
        indent: u8,
        name: impl Fn(&str) -> String,
    ) -> Vec<(u8, Vec<Inline>)> {
        let group = group.map(|group| group.id.as_str());
        let somebody = |number: &Number| number.value.is_some_and(|count| count > 0.0);
        let own =
            |number: &&Number| number.key == key && number.group.as_deref() == group && somebody(number);
        let line =
            |number: &Number| Some((indent, self.line(&name(number.level.as_deref()?), Some(number))?));
        self.result.numbers.iter().filter(own).filter_map(line).collect()
    }

    fn excluded(&self) -> FlowBox {
        let mut one = self.lines(&[(0, "Not enrolled", "not_enrolled")], None);
        one.lines
            .extend(self.levels("not_enrolled_reason", None, 1, |reason| self.reason("end_reason", reason)));
        let rules = self.levels("not_eligible_rule", None, 2, |rule| self.rule(rule));
        if !rules.is_empty() {
            one.lines.push((1, text("Rules not met (a participant may count under several):")));
            one.lines.extend(rules);
        }
        one
    }

    fn treatment(&self, group: Option<&Level>, randomised: bool) -> FlowBox {
        let first = match group {
            Some(group) if randomised => format!("Allocated to {}", self.group(group)),
            Some(group) => self.group(group),
            None if randomised => "Allocated".to_owned(),
            None => "Enrolled".to_owned(),
        };
        self.lines(
            &[
                (0, &first, "enrolled"),
                (1, "Took at least one dose", "treated"),
                (1, "Took none", "not_treated"),
            ],
            group,
        )
    }

    fn follow_up(&self, group: Option<&Level>) -> FlowBox {
        let mut one = self.lines(
            &[
                (0, "Completed treatment", "treatment_completed"),
                (0, "Ended treatment early", "treatment_ended"),
            ],
            group,
        );
        one.lines.extend(self.levels("treatment_ended_reason", group, 1, |reason| {
            self.reason("treatment_end_reason", reason)
        }));
        one.lines.extend(
            self.lines(
                &[(0, "Completed the trial", "completed"), (0, "Left the trial early", "left")],
                group,
            )
            .lines,
        );
        one.lines.extend(self.levels("left_reason", group, 1, |reason| self.reason("end_reason", reason)));
        one
    }

    fn analysed(&self, group: Option<&Level>) -> FlowBox {
        let sets = &self.context.study.plan.sets;
        let lines = sets.iter().filter_map(|set| {
            let number = self.number("analysed", group, Some(set.id.as_str()));
            Some((0, self.line(self.context.label(&set.label), number)?))
        });
        FlowBox { lines: lines.collect() }
    }

    fn group(&self, group: &Level) -> String {
        self.context.group_label(self.result, group).to_owned()
    }

    fn rule(&self, id: &str) -> String {
        let rule = self.context.study.eligibility.iter().find(|rule| rule.id == *id);
        rule.map_or_else(|| id.to_owned(), |rule| format!("{id} {}", self.context.label(&rule.label)))
    }

    /// A reason in words, as the subject-level data set names it.
    fn reason(&self, column: &str, code: &str) -> String {
        let column = self.context.data.subjects.column(column);
        column.map_or(code, |column| column.level_label(code)).replace('_', " ")
    }
}
