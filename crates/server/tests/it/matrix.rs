//! Who may ask for what: every route of the table, every role, own and other sites, participants and studies.
//!
//! What is right is written here a second time, from the trials' specification ("who may see what"), and not with the server's code.

use std::collections::{BTreeMap, BTreeSet};

use record::FormKey;
use server::{
    http::{Method, segment},
    routes::{ROUTES, Right},
};
use terms::{FormId, SubjectId, VisitId};

use crate::world::{Browser, STUDIES, World, text};

/// The roles at sites and the central ones, with who holds them in a training copy.
pub fn people(world: &World, study: &str) -> Vec<(String, String, Option<String>)> {
    let running = &world.house.studies[study];
    let state = running.state();
    let mut first = BTreeMap::new();
    for grant in state.delegations.grants() {
        first
            .entry(grant.role.to_string())
            .or_insert_with(|| (grant.person.to_string(), grant.site.as_ref().map(ToString::to_string)));
    }
    first.into_iter().map(|(role, (person, site))| (role, person, site)).collect()
}

/// A participant of a site with a held visit and forms, in the trial if anybody is, or of any other site.
pub fn participant(world: &World, study: &str, of: Option<&str>, other: Option<&str>) -> Option<SubjectId> {
    let state = world.house.studies[study].state();
    state
        .casebooks
        .values()
        .filter(|casebook| of.is_none_or(|site| casebook.site == *site))
        .filter(|casebook| other.is_none_or(|site| casebook.site != *site))
        .max_by_key(|casebook| {
            let asked = casebook.queries.iter().any(|query| query.closed.is_none());
            (casebook.allocated.is_some(), asked, casebook.visits.len())
        })
        .map(|casebook| casebook.subject.clone())
}

/// Fills a route's placeholders.
fn fill(path: &str, study: &str, subject: &str, form: &FormKey, query: &str) -> String {
    let visit = form.visit.as_ref().map_or("-", VisitId::as_str);
    path.replace("{study}", study)
        .replace("{subject}", subject)
        .replace("{form}", form.form.as_str())
        .replace("{visit}", visit)
        .replace("{row}", &form.row.to_string())
        .replace("{query}", &segment(query))
        .replace("{what}", visit)
        .replace("{file}", "pages.css")
        .replace("{page}", "first-log-in")
        .replace("{number}", "1")
        .replace("{person}", "monitor")
        .replace("{token}", "0000")
        .replace("{step}", "nothing")
        .replace("{watch}", if study == "imatinib-open" { "related_severe" } else { "month_3" })
}

fn ask(browser: &mut Browser<'_>, method: Method, path: &str) -> u16 {
    match method {
        Method::Get => browser.get(path).status,
        // Empty forms: whoever may is told what is missing, whoever may not that there is no such page.
        Method::Post => browser.post(path, &[]).status,
    }
}

/// Who gets past the gate, by the words of the specification.
enum Who {
    /// Everybody, logged in or not.
    Anybody,
    /// Nobody by now: an installation is set up once, and this invitation was never made.
    Nobody,
    /// Who is in the middle of logging in.
    Arriving,
    /// Everybody with an account.
    LoggedIn,
    /// The administrator of the installation.
    Administrator,
    /// These roles.
    Roles(&'static [&'static str]),
    /// All roles but these.
    AllBut(&'static [&'static str]),
    /// Who sees that a form is there, perhaps without its values.
    SeesForm,
    /// Who reads a form's values.
    ReadsForm,
    /// Who reads a form's values, of these roles.
    ReadsFormAnd(&'static [&'static str]),
    /// Who fills a form.
    FillsForm,
    /// Whom the query asks, and the team of the site.
    Answers,
    /// As the step that the path names says.
    OfStep(&'static [(&'static str, &'static [&'static str])]),
}

const INVESTIGATORS: &[&str] = &["principal_investigator", "sub_investigator"];
const SITE_TEAM: &[&str] = &["principal_investigator", "sub_investigator", "coordinator"];
/// They see no participants: accounts and definitions, never data; and coded slides only.
const APART: &[&str] = &["pathologist", "administrator", "study_builder"];
const CLEANS: &[&str] = &["monitor", "data_manager"];
const SHEETS: &[&str] = &["monitor", "data_manager", "sponsor_physician"];
const SLIDES: &[&str] = &["pathologist", "specimen_custodian"];
const CLOSES: &[&str] = &["data_manager", "trial_statistician"];
const LISTS: &[&str] = &["pharmacist", "unblinded_statistician"];
const AUDITS: &[&str] = &[
    "principal_investigator",
    "sub_investigator",
    "monitor",
    "data_manager",
    "trial_statistician",
    "unblinded_statistician",
    "inspector",
];

