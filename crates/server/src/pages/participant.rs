//! A participant's page: the course of visits, forms with their state, and the steps that may come next.

use askama::Template;
use conduct::{Casebook, View, adverse_events, current_consent, decision_visits, eligibility};
use protocol::{
    Study,
    model::{DoseAction, Power, Timing},
};
use record::{Closure, DoseStep, Part};
use terms::{Date, VisitId};

use crate::{
    context::{Context, Failure, Outcome},
    course::{FormLine, Standing, VisitLine, log_forms, status, subject_path, visits},
    http::Reply,
    page::Page,
    pages::trends,
    seat::Seat,
};

/// An eligibility decision to take, or taken.
pub struct Decision {
    visit: String,
    /// What people call the visit.
    name: String,
    taken: Option<(bool, String)>,
    rules: Vec<(String, String, &'static str)>,
    all_met: bool,
    may: bool,
}

/// A kit in the participant's hands.
pub struct Kit {
    number: String,
    visit: String,
    dispensed: String,
    returned: Option<String>,
}

/// A stretch of one dose.
pub struct Dose {
    from: String,
    to: String,
    dose: String,
}

/// The steps that the page offers.
#[derive(Default)]
struct Steps {
    consent: Option<String>,
    screen: bool,
    hold: bool,
    unscheduled: Option<String>,
    enrol: Option<&'static str>,
    /// Visits at which a kit is to be handed out: id and name.
    dispense: Vec<(String, String)>,
    returns: bool,
    dose: Vec<(&'static str, &'static str)>,
    levels: Vec<String>,
    rules: Vec<(String, String)>,
    events: Vec<(u32, String)>,
    serious: Vec<(u32, String)>,
    end_treatment: bool,
    end_participation: bool,
    withdraw: bool,
    specimens: Vec<String>,
    break_blind: bool,
    /// `frozen` or `locked`, if it is; and whether the seat closes and opens.
    closed: Option<&'static str>,
    closes: bool,
}

#[derive(Template)]
#[template(path = "participant.html")]
struct ParticipantPage {
    page: Page,
    path: String,
    subject: String,
    site: String,
    status: &'static str,
    facts: Vec<(&'static str, String)>,
    today: String,
    visits: Vec<VisitLine>,
    logs: Vec<(String, Vec<FormLine>)>,
    decisions: Vec<Decision>,
    kits: Vec<Kit>,
    doses: Vec<Dose>,
    /// The visits held, latest first: id and name.
    kit_visits: Vec<(String, String)>,
    deviations: Vec<(String, String, &'static str)>,
    steps: Steps,
    any_steps: bool,
    sign: bool,
    sheets: bool,
    course: bool,
    /// Whether it leads to the seat's trends.
    trends: bool,
    as_of: Option<String>,
}

/// The participant's course.
pub fn show(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    let page = Page::new(context, "");
    let (study, state) = (running.study(), context.sighted()?);
    let casebook = state.casebook(context.request.param("subject")).ok_or(Failure::NotFound)?;
    let today = state.day().unwrap_or_else(|| context.today(Some(&casebook.site)));
    let lines = visits(seat, casebook, today, &page.language);
    let open = state.day().is_none() && state.locked.is_none() && state.sites.contains_key(&casebook.site);
    let steps = if open { steps(seat, casebook, today, &lines, &page.language) } else { Steps::default() };
    let course = seat.follows_course();
    let mut facts = Vec::new();
    if course {
        let consent =
            casebook.consents.last().map(|consent| format!("{} ({})", consent.signed.date, consent.version));
        facts.push(("Consent", consent.unwrap_or_default()));
        facts.push(("Screening", dated(casebook.screened.map(|dated| dated.date))));
        if study.allocation.is_some() {
            facts.push(("Randomised", dated(casebook.allocated.as_ref().map(|place| place.randomised.date))));
        } else {
            facts.push(("Enrolled", dated(casebook.enrolled.map(|dated| dated.date))));
        }
        if seat.reads("dose") {
            facts.push(("First dose", dated(casebook.first_dose())));
            facts.push(("Last dose", dated(casebook.last_dose())));
        }
        facts.push(("Participation ended", dated(casebook.participation_end.map(|end| end.ended.date))));
        facts.retain(|(_, text)| !text.is_empty());
    }
    let any_steps = steps.any();
    let named = |visit: &VisitId| (visit.to_string(), study.visit_name(visit, &page.language).to_owned());
    let view = ParticipantPage {
        path: subject_path(study, casebook),
        subject: casebook.subject.to_string(),
        site: study.site(casebook.site.as_str()).map_or_else(String::new, |site| site.label.clone()),
        status: if course { status(study, casebook) } else { "" },
        facts,
        today: today.to_string(),
        logs: log_forms(seat, casebook, today, &page.language),
        decisions: if course && seat.reads("eligibility") {
            decisions(seat, casebook, &page.language)
        } else {
            Vec::new()
        },
        kits: if seat.reads("kits") || seat.may(Power::Dispense) {
            kits(study, casebook, &page.language)
        } else {
            Vec::new()
        },
        doses: if seat.reads("dose") { doses(casebook) } else { Vec::new() },
        kit_visits: casebook.visits_by_date().iter().rev().map(|(visit, _)| named(visit)).collect(),
        deviations: if seat.reads("audit") { deviations(casebook) } else { Vec::new() },
        any_steps,
        steps,
        sign: open && seat.may(Power::Sign),
        sheets: state.day().is_none()
            && [Power::VerifySource, Power::ReviewData, Power::ReviewMedically, Power::Lock]
                .iter()
                .any(|power| seat.may(*power)),
        visits: lines,
        course,
        trends: trends::has_any(seat),
        as_of: state.day().map(|day| day.to_string()),
        page: Page { title: casebook.subject.to_string(), ..page },
    };
    drop(state);
    Ok(Reply::page(view.render()?))
}

fn dated(date: Option<Date>) -> String {
    date.map_or_else(String::new, |date| date.to_string())
}

fn decisions(seat: &Seat<'_>, casebook: &Casebook, language: &str) -> Vec<Decision> {
    let study = seat.study;
    let entered = casebook.enrolled.is_some() || casebook.participation_end.is_some();
    decision_visits(study)
        .into_iter()
        .filter(|visit| casebook.visits.contains_key(*visit))
        .map(|visit| {
            let verdict = eligibility(&View::at_visit(study, casebook, visit), visit);
            let rules = study
                .eligibility
                .iter()
                .filter(|rule| rule.at.contains(visit))
                .map(|rule| {
                    let standing = if verdict.unmet.contains(&rule.id) {
                        "not met"
                    } else if verdict.unknown.contains(&rule.id) {
                        "open"
                    } else {
                        "met"
                    };
                    (rule.id.to_string(), rule.label.get(language).to_owned(), standing)
                })
                .collect();
            let taken = casebook
                .eligibility
                .get(visit)
                .map(|decision| (decision.eligible, decision.decided.date.to_string()));
            Decision {
                visit: visit.to_string(),
                name: study.visit_name(visit, language).to_owned(),
                taken,
                rules,
                all_met: verdict.is_met(),
                may: seat.may(Power::DecideEligibility) && !entered,
            }
        })
        .collect()
}

fn kits(study: &Study, casebook: &Casebook, language: &str) -> Vec<Kit> {
    casebook
        .kits
        .iter()
        .map(|(number, kit)| Kit {
            number: number.to_string(),
            visit: study.visit_name(&kit.visit, language).to_owned(),
            dispensed: format!("{}, {}", kit.dispensed.date, kit.dispensed_tablets),
            returned: kit.returned.map(|(tablets, dated)| format!("{}, {tablets}", dated.date)),
        })
        .collect()
}

fn doses(casebook: &Casebook) -> Vec<Dose> {
    casebook
        .dose_intervals()
        .into_iter()
        .map(|stretch| Dose {
            from: stretch.from.to_string(),
            to: dated(stretch.to),
            dose: stretch.dose_mg.map_or_else(String::new, |dose| format!("{} mg", dose.normalize())),
        })
        .collect()
}

fn deviations(casebook: &Casebook) -> Vec<(String, String, &'static str)> {
    casebook
        .deviations
        .iter()
        .map(|deviation| {
            let class = match deviation.class {
                Some((record::DeviationClass::Major, _)) => "major",
                Some((record::DeviationClass::Minor, _)) => "minor",
                None => "not classified",
            };
            (deviation.recorded.date.to_string(), deviation.text.clone().unwrap_or_default(), class)
        })
        .collect()
}

impl Steps {
    fn any(&self) -> bool {
        self.consent.is_some()
            || self.screen
            || self.unscheduled.is_some()
            || self.enrol.is_some()
            || !self.dispense.is_empty()
            || !self.dose.is_empty()
            || !self.serious.is_empty()
            || self.end_treatment
            || self.end_participation
            || self.withdraw
            || !self.specimens.is_empty()
            || self.break_blind
            || self.closes
    }
}

/// What the seat may do next. It is an offer: whether it is possible is decided when it is asked for.
fn steps(seat: &Seat<'_>, casebook: &Casebook, today: Date, lines: &[VisitLine], language: &str) -> Steps {
    let study = seat.study;
    let mut steps = Steps::default();
    let over = casebook.participation_end.is_some();
    let withdrawn = casebook.withdrawn.is_some();
    let current = current_consent(study, today);
    let has_current =
        current.is_none_or(|current| casebook.consents.iter().any(|consent| consent.version == current));
    if !over && !withdrawn && !has_current && seat.may(Power::TakeConsent) {
        steps.consent = current.map(str::to_owned);
    }
    steps.withdraw = !withdrawn && !over && seat.may(Power::TakeConsent);
    steps.screen = !over && casebook.screened.is_none() && seat.may(Power::RunVisits);
    steps.hold = !over && casebook.screened.is_some() && seat.may(Power::RunVisits);
    if steps.hold
        && let Some(visit) = study.visits.iter().find(|visit| visit.timing == Timing::Unscheduled)
    {
        let stem = visit.id.as_str().trim_end_matches(char::is_numeric);
        let taken =
            (1..).find(|number| !casebook.visits.contains_key(&VisitId::from(format!("{stem}{number}"))));
        steps.unscheduled = taken.map(|number| format!("{stem}{number}"));
    }
    let decided =
        |visit: &&VisitId| casebook.eligibility.get(*visit).is_some_and(|decision| decision.eligible);
    let all_decided = decision_visits(study).iter().all(decided);
    if !over && all_decided && seat.may(Power::Enrol) {
        if study.allocation.is_some() && casebook.allocated.is_none() {
            steps.enrol = Some("randomise");
        } else if study.allocation.is_none() && casebook.enrolled.is_none() {
            steps.enrol = Some("enrol");
        }
    }
    let entered =
        if study.allocation.is_some() { casebook.allocated.is_some() } else { casebook.enrolled.is_some() };
    if let Some(plan) = &study.allocation
        && entered
        && casebook.treatment_end.is_none()
        && seat.may(Power::Dispense)
    {
        let given = |visit: &VisitId| casebook.kits.values().any(|kit| kit.visit == *visit);
        let due =
            plan.kit_visits.iter().filter(|visit| casebook.visits.contains_key(*visit) && !given(visit));
        let named = |visit: &VisitId| (visit.to_string(), study.visit_name(visit, language).to_owned());
        steps.dispense = due.map(named).collect();
    }
    steps.returns = seat.may(Power::Dispense);
    if entered && casebook.treatment_end.is_none() && !over && seat.may(Power::ChangeDose) {
        let held = casebook.doses.last().is_some_and(|dose| dose.step == DoseStep::Held);
        steps.dose = if casebook.first_dose().is_none() {
            vec![("started", "First dose")]
        } else if held {
            vec![("resumed", "Taken up again")]
        } else {
            vec![("held", "Held"), ("reduced", "Reduced"), ("escalated", "Raised")]
        };
        steps.levels = study.dosing.levels_mg.iter().map(|level| level.normalize().to_string()).collect();
        let rules = study.dosing.rules.iter().filter(|rule| rule.action != DoseAction::Examine);
        steps.rules = rules.map(|rule| (rule.id.to_string(), rule.label.get(language).to_owned())).collect();
        steps.end_treatment = false;
    }
    if seat.reads("adverse_events") {
        for event in adverse_events(study, casebook) {
            let term = event.term.clone().unwrap_or_default();
            if event.serious == Some(true) && event.reported.is_none() && seat.may(Power::ReportEvents) {
                steps.serious.push((event.row, term.clone()));
            }
            steps.events.push((event.row, term));
        }
    }
    steps.end_treatment = casebook.first_dose().is_some()
        && casebook.treatment_end.is_none()
        && seat.may(Power::EndParticipation);
    steps.end_participation = !over && seat.may(Power::EndParticipation);
    if let Some(plan) = &study.blind_reading
        && seat.may(Power::KeepSpecimenKey)
    {
        let asked = |line: &&VisitLine| {
            line.standing == Standing::Held
                && !casebook.specimens.contains_key(&line.id)
                && conduct::scheduled_visit(study, &line.id)
                    .is_some_and(|visit| conduct::is_scheduled(study, visit, &plan.taken_on))
                && study.visit(line.id.as_str()).is_some()
        };
        steps.specimens = lines.iter().filter(asked).map(|line| line.id.to_string()).collect();
    }
    steps.closes = seat.may(Power::Lock);
    steps.closed = casebook.closed.get(&Part::Subject).map(|(closure, _)| match closure {
        Closure::Frozen => "frozen",
        Closure::Locked => "locked",
    });
    steps.break_blind = study.blinded && study.allocation.is_some() && entered && seat.may(Power::BreakBlind);
    steps
}
