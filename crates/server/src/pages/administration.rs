//! Administration: people, invitations, roles at sites, studies. It shows no data of participants.

use std::collections::BTreeSet;

use askama::Template;
use conduct::{Action, Command};
use jiff::SignedDuration;
use protocol::model::Power;
use record::Actor;
use store::{
    accounts::{Account, UNBOUND},
    outbox::OutboxStanding,
};
use terms::{PersonId, RoleId, SiteId};

use crate::{
    backups,
    context::{Context, Failure, Outcome},
    credentials::{digest, draw_token},
    http::{Reply, segment},
    page::Page,
    pages::{
        account::moment,
        arrive::{new_account, sound_name},
        identities,
    },
    post::Post,
    running::RunningStudy,
    smtp::is_address,
};

/// An invitation holds for so long.
const INVITATION: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Lines of the log on a page.
const LOG_LINES: u32 = 200;

struct StudyLine {
    id: String,
    path: String,
    go_live: String,
    title: String,
    version: String,
    opened: Option<String>,
    sites: Vec<(String, String, Option<String>)>,
    roles: Vec<(String, String)>,
    grants: Vec<Delegated>,
    may_administer: bool,
    live: bool,
    today: String,
}

struct Delegated {
    person_id: String,
    role_id: String,
    site_id: String,
    until: String,
    trained: String,
    person: String,
    role: String,
    place: String,
    from: String,
}

#[derive(Template)]
#[template(path = "administration.html")]
struct AdministrationPage {
    page: Page,
    people: Vec<Account>,
    studies: Vec<StudyLine>,
    backups: BackupLines,
    outbox: Option<OutboxStanding>,
}

/// How backups stand: when, and what.
struct BackupLines {
    good: Option<(String, String)>,
    failure: Option<(String, String)>,
    late: bool,
    scheduled: bool,
}

#[derive(Template)]
#[template(path = "person.html")]
struct PersonPage {
    page: Page,
    person: Account,
    path: String,
    own: bool,
    passkeys: Vec<String>,
    bound: bool,
    delegated: Vec<(String, Delegated)>,
    /// Who could be asked to confirm the identity: id and name.
    colleagues: Vec<(String, String)>,
    /// Who was asked last, and when.
    asked: Option<(String, String)>,
    log: Vec<(String, String, String, String)>,
}

#[derive(Template)]
#[template(path = "invited.html")]
struct InvitedPage {
    page: Page,
    name: String,
    link: String,
}

#[derive(Template)]
#[template(path = "account_log.html")]
struct LogPage {
    page: Page,
    verdict: String,
    sound: bool,
    lines: Vec<(u64, String, String, String, String, String)>,
}

/// People, studies, sites.
pub fn show(context: &Context<'_>) -> Outcome {
    let account = context.account()?;
    let people = context.house.accounts().all()?;
    let name = |person: &PersonId| {
        people
            .iter()
            .find(|account| account.person == *person)
            .map_or_else(|| person.to_string(), |account| account.printed_name.clone())
    };
    let page = Page::new(context, "Administration");
    let studies = context
        .house
        .studies
        .values()
        .map(|running| study_line(context, running, account, &page.language, &name))
        .collect();
    let outbox = context.house.post.as_ref().map(Post::standing).transpose()?;
    let standing = backups::standing(context.house)?;
    let line = |line: store::accounts::LogLine| (moment(context, line.at), line.detail);
    let backups = BackupLines {
        good: standing.good.map(line),
        failure: standing.failure.map(line),
        late: standing.late,
        scheduled: standing.scheduled,
    };
    Ok(Reply::page(AdministrationPage { page, studies, people, backups, outbox }.render()?))
}

/// Backs up now, restores the backup to see that it is good, and says so.
pub fn back_up(context: &Context<'_>) -> Outcome {
    let timetable = context.house.timetable.as_ref().ok_or_else(|| {
        Failure::Bad("This server has no folder for backups. Start it with --backup-to.".to_owned())
    })?;
    match backups::back_up(context.house, timetable) {
        Ok(_) => context.notice("Backed up. The backup was restored and recomputed."),
        Err(error) => return Err(Failure::Broken(error.to_string())),
    }
    Ok(Reply::see("/administration"))
}

