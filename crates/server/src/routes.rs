//! The one table of what can be asked of the server.
//!
//! A route is a line here or it does not exist: the handler, who may ask, what is written down of it, how
//! long browsers may keep the answer and how often it may be asked all stand in its line. The gate, the API
//! description, the authorisation tests and the accessibility scans read the same table.

use access::Step;
use protocol::model::Power;

use crate::{
    context::{Context, Outcome},
    http::Method,
    pages,
};

/// What a route needs of who asks. All of its needs must hold; what fails is answered "not found".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Nothing.
    Anyone,
    /// A session in which something is still asked for: the second factor, a new password.
    Arriving,
    /// An account, logged in.
    Account,
    /// An account that looks after accounts and sites.
    Administrator,
    /// A seat in the study that the path names, and more.
    Seat(&'static [Need]),
}

/// What a seat must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// To see participants at all.
    Participants,
    /// To see the participant that the path names.
    Subject,
    /// To see the form that the path names, perhaps without its values.
    Form,
    /// To see it with its values.
    FormValues,
    /// To enter it.
    Entry,
    /// To see the query that the path names.
    Query,
    /// To be the role that the query asks, or one that answers any.
    Asked,
    /// To read single values of a data class.
    Reads(&'static str),
    /// To see a data class pooled, masked or in full.
    Sees(&'static str),
    /// A power.
    May(Power),
    /// One of these powers.
    MayAny(&'static [Power]),
    /// A step that `access` lets the role take where it is delegated.
    Step(Step),
}

/// What is written down of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audit {
    /// Nothing: no data of a participant and no change.
    Nothing,
    /// A line in the account log, by the handler.
    AccountLog,
    /// A line in the log of readings, by the gate.
    Reading,
    /// An event in the study's record, by the command.
    Record,
}

/// How long a browser may keep the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Not at all.
    Never,
    /// For a year: its name changes with its content.
    Always,
}

/// How often it may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rate {
    /// Files of the program.
    Files,
    /// Pages and changes.
    Pages,
    /// Whatever reads a secret.
    Secrets,
}

/// Which others a request waits for. Pages in the making share the processors with each other alone: what takes a processor for
/// long has a queue of its own, and so has what mostly waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// A page.
    Pages,
    /// What grows with the number of participants.
    Long,
    /// A change.
    Changes,
    /// Whatever reads a secret, which is dear on purpose.
    Secrets,
    /// What waits for an answer from elsewhere, perhaps in vain.
    Elsewhere,
}

/// A line of the table.
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with placeholders (`/studies/{study}`).
    pub path: &'static str,
    /// What it does, for the API description.
    pub does: &'static str,
    /// Who may.
    pub right: Right,
    /// What is written down.
    pub audit: Audit,
    /// How long it keeps.
    pub keep: Keep,
    /// How often.
    pub rate: Rate,
    /// Whether it looks at all participants.
    pub long: bool,
    /// Whether it waits for an answer from elsewhere.
    pub elsewhere: bool,
    /// Who answers.
    pub answer: fn(&Context<'_>) -> Outcome,
}