/// Says who may ask for a route. A route that is not here fails the test: whoever adds one says here whose it is.
fn who(method: Method, path: &str) -> Who {
    use Method::{Get, Post};
    use Who::*;
    let subject = "/studies/{study}/participants/{subject}";
    if let Some(rest) = path.strip_prefix(subject) {
        return match (method, rest) {
            (Get, "") => AllBut(APART),
            (Get, "/calendar.ics" | "/trends") => AllBut(NO_COURSE),
            (Post, "/steps/{step}") => OfStep(&[
                ("withdraw", INVESTIGATORS),
                ("screen", SITE_TEAM),
                ("hold", SITE_TEAM),
                ("miss", SITE_TEAM),
                ("eligibility", INVESTIGATORS),
                ("enrol", INVESTIGATORS),
                ("randomise", INVESTIGATORS),
                ("dispense", &["pharmacist"]),
                ("return", &["pharmacist"]),
                ("dose", INVESTIGATORS),
                ("serious", SITE_TEAM),
                ("end-treatment", INVESTIGATORS),
                ("end-participation", INVESTIGATORS),
                ("specimen", &["specimen_custodian"]),
                ("close", &["data_manager"]),
                ("nothing", &[]),
            ]),
            (_, "/break-blind") => Roles(INVESTIGATORS),
            (Get, "/forms/{form}/{visit}/{row}") => SeesForm,
            (Get, "/forms/{form}/{visit}/{row}/history") => ReadsForm,
            (Post, "/forms/{form}/{visit}/{row}" | "/forms/{form}/{visit}/{row}/not-done") => FillsForm,
            (
                Post,
                "/forms/{form}/{visit}/{row}/files" | "/forms/{form}/{visit}/{row}/files/{number}/withdraw",
            ) => FillsForm,
            // Nothing is attached in a training copy; who reads what is stands in the test of attachments.
            (Get, "/forms/{form}/{visit}/{row}/files/{number}") => Nobody,
            (Post, "/forms/{form}/{visit}/{row}/queries") => ReadsFormAnd(CLEANS),
            (Post, "/queries/{query}/answer") => Answers,
            (Post, "/queries/{query}/close" | "/queries/{query}/reopen") => Roles(CLEANS),
            (_, "/sheet/{visit}") => Roles(SHEETS),
            (_, "/sign/{what}") => Roles(INVESTIGATORS),
            other => panic!("say in the matrix who may ask for {other:?} below a participant"),
        };
    }
    if let Some(rest) = path.strip_prefix("/studies/{study}") {
        return match (method, rest) {
            (Get, "" | "/schedule" | "/forms") | (Post, "/role") => AllBut(&[]),
            (Get, "/dashboard") => AllBut(NO_COURSE),
            (Get, "/participants" | "/participants.csv" | "/queries" | "/queries.csv") => AllBut(APART),
            (_, "/consent") => Roles(INVESTIGATORS),
            (_, "/queries/bulk") | (Post, "/queries/close") => Roles(CLEANS),
            (_, "/verification") => Roles(&["monitor"]),
            (Get, "/slides") => Roles(SLIDES),
            (Post, "/slides/{step}") => OfStep(&[
                ("lay-out", &["specimen_custodian"]),
                ("lock", &["specimen_custodian"]),
                ("join", &["specimen_custodian"]),
                ("nothing", &[]),
            ]),
            (Get, "/allocation") => Roles(LISTS),
            (Post, "/allocation/{step}") => OfStep(&[
                ("seal", &["unblinded_statistician"]),
                ("open", &["unblinded_statistician"]),
                ("nothing", &[]),
            ]),
            (Get, "/closing") => Roles(CLOSES),
            (Get, "/closing/manifest/{file}") => Roles(&[]),
            (Post, "/closing/{step}") => OfStep(&[
                ("classify", CLOSES),
                ("sets", &["trial_statistician"]),
                ("lock", &["data_manager"]),
                ("close", &["data_manager"]),
                ("propose-unlock", &["data_manager"]),
                ("approve-unlock", &["trial_statistician"]),
                ("nothing", &[]),
            ]),
            (Get, "/safety") | (Post, "/safety/{watch}") => Roles(&["safety_board"]),
            (Get, "/audit") => Roles(AUDITS),
            (Post, "/audit/review") => Roles(&["data_manager"]),
            (Get, "/go-live") => Roles(GOES_LIVE),
            (Post, "/go-live/{step}") => OfStep(&[
                ("test", &["data_manager"]),
                ("approve", &["data_manager", "trial_statistician", "sponsor_physician"]),
                ("ethics", &["administrator"]),
                ("wording", &["administrator"]),
                ("activate", &["administrator"]),
                ("nothing", &[]),
            ]),
            other => panic!("say in the matrix who may ask for {other:?} of a study"),
        };
    }
    match (method, path) {
        (Get, "/" | "/health" | "/log-in" | "/static/{file}")
        | (Post, "/log-in" | "/log-in/passkey")
        | (_, "/log-in/single-sign-on") => Anybody,
        (_, "/set-up" | "/invitation/{token}" | "/terminal/{token}") => Nobody,
        (_, "/log-in/code" | "/log-in/new-password") => Arriving,
        (_, "/account/identities")
        | (Get, "/account" | "/studies" | "/openapi.json" | "/manual" | "/manual/{page}")
        | (
            Post,
            "/log-out"
            | "/account/password"
            | "/account/second-factor"
            | "/account/passkeys"
            | "/account/confirm"
            | "/account/language"
            | "/account/signature",
        ) => LoggedIn,
        (_, path) if path == "/administration" || path.starts_with("/administration/") => match path {
            "/administration"
            | "/administration/people"
            | "/administration/people/{person}"
            | "/administration/log"
            | "/administration/backup"
            | "/administration/terminals"
            | "/administration/studies/{study}/open"
            | "/administration/studies/{study}/sites"
            | "/administration/studies/{study}/delegations"
            | "/administration/studies/{study}/delegations/end"
            | "/administration/studies/{study}/training" => Administrator,
            other => panic!("say in the matrix who may ask for {other}"),
        },
        other => panic!("say in the matrix who may ask for {other:?}"),
    }
}