fn study_line(
    context: &Context<'_>,
    running: &RunningStudy,
    account: &Account,
    language: &str,
    name: &dyn Fn(&PersonId) -> String,
) -> StudyLine {
    let may_administer = administering_role(running, &account.person).is_some();
    let (study, state) = (running.study(), running.state());
    StudyLine {
        id: study.id.to_string(),
        path: format!("/administration/studies/{}", segment(study.id.as_str())),
        go_live: format!("/studies/{}/go-live", segment(study.id.as_str())),
        title: study.title.get(language).to_owned(),
        version: study.version.chars().take(16).collect(),
        opened: state.opened.as_ref().map(|opened| opened.opened.date.to_string()),
        sites: study
            .sites
            .iter()
            .map(|site| {
                let since = state.sites.get(&site.id).map(|dated| dated.date.to_string());
                (site.id.to_string(), site.label.clone(), since)
            })
            .collect(),
        roles: study
            .roles
            .iter()
            .filter(|role| role.id != *"participant")
            .map(|role| (role.id.to_string(), role.label.get(language).to_owned()))
            .collect(),
        grants: state
            .delegations
            .grants()
            .iter()
            .map(|grant| {
                let trained = state.delegations.trained_on(&grant.person, &grant.role);
                delegated(running, grant, trained, language, name)
            })
            .collect(),
        may_administer,
        live: context.house.environment == record::Environment::Live,
        today: context.today(None).to_string(),
    }
}

fn delegated(
    running: &RunningStudy,
    grant: &access::Grant,
    trained: Option<terms::Date>,
    language: &str,
    name: &dyn Fn(&PersonId) -> String,
) -> Delegated {
    let study = running.study();
    let role = study.role(grant.role.as_str()).map_or("", |role| role.label.get(language));
    let site = grant.site.as_ref().and_then(|site| study.site(site.as_str()));
    Delegated {
        person: name(&grant.person),
        role: role.to_owned(),
        place: site.map_or_else(String::new, |site| site.label.clone()),
        from: grant.from.to_string(),
        until: grant.until.map_or_else(String::new, |until| until.to_string()),
        trained: trained.map_or_else(String::new, |trained| trained.to_string()),
        person_id: grant.person.to_string(),
        role_id: grant.role.to_string(),
        site_id: grant.site.as_ref().map_or_else(String::new, ToString::to_string),
    }
}

/// Returns the role in which a person administers a study.
fn administering_role(running: &RunningStudy, person: &PersonId) -> Option<RoleId> {
    let study = running.study();
    let state = running.state();
    let mut held = state.delegations.roles_of(person);
    held.find(|role| study.role(role.as_str()).is_some_and(|role| role.may.contains(&Power::Administer)))
        .cloned()
}

/// Adds a person and makes the invitation.
pub fn invite(context: &Context<'_>) -> Outcome {
    let form = &context.request.form;
    let (login, printed_name) = (form.get("login"), form.get("printed-name"));
    sound_name(login, printed_name).map_err(Failure::Bad)?;
    let account = new_account(login, printed_name, form.get("email"), context.account()?.language.as_str());
    let origin = context.address();
    let note = context.note(account.person.as_str(), "account added", login, &origin);
    context.house.accounts().add(&account, &note)?;
    invitation(context, &account)
}

/// Makes an invitation and shows its link, once.
fn invitation(context: &Context<'_>, account: &Account) -> Outcome {
    let token = draw_token();
    let origin = context.address();
    let note = context.note(account.person.as_str(), "invited", "", &origin);
    context.house.accounts().invite(&account.person, &digest(&token), context.now + INVITATION, &note)?;
    let path = format!("/invitation/{token}");
    if let (Some(post), false) = (&context.house.post, account.email.is_empty()) {
        post.invite(&account.person, &account.email, &path, context.now)?;
    }
    let scheme = if context.house.secure { "https" } else { "http" };
    let host = context.request.host.clone().unwrap_or_default();
    let page = InvitedPage {
        page: Page::new(context, "Invitation"),
        name: account.printed_name.clone(),
        link: format!("{scheme}://{host}{path}"),
    };
    Ok(Reply::page(page.render()?))
}