const fn get(
    path: &'static str,
    right: Right,
    does: &'static str,
    answer: fn(&Context<'_>) -> Outcome,
) -> Route {
    Route {
        method: Method::Get,
        path,
        does,
        right,
        audit: Audit::Nothing,
        keep: Keep::Never,
        rate: Rate::Pages,
        long: false,
        elsewhere: false,
        answer,
    }
}

/// A page that shows data of a participant.
const fn read(
    path: &'static str,
    right: Right,
    does: &'static str,
    answer: fn(&Context<'_>) -> Outcome,
) -> Route {
    Route { audit: Audit::Reading, ..get(path, right, does, answer) }
}

/// A change in a study's record.
const fn act(
    path: &'static str,
    right: Right,
    does: &'static str,
    answer: fn(&Context<'_>) -> Outcome,
) -> Route {
    Route { method: Method::Post, audit: Audit::Record, ..get(path, right, does, answer) }
}

/// A change of an account.
const fn set(
    path: &'static str,
    right: Right,
    does: &'static str,
    answer: fn(&Context<'_>) -> Outcome,
) -> Route {
    Route { method: Method::Post, audit: Audit::AccountLog, ..get(path, right, does, answer) }
}

/// A page or change that reads a secret.
const fn secret(route: Route) -> Route {
    Route { rate: Rate::Secrets, ..route }
}

/// A request that looks at all participants.
const fn long(route: Route) -> Route {
    Route { long: true, ..route }
}

/// A request at which a provider of single sign-on is asked. The way back is a link, which any page elsewhere can have asked for: it takes nothing from
/// those who log in at the same address.
#[cfg(feature = "single-sign-on")]
const fn elsewhere(route: Route) -> Route {
    let rate = match route.method {
        Method::Get => route.rate,
        Method::Post => Rate::Secrets,
    };
    Route { rate, audit: Audit::AccountLog, elsewhere: true, ..route }
}

impl Route {
    /// Says which queue its requests stand in.
    pub fn queue(&self) -> Queue {
        if self.elsewhere {
            return Queue::Elsewhere;
        }
        match (self.rate, self.method, self.long) {
            (Rate::Secrets, Method::Post, _) => Queue::Secrets,
            (_, _, true) => Queue::Long,
            (_, Method::Post, _) => Queue::Changes,
            (_, Method::Get, _) => Queue::Pages,
        }
    }
}

const CLOSING: Right =
    Right::Seat(&[Need::MayAny(&[Power::ClassifyDeviations, Power::SignAnalysisSets, Power::Lock])]);
const SAFETY: Right = Right::Seat(&[Need::May(Power::OverseeSafety)]);
const ALLOCATION: Right = Right::Seat(&[Need::MayAny(&[
    Power::SealAllocation,
    Power::UnblindStudy,
    Power::Dispense,
    Power::ReceiveKits,
])]);
const MANAGES_QUERIES: Right = Right::Seat(&[Need::Participants, Need::May(Power::ManageQueries)]);
const BREAKS: Right = Right::Seat(&[Need::Subject, Need::May(Power::BreakBlind)]);
const SHEET: Right = Right::Seat(&[
    Need::Subject,
    Need::MayAny(&[Power::VerifySource, Power::ReviewData, Power::ReviewMedically, Power::Lock]),
]);
/// The one path to which forms bring files.
pub const FILES: &str = "/studies/{study}/participants/{subject}/forms/{form}/{visit}/{row}/files";
/// Who answers for the study's beginning.
const GOES_LIVE: Right = Right::Seat(&[Need::MayAny(&[
    Power::Administer,
    Power::Lock,
    Power::SignAnalysisSets,
    Power::ReviewMedically,
    Power::DecideEligibility,
])]);
const SUBJECT: Right = Right::Seat(&[Need::Subject]);

/// The table.
pub const ROUTES: &[Route] = &[
    // ---- arriving ----
    Route {
        keep: Keep::Always,
        rate: Rate::Files,
        ..get("/static/{file}", Right::Anyone, "A file of the pages", pages::files::show)
    },
    get("/health", Right::Anyone, "Whether the server runs and can write", pages::files::health),
    get("/", Right::Anyone, "Where to begin", pages::arrive::begin),
    get("/set-up", Right::Anyone, "The first administrator's set-up", pages::arrive::set_up_form),
    secret(set("/set-up", Right::Anyone, "Makes the first administrator", pages::arrive::set_up)),
    get("/log-in", Right::Anyone, "The log-in page", pages::arrive::log_in_form),
    secret(set("/log-in", Right::Anyone, "Logs in", pages::arrive::log_in)),
    #[cfg(feature = "passkeys")]
    secret(set("/log-in/passkey", Right::Anyone, "Logs in with a passkey", pages::passkeys::log_in)),
    #[cfg(feature = "single-sign-on")]
    elsewhere(set(
        "/log-in/single-sign-on",
        Right::Anyone,
        "Sends to the institution's log-in",
        pages::single_sign_on::begin,
    )),
    #[cfg(feature = "single-sign-on")]
    elsewhere(get(
        "/log-in/single-sign-on",
        Right::Anyone,
        "Takes back who comes from the institution's log-in",
        pages::single_sign_on::back,
    )),
    get("/log-in/code", Right::Arriving, "Asks for the second factor", pages::arrive::code_form),
    secret(set("/log-in/code", Right::Arriving, "Checks the second factor", pages::arrive::code)),
    get(
        "/log-in/new-password",
        Right::Arriving,
        "Asks for a password of one's own",
        pages::arrive::new_password_form,
    ),
    secret(set(
        "/log-in/new-password",
        Right::Arriving,
        "Sets a password of one's own",
        pages::arrive::new_password,
    )),
    get("/invitation/{token}", Right::Anyone, "An invitation", pages::arrive::invitation_form),
    secret(set("/invitation/{token}", Right::Anyone, "Takes up an invitation", pages::arrive::invitation)),
    set("/log-out", Right::Account, "Logs out", pages::arrive::log_out),
    // ---- one's own account ----
    get("/account", Right::Account, "One's own account", pages::account::show),
    secret(set("/account/password", Right::Account, "Changes the password", pages::account::password)),
    secret(set(
        "/account/second-factor",
        Right::Account,
        "Begins or ends the second factor",
        pages::account::second_factor,
    )),
    #[cfg(feature = "passkeys")]
    secret(set(
        "/account/passkeys",
        Right::Account,
        "Adds or removes a passkey, or asks for one",
        pages::passkeys::change,
    )),
    #[cfg(feature = "single-sign-on")]
    elsewhere(set(
        "/account/confirm",
        Right::Account,
        "Sends to the institution's log-in before a change or a signature",
        pages::single_sign_on::confirm,
    )),
    set("/account/language", Right::Account, "Changes the language", pages::account::language),
    secret(set(
        "/account/signature",
        Right::Account,
        "Accepts the electronic signature as binding",
        pages::account::signature,
    )),
    get(
        "/account/identities",
        Right::Account,
        "Colleagues whose identity one is asked to confirm",
        pages::identities::show,
    ),
    secret(set(
        "/account/identities",
        Right::Account,
        "Confirms a colleague's identity",
        pages::identities::confirm,
    )),
    get("/terminal/{token}", Right::Anyone, "The link of a terminal", pages::terminals::link),
    secret(set("/terminal/{token}", Right::Anyone, "Registers a terminal", pages::terminals::register)),
    // ---- administration ----
    get("/administration", Right::Administrator, "People, studies, sites", pages::administration::show),
    set(
        "/administration/people",
        Right::Administrator,
        "Adds a person and makes the invitation",
        pages::administration::invite,
    ),
    get(
        "/administration/people/{person}",
        Right::Administrator,
        "A person's account",
        pages::administration::person,
    ),
    set(
        "/administration/people/{person}",
        Right::Administrator,
        "Ends, restores or resets an account",
        pages::administration::change_person,
    ),
    get("/administration/log", Right::Administrator, "The account log", pages::administration::log),
    set(
        "/administration/backup",
        Right::Administrator,
        "Backs up now and restores the backup to check it",
        pages::administration::back_up,
    ),
    get(
        "/administration/terminals",
        Right::Administrator,
        "Registered terminals, and which studies ask for them",
        pages::terminals::show,
    ),
    set(
        "/administration/terminals",
        Right::Administrator,
        "Adds or withdraws a terminal, or changes whether they are asked for",
        pages::terminals::change,
    ),
    act(
        "/administration/studies/{study}/open",
        Right::Administrator,
        "Opens a study's record",
        pages::administration::open_study,
    ),
    act(
        "/administration/studies/{study}/sites",
        Right::Administrator,
        "Lets a site enrol",
        pages::administration::activate_site,
    ),
    act(
        "/administration/studies/{study}/delegations",
        Right::Administrator,
        "Delegates a role",
        pages::administration::delegate,
    ),
    act(
        "/administration/studies/{study}/delegations/end",
        Right::Administrator,
        "Ends a delegation after a day",
        pages::administration::end_delegation,
    ),
    act(
        "/administration/studies/{study}/training",
        Right::Administrator,
        "Records that a person was trained for a role",
        pages::administration::record_training,
    ),
    // ---- a study ----
    get("/studies", Right::Account, "The studies in which one has a role", pages::home::studies),
    get("/studies/{study}", Right::Seat(&[]), "What is due, overdue, in query, to sign", pages::home::show),
    set(
        "/studies/{study}/role",
        Right::Seat(&[]),
        "Changes the role that one acts in",
        pages::home::change_role,
    ),
    get("/studies/{study}/schedule", Right::Seat(&[]), "The schedule of activities", pages::schedule::show),
    long(get(
        "/studies/{study}/dashboard",
        Right::Seat(&[Need::Participants]),
        "Enrolment, completeness, queries, safety in counts",
        pages::dashboard::show,
    )),
    get(
        "/studies/{study}/forms",
        Right::Seat(&[]),
        "The study's forms on paper, blank or annotated",
        pages::blank_forms::show,
    ),
    // ---- going live ----
    get(
        "/studies/{study}/go-live",
        GOES_LIVE,
        "What is missing before the study and its sites go live",
        pages::go_live::show,
    ),
    secret(act(
        "/studies/{study}/go-live/{step}",
        GOES_LIVE,
        "Records tests and approvals, loads wordings, lets a site begin",
        pages::go_live::take,
    )),
    // ---- participants ----
    long(get(
        "/studies/{study}/participants",
        Right::Seat(&[Need::Participants]),
        "The list of participants",
        pages::participants::list,
    )),
    long(get(
        "/studies/{study}/participants.csv",
        Right::Seat(&[Need::Participants]),
        "The list of participants as a file",
        pages::participants::export,
    )),
    get(
        "/studies/{study}/consent",
        Right::Seat(&[Need::May(Power::TakeConsent)]),
        "Asks for a new participant's consent",
        pages::consent::form,
    ),
    act(
        "/studies/{study}/consent",
        Right::Seat(&[Need::May(Power::TakeConsent)]),
        "Records a new participant's consent",
        pages::consent::sign,
    ),
    read(
        "/studies/{study}/participants/{subject}",
        SUBJECT,
        "A participant's course",
        pages::participant::show,
    ),
    read(
        "/studies/{study}/participants/{subject}/calendar.ics",
        SUBJECT,
        "The visits to come, for a calendar program",
        pages::calendar::download,
    ),
    read(
        "/studies/{study}/participants/{subject}/trends",
        SUBJECT,
        "The course of a participant's measures, a form at a time",
        pages::trends::show,
    ),
    act(
        "/studies/{study}/participants/{subject}/steps/{step}",
        SUBJECT,
        "A step of the participant's course",
        pages::steps::take,
    ),
    read(
        "/studies/{study}/participants/{subject}/break-blind",
        BREAKS,
        "Asks for what an emergency unblinding needs",
        pages::break_blind::show,
    ),
    secret(act(
        "/studies/{study}/participants/{subject}/break-blind",
        BREAKS,
        "Opens the participant's envelope in an emergency",
        pages::break_blind::open,
    )),
    // ---- forms ----
    read(
        "/studies/{study}/participants/{subject}/forms/{form}/{visit}/{row}",
        Right::Seat(&[Need::Subject, Need::Form]),
        "A form",
        pages::form::show,
    ),
    act(
        "/studies/{study}/participants/{subject}/forms/{form}/{visit}/{row}",
        Right::Seat(&[Need::Subject, Need::Entry]),
        "Saves a form",
        pages::form::save,
    ),
    read(
        "/studies/{study}/participants/{subject}/forms/{form}/{visit}/{row}/history",
        Right::Seat(&[Need::Subject, Need::FormValues]),
        "Everything that a form ever held",
        pages::form::history,
    ),
    act(
        "/studies/{study}/participants/{subject}/forms/{form}/{visit}/{row}/not-done",
        Right::Seat(&[Need::Subject, Need::Entry]),
        "Records that a form was not done",
        pages::form::not_done,
    ),
    act(
        FILES,
        Right::Seat(&[Need::Subject, Need::Entry]),
        "Attaches a file to a form",
        pages::attachments::attach,
    ),
    read(
        "/studies/{study}/participants/{subject}/forms/{form}/{visit}/{row}/files/{number}",
        Right::Seat(&[Need::Subject, Need::FormValues]),
        "A file that was attached to a form",
        pages::attachments::download,
    ),
    act(
        "/studies/{study}/participants/{subject}/forms/{form}/{visit}/{row}/files/{number}/withdraw",
        Right::Seat(&[Need::Subject, Need::Entry]),
        "Lets an attached file count no more",
        pages::attachments::withdraw,
    ),
    // ---- queries ----
    long(get(
        "/studies/{study}/queries",
        Right::Seat(&[Need::Participants]),
        "The list of queries",
        pages::queries::list,
    )),
    long(get(
        "/studies/{study}/queries.csv",
        Right::Seat(&[Need::Participants]),
        "The list of queries as a file",
        pages::queries::export,
    )),
    act(
        "/studies/{study}/queries/close",
        MANAGES_QUERIES,
        "Closes the answered queries that were ticked",
        pages::queries::close_ticked,
    ),
    long(get(
        "/studies/{study}/queries/bulk",
        MANAGES_QUERIES,
        "A listing of an item, to ask one question in many places",
        pages::bulk_queries::show,
    )),
    long(act(
        "/studies/{study}/queries/bulk",
        MANAGES_QUERIES,
        "Tries or opens the same query in many places",
        pages::bulk_queries::take,
    )),
    act(
        "/studies/{study}/participants/{subject}/forms/{form}/{visit}/{row}/queries",
        Right::Seat(&[Need::Subject, Need::FormValues, Need::May(Power::ManageQueries)]),
        "Opens a query",
        pages::queries::open,
    ),
    act(
        "/studies/{study}/participants/{subject}/queries/{query}/answer",
        Right::Seat(&[Need::Subject, Need::Query, Need::Asked]),
        "Answers a query",
        pages::queries::answer,
    ),
    act(
        "/studies/{study}/participants/{subject}/queries/{query}/close",
        Right::Seat(&[Need::Subject, Need::Query, Need::May(Power::ManageQueries)]),
        "Closes a query",
        pages::queries::close,
    ),
    act(
        "/studies/{study}/participants/{subject}/queries/{query}/reopen",
        Right::Seat(&[Need::Subject, Need::Query, Need::May(Power::ManageQueries)]),
        "Opens a closed query again",
        pages::queries::reopen,
    ),
    // ---- source verification ----
    long(get(
        "/studies/{study}/verification",
        Right::Seat(&[Need::Participants, Need::May(Power::VerifySource)]),
        "The plan of source verification and how far it has come",
        pages::verification::show,
    )),
    act(
        "/studies/{study}/verification",
        Right::Seat(&[Need::Step(Step::PlanVerification)]),
        "Plans source verification and draws the sample",
        pages::verification::plan,
    ),
    // ---- verification, review and closing of a visit ----
    read(
        "/studies/{study}/participants/{subject}/sheet/{visit}",
        SHEET,
        "A visit's sheet, for who verifies, reviews, freezes or locks",
        pages::sheet::show,
    ),
    act(
        "/studies/{study}/participants/{subject}/sheet/{visit}",
        SHEET,
        "Verifies, reviews, freezes, locks or opens items, a form or the visit",
        pages::sheet::act,
    ),
    // ---- signatures ----
    read(
        "/studies/{study}/participants/{subject}/sign/{what}",
        Right::Seat(&[Need::Subject, Need::May(Power::Sign)]),
        "What is signed, and the signature",
        pages::signature::form,
    ),
    secret(act(
        "/studies/{study}/participants/{subject}/sign/{what}",
        Right::Seat(&[Need::Subject, Need::May(Power::Sign)]),
        "Signs",
        pages::signature::sign,
    )),
    // ---- coded slides ----
    get(
        "/studies/{study}/slides",
        Right::Seat(&[Need::MayAny(&[Power::ReadSpecimens, Power::KeepSpecimenKey])]),
        "Coded slides: to read, or to lay out",
        pages::slides::show,
    ),
    act(
        "/studies/{study}/slides/{step}",
        Right::Seat(&[Need::MayAny(&[Power::ReadSpecimens, Power::KeepSpecimenKey])]),
        "Reads a slide, or lays out, locks and joins",
        pages::slides::take,
    ),
    // ---- the sealed list and the kits ----
    get(
        "/studies/{study}/allocation",
        ALLOCATION,
        "The sealed list, its vault, and the kits of one's sites",
        pages::allocation::show,
    ),
    secret(act(
        "/studies/{study}/allocation/{step}",
        ALLOCATION,
        "Seals the list, unlocks the vault, takes kits into stock, opens the list",
        pages::allocation::take,
    )),
    // ---- closing ----
    long(get(
        "/studies/{study}/closing",
        CLOSING,
        "What is open before the lock, and the lock",
        pages::closing::show,
    )),
    get(
        "/studies/{study}/closing/manifest/{file}",
        CLOSING,
        "A signed manifest of a lock, its signature, or the public key",
        pages::closing::file,
    ),
    secret(act(
        "/studies/{study}/closing/{step}",
        CLOSING,
        "Classifies deviations, signs analysis sets, freezes, locks, unlocks",
        pages::closing::take,
    )),
    // ---- safety board ----
    get(
        "/studies/{study}/safety",
        SAFETY,
        "What the safety board watches, how it stands, and the board's decisions",
        pages::safety::show,
    ),
    secret(act(
        "/studies/{study}/safety/{watch}",
        Right::Seat(&[Need::Step(Step::DecideOnSafety)]),
        "Signs a decision of the safety board",
        pages::safety::decide,
    )),
    // ---- audit ----
    get(
        "/studies/{study}/audit",
        Right::Seat(&[Need::Reads("audit")]),
        "The audit trail",
        pages::audit::show,
    ),
    act(
        "/studies/{study}/audit/review",
        Right::Seat(&[Need::Reads("audit"), Need::Step(Step::ReviewAuditTrail)]),
        "Records that the audit trail was reviewed",
        pages::audit::review,
    ),
    // ---- about the program ----
    get("/manual", Right::Account, "The user guide of this version", pages::manual::list),
    get("/manual/{page}", Right::Account, "A page of the user guide", pages::manual::show),
    get("/openapi.json", Right::Account, "This table as an API description", pages::files::openapi),
];

/// Finds the line of a path, and what its placeholders stand for. `None`: no such path; `Some(Err)`: the
/// path exists for another method.
#[allow(clippy::type_complexity, reason = "said once, above")]
pub fn find(
    method: Method,
    path: &str,
) -> Option<Result<(&'static Route, std::collections::BTreeMap<&'static str, String>), ()>> {
    let mut other_method = false;
    for route in ROUTES {
        if let Some(params) = matches(route.path, path) {
            if route.method == method {
                return Some(Ok((route, params)));
            }
            other_method = true;
        }
    }
    other_method.then_some(Err(()))
}

fn matches(pattern: &'static str, path: &str) -> Option<std::collections::BTreeMap<&'static str, String>> {
    let mut params = std::collections::BTreeMap::new();
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(params),
            (Some(wanted), Some(given)) => {
                match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                    Some(name) => {
                        let value = crate::http::decode_segment(given).filter(|value| !value.is_empty())?;
                        params.insert(name, value);
                    }
                    None if wanted == given => {}
                    None => return None,
                }
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_lines_answer_the_same_request() {
        for (index, route) in ROUTES.iter().enumerate() {
            let path = route.path.replace('{', "x").replace('}', "x");
            let found = find(route.method, &path);
            let Some(Ok((found, _))) = found else { panic!("{} is not found", route.path) };
            let same = ROUTES[..index].iter().any(|other| std::ptr::eq(other, found));
            assert!(!same, "{} is answered by an earlier line", route.path);
        }
    }

    #[test]
    fn placeholders_hold_one_segment_each() {
        let found = find(Method::Get, "/studies/s/participants/05-003");
        let Some(Ok((route, params))) = found else { panic!() };
        assert_eq!(route.does, "A participant's course");
        assert_eq!(params["subject"], "05-003");
        assert!(find(Method::Get, "/studies/s/participants/05-003/").is_none());
        assert!(matches!(find(Method::Post, "/studies"), Some(Err(()))));
        assert!(find(Method::Get, "/studies//participants").is_none());
    }

    #[test]
    fn every_change_is_written_down() {
        for route in ROUTES.iter().filter(|route| route.method == Method::Post) {
            assert!(matches!(route.audit, Audit::AccountLog | Audit::Record), "{}", route.path);
            assert_eq!(route.keep, Keep::Never, "{}", route.path);
        }
    }
}
