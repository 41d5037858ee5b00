//! The eligibility decision: rules evaluated at their visits, unmet and unknown ones listed, signed.

use protocol::model::{EligibilityRule, Study};
use record::{Draft, Fact};
use terms::*;

use crate::{
    Refusal,
    decide::{Case, need},
    digest::Digest,
    view::View,
};

/// How the rules of a visit stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Rules not met.
    pub unmet: Vec<RuleId>,
    /// Rules that a missing value leaves open.
    pub unknown: Vec<RuleId>,
}

impl Verdict {
    /// Says whether every rule is met.
    pub fn is_met(&self) -> bool {
        self.unmet.is_empty() && self.unknown.is_empty()
    }
}

/// Returns the visits at which eligibility is decided, in the order of the schedule.
pub fn decision_visits(study: &Study) -> Vec<&VisitId> {
    let decided = |visit: &&VisitId| study.eligibility.iter().any(|rule| rule.at.contains(visit));
    study.visits.iter().map(|visit| &visit.id).filter(decided).collect()
}

/// Evaluates the rules of a visit. Of two rules that say the same, one is listed.
pub fn eligibility(view: &View<'_>, visit: &VisitId) -> Verdict {
    let mut verdict = Verdict::default();
    for rule in view.study.eligibility.iter().filter(|rule| rule.at.contains(visit)) {
        match is_met(rule, view) {
            Truth::True => {}
            Truth::False => verdict.unmet.push(rule.id.clone()),
            Truth::Unknown => verdict.unknown.push(rule.id.clone()),
        }
    }
    let twin = |id: &RuleId| {
        view.study.eligibility.iter().find(|rule| rule.id == *id).and_then(|rule| rule.same_as.clone())
    };
    let all: Vec<RuleId> = verdict.unmet.iter().chain(&verdict.unknown).cloned().collect();
    let alone = |id: &RuleId| twin(id).is_none_or(|twin| !all.contains(&twin));
    verdict.unmet.retain(alone);
    verdict.unknown.retain(alone);
    verdict
}

/// A rule is met by those to whom it does not apply.
fn is_met(rule: &EligibilityRule, view: &View<'_>) -> Truth {
    let applies = rule.applies_to.as_ref().map_or(Truth::True, |who| who.truth(view));
    let answer = rule.rule.truth(view);
    let answer = if rule.inclusion { answer } else { answer.negate() };
    applies.negate().or(answer)
}

pub(crate) fn decide_eligibility(
    mut case: Case<'_>,
    visit: &VisitId,
    eligible: bool,
    waived: &[RuleId],
) -> Result<Vec<Draft>, Refusal> {
    let day = case.day()?;
    case.need_participation()?;
    case.need_screened()?;
    need(decision_visits(case.study).contains(&visit), || Refusal::NoRulesAtVisit { visit: visit.clone() })?;
    case.need_held(visit)?;
    case.need_current_consent(day)?;
    need(case.casebook.enrolled.is_none(), || Refusal::DecidedAfterEntry { subject: case.subject() })?;
    let verdict = eligibility(&View::at_visit(case.study, case.casebook, visit), visit);
    if eligible {
        need_met_or_waived(&case, &verdict, visit, waived)?;
    }
    let content_digest = Digest::of("eligibility").visit(case.casebook, visit).rules(&verdict).hex();
    let Verdict { unmet, unknown } = verdict;
    case.say(Fact::EligibilityDecided { at_visit: visit.clone(), eligible, unmet, unknown, content_digest });
    Ok(case.drafts)
}

fn need_met_or_waived(
    case: &Case<'_>,
    verdict: &Verdict,
    visit: &VisitId,
    waived: &[RuleId],
) -> Result<(), Refusal> {
    let open = |rules: &[RuleId]| -> Vec<RuleId> {
        rules.iter().filter(|rule| !waived.contains(rule)).cloned().collect()
    };
    let (unmet, unknown) = (open(&verdict.unmet), open(&verdict.unknown));
    need(unmet.is_empty() && unknown.is_empty(), || Refusal::NotEligible {
        subject: case.subject(),
        unmet,
        unknown,
    })?;
    for rule in waived {
        let due = verdict.unmet.contains(rule) || verdict.unknown.contains(rule);
        need(due, || Refusal::NothingToWaive { rule: rule.clone(), visit: visit.clone() })?;
    }
    if waived.is_empty() { Ok(()) } else { case.need_reason("a waived rule") }
}