/// A person's account.
pub fn person(context: &Context<'_>) -> Outcome {
    let id = PersonId::from(context.request.param("person"));
    let person = context.house.accounts().of(&id)?.ok_or(Failure::NotFound)?;
    let page = Page::new(context, "Account");
    let mut all = Vec::new();
    for running in context.house.studies.values() {
        let state = running.state();
        for grant in state.delegations.grants().iter().filter(|grant| grant.person == id) {
            let title = running.study().title.get(&page.language).to_owned();
            let trained = state.delegations.trained_on(&grant.person, &grant.role);
            all.push((title, delegated(running, grant, trained, &page.language, &|_| String::new())));
        }
    }
    let unverified = person.identity_verified_by.is_none();
    let mut colleagues = if unverified { identities::colleagues(context, &id)? } else { Vec::new() };
    colleagues.retain(|one| Some(&one.person) != context.account.as_ref().map(|account| &account.person));
    let accounts = context.house.accounts();
    let log = accounts.log(Some(id.as_str()), 50)?;
    let passkeys = accounts.passkeys_of(&id)?.into_iter().map(|passkey| passkey.name).collect();
    drop(accounts);
    let asked =
        log.iter().find(|line| unverified && line.what == identities::ASKED && line.about == id.as_str());
    let asked = match asked {
        Some(line) => {
            let colleague = context.house.accounts().of(&PersonId::from(line.detail.as_str()))?;
            let name = colleague.map_or_else(|| line.detail.clone(), |one| one.printed_name);
            Some((name, moment(context, line.at)))
        }
        None => None,
    };
    let page = PersonPage {
        passkeys,
        colleagues: colleagues
            .into_iter()
            .map(|one| (one.person.to_string(), format!("{} ({})", one.printed_name, one.login)))
            .collect(),
        asked,
        bound: bound(context, &id)?,
        path: format!("/administration/people/{}", segment(id.as_str())),
        own: context.account()?.person == id,
        delegated: all,
        log: log
            .into_iter()
            .map(|line| {
                (moment(context, line.at), line.by, format!("{} {}", line.what, line.detail), line.origin)
            })
            .collect(),
        page,
        person,
    };
    Ok(Reply::page(page.render()?))
}

/// Says whether a person logs in by single sign-on.
#[cfg(feature = "single-sign-on")]
fn bound(context: &Context<'_>, person: &PersonId) -> Result<bool, Failure> {
    let Some(provider) = &context.house.single_sign_on else { return Ok(false) };
    Ok(context.house.accounts().identity_of(provider.issuer(), person)?.is_some())
}

#[cfg(not(feature = "single-sign-on"))]
fn bound(_: &Context<'_>, _: &PersonId) -> Result<bool, Failure> {
    Ok(false)
}

/// Ends, restores or resets an account, or records that the person's identity was verified.
pub fn change_person(context: &Context<'_>) -> Outcome {
    let house = context.house;
    let id = PersonId::from(context.request.param("person"));
    let person = house.accounts().of(&id)?.ok_or(Failure::NotFound)?;
    let own = context.account()?.person == id;
    let origin = context.address();
    let reason = context.request.form.get("reason");
    let note = |what| context.note(id.as_str(), what, reason, &origin);
    match context.request.form.get("do") {
        "end" if own => {
            return Err(Failure::Bad("Another administrator has to end your account.".to_owned()));
        }
        "end" => {
            house.accounts().set_active(&id, false, &note("account ended"))?;
            house.sessions.end_all_of(&id, None);
        }
        "restore" => house.accounts().set_active(&id, true, &note("account restored"))?,
        "log-out" => {
            house.accounts().note(&note("logged out everywhere"))?;
            house.sessions.end_all_of(&id, None);
        }
        "no-second-factor" => {
            house.accounts().set_second_factor(&id, None, &[], &note("second factor taken away"))?;
            house.sessions.end_all_of(&id, None);
        }
        "no-passkeys" => {
            house.accounts().remove_passkeys(&id, None, &note("passkeys taken away"))?;
            house.sessions.end_all_of(&id, None);
        }
        "no-single-sign-on" => {
            house.accounts().unbind(&id, &note(UNBOUND))?;
            house.sessions.end_all_of(&id, None);
        }
        "verified" if own => {
            return Err(Failure::Bad("Another administrator has to verify your identity.".to_owned()));
        }
        "verified" => {
            let by = &context.account()?.person;
            // Whoever made the way in could have come by it: the use of another's signature needs two people.
            let makers = house.accounts().makers_of_ways_in(&id)?;
            if makers.contains(by) {
                return Err(Failure::Refused(
                    "You made this person's link or gave the address. Another administrator has to verify the identity."
                        .to_owned(),
                ));
            }
            house.accounts().verify_identity(&id, by, &note("identity verified"))?;
        }
        "ask" if own => return Err(Failure::Bad("Another administrator has to do that.".to_owned())),
        "ask" => identities::ask(context, &person, context.request.form.get("colleague"))?,
        "administrator" if own => {
            return Err(Failure::Bad("Another administrator has to do that.".to_owned()));
        }
        "administrator" => {
            let (to, what) = match person.administrator {
                true => (false, "no longer administrator"),
                false => (true, "made administrator"),
            };
            house.accounts().set_administrator(&id, to, &note(what))?;
            house.sessions.end_all_of(&id, None);
        }
        "email" => {
            let email = context.request.form.get("email");
            if !email.is_empty() && !is_address(email) {
                return Err(Failure::Bad("Type an address such as anna@example.org, or nothing.".to_owned()));
            }
            house.accounts().set_email(&id, email, &note("address changed"))?;
        }
        "invite" => {
            house.sessions.end_all_of(&id, None);
            return invitation(context, &person);
        }
        _ => return Err(Failure::Bad("Choose what to do.".to_owned())),
    }
    context.notice("Done.");
    Ok(Reply::see(&format!("/administration/people/{}", segment(id.as_str()))))
}

