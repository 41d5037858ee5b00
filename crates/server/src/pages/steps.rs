//! Steps of a participant's course, each one command.

use access::Step;
use conduct::Action;
use record::{DoseStep, EndReason};
use terms::{Date, Decimal, KitNumber, RuleId, VisitId};

use crate::{
    context::{Context, Failure, Outcome},
    course::subject_path,
    http::{Fields, Reply},
    pages::sheet::closing_action,
};

/// Takes the step that the path names.
pub fn take(context: &Context<'_>) -> Outcome {
    let (running, seat) = context.seated()?;
    let form = &context.request.form;
    let (action, happened) = action(context, form)?;
    if !seat.may_take(action.step()) || !is_offered(action.step()) {
        return Err(Failure::NotFound);
    }
    let subject = context.subject();
    let said = said(&action);
    let command = context.command(Some(&subject), None, happened.map(Into::into), action)?;
    let receipts = context.give(vec![command], None)?;
    let codes: Vec<String> = receipts
        .iter()
        .flat_map(conduct::Receipt::facts)
        .filter_map(|fact| match fact {
            record::Fact::KitDispensed { kit, .. } => Some(format!("Hand out kit {kit}.")),
            record::Fact::SpecimenTaken { specimen, .. } => {
                specimen.get().map(|code| format!("Label the specimen {code}."))
            }
            _ => None,
        })
        .collect();
    context.notice([vec![said.to_owned()], codes].concat().join(" "));
    let state = running.state();
    let casebook = state.casebook(subject.as_str()).ok_or(Failure::NotFound)?;
    Ok(Reply::see(&subject_path(running.study(), casebook)))
}

/// Steps that have their own page (saving, signing) are not taken here.
fn is_offered(step: Step) -> bool {
    !matches!(
        step,
        Step::SaveFormSection
            | Step::CorrectFormSection
            | Step::RecordFormNotDone
            | Step::AttachFile
            | Step::WithdrawFile
            | Step::SignVisit
            | Step::SignCasebook
    )
}

fn date(form: &Fields, name: &str) -> Result<Date, Failure> {
    form.get(name)
        .parse()
        .map_err(|_| Failure::Bad("Give the day as year-month-day, such as 2009-03-14.".to_owned()))
}

fn row(form: &Fields) -> Result<Option<u32>, Failure> {
    match form.get("row") {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| Failure::Bad("Choose one of the events.".to_owned())),
    }
}