/// They answer for the study's beginning.
const GOES_LIVE: &[&str] = &[
    "administrator",
    "data_manager",
    "trial_statistician",
    "sponsor_physician",
    "principal_investigator",
    "sub_investigator",
];
/// They see participants only through the form in hand.
const NO_COURSE: &[&str] =
    &["pathologist", "administrator", "study_builder", "skin_assessor", "central_laboratory"];

/// What a form is to a role, from the specification and the study's list of who fills it.
struct Sight<'a> {
    study: &'a str,
    role: &'a str,
    class: &'a str,
    fills: bool,
}

impl Sight<'_> {
    fn reads(&self) -> bool {
        may_read(self.study, self.role, self.class)
    }

    /// Whether the role sees that there is a form, without its values.
    fn masked(&self) -> bool {
        let blinded_trial = self.study == "imatinib-controlled";
        match self.role {
            "pharmacist" => {
                blinded_trial && matches!(self.class, "adverse_events" | "laboratory" | "vital_signs")
            }
            "monitor" | "trial_statistician" => blinded_trial && matches!(self.class, "dose" | "kits"),
            "sponsor_physician" => blinded_trial && self.class == "dose",
            "safety_reporter" => matches!(self.class, "dose" | "adverse_events"),
            _ => false,
        }
    }
}

fn passes(who: &Who, role: &str, step: &str, form: Option<&Sight<'_>>, asked: &str) -> bool {
    match who {
        Who::Anybody | Who::LoggedIn => true,
        Who::Arriving | Who::Nobody => false,
        Who::Administrator => role == "administrator",
        Who::Roles(roles) => roles.contains(&role),
        Who::AllBut(roles) => !roles.contains(&role),
        Who::SeesForm => form.is_some_and(|form| form.reads() || form.masked()),
        Who::ReadsForm => form.is_some_and(Sight::reads),
        Who::ReadsFormAnd(roles) => roles.contains(&role) && form.is_some_and(Sight::reads),
        Who::FillsForm => form.is_some_and(|form| form.reads() && form.fills),
        Who::Answers => role == asked || SITE_TEAM.contains(&role),
        Who::OfStep(steps) => {
            let roles = steps.iter().find(|(name, _)| *name == step).map(|(_, roles)| *roles);
            roles.is_some_and(|roles| roles.contains(&role))
        }
    }
}