/// The account log.
pub fn log(context: &Context<'_>) -> Outcome {
    let of = context.request.query.get("of");
    let accounts = context.house.accounts();
    let lines = accounts.log((!of.is_empty()).then_some(of), LOG_LINES)?;
    let verified = accounts.verify_log();
    drop(accounts);
    let page = LogPage {
        page: Page::new(context, "Account log"),
        sound: verified.is_ok(),
        verdict: match verified {
            Ok(lines) => format!("{lines} lines; the chain of their hashes is whole."),
            Err(error) => error.to_string(),
        },
        lines: lines
            .into_iter()
            .map(|line| {
                let what = if line.detail.is_empty() {
                    line.what
                } else {
                    format!("{}: {}", line.what, line.detail)
                };
                (line.sequence, moment(context, line.at), line.by, line.about, what, line.origin)
            })
            .collect(),
    };
    Ok(Reply::page(page.render()?))
}

/// Opens a study's record; the administrator's own role is delegated with it.
pub fn open_study(context: &Context<'_>) -> Outcome {
    let running = context.running.ok_or(Failure::NotFound)?;
    let role = running.study().roles.iter().find(|role| role.may.contains(&Power::Administer));
    let role = role.ok_or_else(|| Failure::Bad("The study has no role that administers it.".to_owned()))?;
    let action = Action::OpenStudy { environment: context.house.environment, seed: None };
    give(context, running, role.id.clone(), action)
}

/// Lets a site enrol.
pub fn activate_site(context: &Context<'_>) -> Outcome {
    let running = context.running.ok_or(Failure::NotFound)?;
    let site = SiteId::from(context.request.form.get("site"));
    administer(context, running, Action::ActivateSite { site })
}

/// Delegates a role.
pub fn delegate(context: &Context<'_>) -> Outcome {
    let running = context.running.ok_or(Failure::NotFound)?;
    let form = &context.request.form;
    let person = PersonId::from(form.get("person"));
    let known = context.house.accounts().of(&person)?.is_some_and(|account| account.active);
    if !known {
        return Err(Failure::Bad("Choose a person with an account.".to_owned()));
    }
    let sites: BTreeSet<&str> = form.all("site").filter(|site| !site.is_empty()).collect();
    let role = RoleId::from(form.get("role"));
    if sites.is_empty() {
        return administer(context, running, Action::DelegateRole { person, role, site: None });
    }
    let mut last = Ok(Reply::see("/administration"));
    for site in sites {
        let (person, role) = (person.clone(), role.clone());
        let action = Action::DelegateRole { person, role, site: Some(SiteId::from(site)) };
        last = Ok(administer(context, running, action)?);
    }
    last
}

/// Ends a delegation after a day.
pub fn end_delegation(context: &Context<'_>) -> Outcome {
    let running = context.running.ok_or(Failure::NotFound)?;
    let form = &context.request.form;
    let until = form.get("until").parse();
    let until =
        until.map_err(|_| Failure::Bad("Give the day as year-month-day, such as 2009-03-14.".to_owned()))?;
    let site = Some(form.get("site")).filter(|site| !site.is_empty()).map(SiteId::from);
    let (person, role) = (PersonId::from(form.get("person")), RoleId::from(form.get("role")));
    administer(context, running, Action::EndDelegation { person, role, site, until })
}

/// Records that a person was trained for a role.
pub fn record_training(context: &Context<'_>) -> Outcome {
    let running = context.running.ok_or(Failure::NotFound)?;
    let form = &context.request.form;
    let (person, role) = (PersonId::from(form.get("person")), RoleId::from(form.get("role")));
    administer(context, running, Action::RecordTraining { person, role })
}

fn administer(context: &Context<'_>, running: &RunningStudy, action: Action) -> Outcome {
    let own = &context.account()?.person;
    let role = administering_role(running, own).ok_or_else(|| {
        Failure::Refused(
            "You do not administer this study; its administrator has to delegate that role to you."
                .to_owned(),
        )
    })?;
    give(context, running, role, action)
}

fn give(context: &Context<'_>, running: &RunningStudy, role: RoleId, action: Action) -> Outcome {
    let at = context.site_time(None);
    let reason = context.request.form.get("reason");
    let command = Command {
        by: Actor { person: context.account()?.person.clone(), role },
        happened: at.local_date.into(),
        at,
        origin: "web".to_owned(),
        reason: (!reason.is_empty()).then(|| reason.to_owned()),
        subject: None,
        expected_position: None,
        action,
    };
    running.give(vec![command], None)?;
    context.notice("Done.");
    Ok(Reply::see("/administration"))
}