fn action(context: &Context<'_>, form: &Fields) -> Result<(Action, Option<Date>), Failure> {
    let visit = VisitId::from(form.get("visit"));
    let on = || date(form, "date").map(Some);
    Ok(match context.request.param("step") {
        "consent" => {
            let subject = context.subject();
            let (running, _) = context.seated()?;
            let site = running.state().casebook(subject.as_str()).map(|casebook| casebook.site.clone());
            let site = site.ok_or(Failure::NotFound)?;
            (Action::SignConsent { site, consent_version: form.get("version").to_owned() }, on()?)
        }
        "withdraw" => (Action::WithdrawConsent { keep_data: form.get("keep") == "yes" }, on()?),
        "screen" => (Action::ScreenSubject, on()?),
        "hold" => (Action::HoldVisit { visit }, on()?),
        "miss" => (Action::MissVisit { visit }, None),
        "eligibility" => {
            let waived = form.all("waived").map(RuleId::from).collect();
            (
                Action::DecideEligibility {
                    at_visit: visit,
                    eligible: form.get("eligible") == "yes",
                    waived,
                },
                on()?,
            )
        }
        "enrol" => (Action::EnrolSubject, on()?),
        "randomise" => (Action::RandomiseSubject, on()?),
        "dispense" => (Action::DispenseKit { visit, kit: None }, on()?),
        "return" => {
            let tablets = form.get("tablets").parse();
            let tablets =
                tablets.map_err(|_| Failure::Bad("Count the tablets that came back.".to_owned()))?;
            (Action::ReturnKit { kit: KitNumber::from(form.get("kit")), visit, tablets }, None)
        }
        "dose" => {
            let step = dose_step(form.get("step"))?;
            let dose = form.get("dose").parse::<Decimal>();
            let dose = dose.map_err(|_| Failure::Bad("Choose a dose.".to_owned()))?;
            let dose_mg = if step == DoseStep::Held { Decimal::ZERO } else { dose };
            let rule = Some(form.get("rule")).filter(|rule| !rule.is_empty()).map(RuleId::from);
            let from = date(form, "from")?;
            let today = context.today(None);
            (
                Action::ChangeDose { step, from, dose_mg, rule, adverse_event: row(form)? },
                Some(from.min(today)),
            )
        }
        "serious" => {
            let row = row(form)?.ok_or_else(|| Failure::Bad("Choose one of the events.".to_owned()))?;
            (Action::ReportSeriousEvent { row, aware: date(form, "aware")? }, None)
        }
        "end-treatment" => {
            let (reason, last_dose) = (end_reason(form.get("end-reason"))?, date(form, "last-dose")?);
            let rule = Some(form.get("rule")).filter(|rule| !rule.is_empty()).map(RuleId::from);
            (Action::EndTreatment { reason, last_dose, adverse_event: row(form)?, rule }, None)
        }
        "end-participation" => {
            (Action::EndParticipation { reason: end_reason(form.get("end-reason"))? }, on()?)
        }
        "specimen" => (Action::TakeSpecimen { visit }, on()?),
        "close" => {
            let action = closing_action(record::Part::Subject, form.get("close"));
            (action.ok_or_else(|| Failure::Bad("Choose what to close or to open.".to_owned()))?, None)
        }
        "break-blind" => (Action::BreakBlind { shown_to: context.account()?.person.clone() }, None),
        _ => return Err(Failure::NotFound),
    })
}

fn dose_step(text: &str) -> Result<DoseStep, Failure> {
    Ok(match text {
        "started" => DoseStep::Started,
        "held" => DoseStep::Held,
        "reduced" => DoseStep::Reduced,
        "resumed" => DoseStep::Resumed,
        "escalated" => DoseStep::Escalated,
        _ => return Err(Failure::Bad("Choose what happened to the dose.".to_owned())),
    })
}

fn end_reason(text: &str) -> Result<EndReason, Failure> {
    Ok(match text {
        "completed" => EndReason::Completed,
        "adverse_event" => EndReason::AdverseEvent,
        "progression" => EndReason::Progression,
        "withdrew_consent" => EndReason::WithdrewConsent,
        "death" => EndReason::Death,
        "lost_to_follow_up" => EndReason::LostToFollowUp,
        "stopping_rule" => EndReason::StoppingRule,
        "not_eligible" => EndReason::NotEligible,
        "other" => EndReason::Other,
        _ => return Err(Failure::Bad("Choose a reason.".to_owned())),
    })
}

fn said(action: &Action) -> &'static str {
    match action {
        Action::SignConsent { .. } => "The consent is recorded.",
        Action::WithdrawConsent { .. } => "The withdrawal is recorded.",
        Action::ScreenSubject => "Screening has begun.",
        Action::HoldVisit { .. } => "The visit is recorded as held. Its forms are open below.",
        Action::MissVisit { .. } => "The visit is recorded as missed.",
        Action::DecideEligibility { .. } => "The decision is signed.",
        Action::EnrolSubject => "The participant has entered the trial.",
        Action::RandomiseSubject => "The participant is randomised.",
        Action::DispenseKit { .. } => "The kit is recorded as handed out.",
        Action::ReturnKit { .. } => "The kit is counted back.",
        Action::ChangeDose { .. } => "The dose is recorded.",
        Action::ReportSeriousEvent { .. } => "The serious event is reported.",
        Action::EndTreatment { .. } => "The end of treatment is recorded.",
        Action::EndParticipation { .. } => "The end of participation is recorded.",
        Action::TakeSpecimen { .. } => "The specimen has its code.",
        Action::BreakBlind { .. } => "The break is recorded.",
        Action::CloseData { .. } => "The participant's data are closed.",
        Action::ReopenData { .. } => "The participant's data are open again.",
        _ => "Done.",
    }
}