/// What a form for any step may hold, so that only rights decide: of tomorrow, at no visit, of no event.
const OF_NO_EFFECT: &[(&str, &str)] = &[
    ("date", "2031-05-21"),
    ("from", "2031-05-21"),
    ("aware", "2031-05-21"),
    ("last-dose", "2031-05-21"),
    ("visit", "none"),
    ("step", "held"),
    ("dose", "400"),
    ("row", "99"),
    ("tablets", "1"),
    ("kit", "none"),
    ("end-reason", "other"),
    ("close", "open"),
];

#[test]
fn p11_10g_every_cell_of_route_role_data_class_site_participant_and_study_is_as_specified() {
    let world = World::training(10);
    let (mut cells, mut asked_for) = (0_u32, BTreeSet::new());
    let mut wrong = Vec::new();
    for study in STUDIES {
        let running = &world.house.studies[study];
        for (role, person, site) in people(&world, study) {
            if role == "participant" {
                continue;
            }
            let mut browser = world.seated(&person);
            let state = running.state();
            let own = participant(&world, study, site.as_deref(), None).unwrap();
            let other = site.as_deref().and_then(|site| participant(&world, study, None, Some(site)));
            // One form of each class that somebody else filled, of the earliest visit: not the one in hand.
            let mut forms: BTreeMap<String, FormKey> = BTreeMap::new();
            for (key, filled) in &state.casebooks[&own].forms {
                let form = running.study().form(key.form.as_str()).unwrap();
                if filled.first_by.person != *person
                    && key.visit.as_ref().is_none_or(|visit| *visit == *"Scr" || *visit == *"M0")
                {
                    forms.entry(form.data_class.to_string()).or_insert_with(|| key.clone());
                }
            }
            let queries = &state.casebooks[&own].queries;
            let query = queries
                .iter()
                .find(|query| query.closed.is_none() && may_read_query(running.study(), query, study));
            let none =
                FormKey { visit: Some(VisitId::from("Scr")), form: FormId::from("vital_signs"), row: 0 };
            for route in ROUTES {
                asked_for.insert((route.method, route.path));
                if route.path == "/log-out" {
                    continue;
                }
                let who = who(route.method, route.path);
                let steps: Vec<&str> = match &who {
                    Who::OfStep(steps) => steps.iter().map(|(name, _)| *name).collect(),
                    _ => vec!["nothing"],
                };
                let of_form = route.path.contains("{form}");
                let keys: Vec<(Option<&str>, &FormKey)> = if of_form {
                    forms.iter().map(|(class, key)| (Some(class.as_str()), key)).collect()
                } else {
                    vec![(None, &none)]
                };
                if route.path.contains("{query}") && query.is_none() {
                    continue;
                }
                let id = query.map_or("none", |query| query.id.as_str());
                let asked = query.map_or("", |query| query.addressed_to.as_str());
                for step in steps {
                    for (class, key) in &keys {
                        let sight = class.map(|class| Sight {
                            study,
                            role: &role,
                            class,
                            fills: running.study().form(key.form.as_str()).is_some_and(|form| {
                                let enters = running
                                    .study()
                                    .role(&role)
                                    .is_some_and(|role| role.enters.contains(&form.data_class));
                                enters && form.filled_by.iter().any(|filler| *filler == *role)
                            }),
                        });
                        let may = passes(&who, &role, step, sight.as_ref(), asked)
                            && !(study == "imatinib-open"
                                && (route.path.contains("/allocation")
                                    || route.path.contains("/break-blind")))
                            // Of who is not in the trial there is no arm to ask for.
                            && (state.casebooks[&own].allocated.is_some()
                                || route.method == Method::Post
                                || !route.path.contains("/break-blind"));
                        let at = |study: &str, subject: &SubjectId| {
                            fill(&route.path.replace("{step}", step), study, subject.as_str(), key, id)
                        };
                        let mut places = vec![(at(study, &own), may || matches!(who, Who::Arriving))];
                        if route.path.contains("{subject}") {
                            places.extend(other.iter().map(|other| (at(study, other), false)));
                            places.push((at(study, &SubjectId::from("99-999")), false));
                        }
                        if route.path.contains("{study}") {
                            places.push((at("no-such-study", &own), false));
                        }
                        for (path, may) in places {
                            let fields: Vec<(&str, &str)> = match route.path.ends_with("/role") {
                                true => vec![("role", role.as_str())],
                                false if route.path.contains("/sheet/") => Vec::new(),
                                false => OF_NO_EFFECT.to_vec(),
                            };
                            // Nobody asks so often that the rate would be what answers.
                            world.wait(1);
                            let reply = match route.method {
                                Method::Get => browser.get(&path),
                                Method::Post => browser.post(&path, &fields),
                            };
                            let hidden = match who {
                                Who::Arriving => reply.status != 404,
                                _ => reply.status == 404,
                            };
                            cells += 1;
                            if hidden == may || reply.status >= 500 {
                                wrong.push(format!(
                                    "{study} {role} {:?} {path}: {}",
                                    route.method, reply.status
                                ));
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {cells} cells are not as specified:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(asked_for.len(), ROUTES.len());
    assert!(cells > 5_000, "{cells}");
}

/// A query on a form that those read who clean data and the team of the site.
fn may_read_query(study: &protocol::Study, query: &conduct::Query, id: &str) -> bool {
    let class = study.form(query.key.form.as_str()).map(|form| form.data_class.to_string());
    class.is_some_and(|class| CLEANS.iter().chain(SITE_TEAM).all(|role| may_read(id, role, &class)))
}

#[test]
fn p11_10d_nobody_gets_past_the_door_without_logging_in() {
    let world = World::training(4);
    let subject = participant(&world, STUDIES[0], None, None).unwrap();
    let key = FormKey { visit: Some(VisitId::from("Scr")), form: FormId::from("vital_signs"), row: 0 };
    for route in ROUTES.iter().filter(|route| route.right != Right::Anyone) {
        let path = fill(route.path, STUDIES[0], subject.as_str(), &key, "none");
        let mut browser = world.browser();
        browser.get("/log-in");
        let before = world.house.studies[STUDIES[0]].head();
        let reply = match route.method {
            Method::Get => browser.get(&path),
            Method::Post => browser.post(&path, &[]),
        };
        assert!(matches!(reply.status, 303 | 400), "{path}: {}", reply.status);
        assert_eq!(before, world.house.studies[STUDIES[0]].head());
    }
}

#[test]
fn a_site_knows_nothing_of_another_site_or_study() {
    let world = World::training(8);
    let study = STUDIES[0];
    for (role, person, site) in people(&world, study) {
        let Some(site) = site.filter(|_| role != "participant") else { continue };
        let mut browser = world.seated(&person);
        let other = participant(&world, study, None, Some(&site)).unwrap();
        let forms: Vec<FormKey> =
            world.house.studies[study].state().casebooks[&other].forms.keys().cloned().collect();
        for route in ROUTES.iter().filter(|route| route.path.contains("{subject}")) {
            for key in forms.iter().take(12) {
                let path = fill(route.path, study, other.as_str(), key, &format!("{other}-Q1"));
                assert_eq!(ask(&mut browser, route.method, &path), 404, "{role} of {site}: {path}");
                let path = fill(route.path, "imatinib-open", other.as_str(), key, "none");
                assert_eq!(ask(&mut browser, route.method, &path), 404, "{role} of {site}: {path}");
            }
        }
        for list in ["participants", "participants.csv", "queries", "audit", ""] {
            let page = text(&browser.get(format!("/studies/{study}/{list}").trim_end_matches('/')));
            let casebooks = world.house.studies[study].state().casebooks.clone();
            for (subject, casebook) in &casebooks {
                let named = page.contains(subject.as_str());
                assert!(!named || casebook.site == *site, "{role} of {site} reads of {subject} in {list}");
            }
        }
    }
}

/// Which data classes show values to a role, by the specification's table. What it does not name is open to
/// the site's team and to those who read all, and closed to the assessor, the pathologist and the pharmacist.
pub fn may_read(study: &str, role: &str, class: &str) -> bool {
    let blinded_trial = study == "imatinib-controlled";
    match role {
        "principal_investigator" | "sub_investigator" => class != "allocation_guesses",
        "coordinator" => !matches!(class, "skin" | "allocation_guesses" | "biopsy_readings"),
        "monitor" => {
            !matches!(class, "dose" | "kits" | "allocation_guesses") || (class == "dose" && !blinded_trial)
        }
        "data_manager" | "unblinded_statistician" => true,
        "inspector" => true,
        "trial_statistician" => match class {
            "dose" => !blinded_trial,
            "allocation_guesses" | "kits" => false,
            _ => true,
        },
        "pharmacist" => {
            class == "dose"
                || (!blinded_trial && matches!(class, "adverse_events" | "laboratory" | "vital_signs"))
        }
        "pharmacy_monitor" => class == "dose",
        "specimen_custodian" => class == "biopsies",
        "safety_board" => matches!(class, "dose" | "adverse_events" | "laboratory" | "vital_signs"),
        "sponsor_physician" => match class {
            "dose" => !blinded_trial,
            "allocation_guesses" | "kits" | "biopsies" | "questionnaires" | "consent" => false,
            _ => true,
        },
        _ => false,
    }
}

#[test]
fn e6_4_1_each_role_reads_the_data_classes_that_the_specification_gives_it_and_no_other() {
    let world = World::training(14);
    for study in STUDIES {
        for (role, person, site) in people(&world, study) {
            if role == "participant" {
                continue;
            }
            let mut browser = world.seated(&person);
            let subject = participant(&world, study, site.as_deref(), None).unwrap();
            let running = &world.house.studies[study];
            let keys: Vec<FormKey> = running.state().casebooks[&subject].forms.keys().cloned().collect();
            for key in keys {
                let form = running.study().form(key.form.as_str()).unwrap();
                let template = "/studies/{study}/participants/{subject}/forms/{form}/{visit}/{row}/history";
                let path = fill(template, study, subject.as_str(), &key, "");
                let status = browser.get(&path).status;
                let class = form.data_class.as_str();
                let by_own = running.state().casebooks[&subject].forms[&key].first_by.person == *person;
                if by_own && !may_read(study, &role, class) {
                    // One's own entry of the visit in hand; earlier ones are held to the next test.
                    continue;
                }
                let readable = may_read(study, &role, class);
                assert_eq!(status == 200, readable, "{study} {role} {class}: {path} {status}");
            }
        }
    }
}

#[test]
fn bld_1_a_skin_assessor_never_sees_an_earlier_score_nor_that_there_is_one() {
    let world = World::training(14);
    let study = "imatinib-controlled";
    let running = &world.house.studies[study];
    let assessors: Vec<(String, String)> = running
        .state()
        .delegations
        .grants()
        .iter()
        .filter(|grant| grant.role == *"skin_assessor")
        .map(|grant| (grant.person.to_string(), grant.site.as_ref().unwrap().to_string()))
        .collect();
    let mut asked = 0;
    for (person, site) in assessors {
        let mut browser = world.seated(&person);
        let casebooks: Vec<_> = running.state().casebooks.values().cloned().collect();
        for casebook in casebooks.iter().filter(|casebook| casebook.site == *site) {
            let mut scored: Vec<_> = casebook
                .visits_by_date()
                .into_iter()
                .filter(|(visit, _)| {
                    let key = FormKey { visit: Some((*visit).clone()), form: "skin_score".into(), row: 0 };
                    casebook.forms.contains_key(&key)
                })
                .map(|(visit, _)| visit.clone())
                .collect();
            // The last one may be in hand.
            scored.pop();
            let base = format!("/studies/{study}/participants/{}", casebook.subject);
            let page = text(&browser.get(&base));
            for visit in scored {
                asked += 1;
                let path = format!("{base}/forms/skin_score/{visit}/0");
                assert_eq!(browser.get(&path).status, 404, "{person}: {path}");
                assert_eq!(browser.get(&format!("{path}/history")).status, 404);
                assert!(!page.contains(&format!("/forms/skin_score/{visit}/")), "{person}: {visit}");
            }
            let barred = ["adverse_events", "vital_signs", "chemistry", "blood_count", "spirometry"];
            for form in barred {
                assert!(!page.contains(&format!("/forms/{form}/")), "{person} reads of {form}");
            }
        }
    }
    assert!(asked > 5, "the training copy has too few earlier scores: {asked}");
}

#[test]
fn no_page_of_a_blinded_role_names_an_arm() {
    let world = World::training(10);
    let study = "imatinib-controlled";
    let running = &world.house.studies[study];
    for (role, person, site) in people(&world, study) {
        if role == "participant" || running.study().role(&role).is_none_or(|role| !role.blinded) {
            continue;
        }
        let mut browser = world.seated(&person);
        let subject = participant(&world, study, site.as_deref(), None).unwrap();
        for path in
            ["", "/participants", "/queries", "/audit", "/slides", &format!("/participants/{subject}")]
        {
            let page = text(&browser.get(&format!("/studies/{study}{path}"))).to_lowercase();
            assert!(!page.contains("placebo\""), "{role} {path}");
            assert!(!page.contains("envelope"), "{role} {path}");
            assert!(!page.contains("stratum"), "{role} {path}");
        }
    }
}
