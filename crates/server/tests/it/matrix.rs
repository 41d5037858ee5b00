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

/// A participant of a site with a held visit and forms, or of any other site.
pub fn participant(world: &World, study: &str, of: Option<&str>, other: Option<&str>) -> Option<SubjectId> {
    let state = world.house.studies[study].state();
    state
        .casebooks
        .values()
        .filter(|casebook| of.is_none_or(|site| casebook.site == *site))
        .filter(|casebook| other.is_none_or(|site| casebook.site != *site))
        .max_by_key(|casebook| {
            (casebook.queries.iter().any(|query| query.closed.is_none()), casebook.visits.len())
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
}

fn ask(browser: &mut Browser<'_>, method: Method, path: &str) -> u16 {
    match method {
        Method::Get => browser.get(path).status,
        // Empty forms: whoever may is told what is missing, whoever may not that there is no such page.
        Method::Post => browser.post(path, &[]).status,
    }
}

/// What each role of both studies may not do at all, by the words of the specification.
fn is_barred(role: &str, path: &str) -> Option<bool> {
    let in_list = |roles: &[&str]| roles.contains(&role);
    let investigators = ["principal_investigator", "sub_investigator"];
    Some(match path {
        "/studies/{study}/consent" => !in_list(&investigators),
        "/studies/{study}/participants/{subject}/sign/{what}" => !in_list(&investigators),
        "/studies/{study}/participants"
        | "/studies/{study}/participants.csv"
        | "/studies/{study}/queries"
        | "/studies/{study}/queries.csv"
        | "/studies/{study}/participants/{subject}" => {
            in_list(&["pathologist", "administrator", "study_builder"])
        }
        "/studies/{study}/queries/bulk" | "/studies/{study}/queries/close" => {
            !in_list(&["monitor", "data_manager"])
        }
        "/studies/{study}/participants/{subject}/sheet/{visit}" => {
            !in_list(&["monitor", "data_manager", "sponsor_physician"])
        }
        "/studies/{study}/verification" => role != "monitor",
        "/studies/{study}/participants/{subject}/break-blind" => !in_list(&investigators),
        "/studies/{study}/slides" => !in_list(&["pathologist", "specimen_custodian"]),
        "/studies/{study}/closing" => !in_list(&["data_manager", "trial_statistician"]),
        "/studies/{study}/allocation" => !in_list(&["pharmacist", "unblinded_statistician"]),
        "/studies/{study}/go-live" => !in_list(&[
            "administrator",
            "data_manager",
            "trial_statistician",
            "sponsor_physician",
            "principal_investigator",
            "sub_investigator",
        ]),
        "/studies/{study}/audit/review" => role != "data_manager",
        "/studies/{study}/audit" => !in_list(&[
            "principal_investigator",
            "sub_investigator",
            "monitor",
            "data_manager",
            "trial_statistician",
            "unblinded_statistician",
            "inspector",
        ]),
        "/studies/{study}/participants/{subject}/forms/{form}/{visit}/{row}/queries" => {
            !in_list(&["monitor", "data_manager"])
        }
        _ => return None,
    })
}

#[test]
fn p11_10g_every_route_answers_every_role_as_the_table_of_rights_says() {
    let world = World::training(8);
    let mut seen = BTreeSet::new();
    for study in STUDIES {
        for (role, person, site) in people(&world, study) {
            if role == "participant" {
                continue;
            }
            let mut browser = world.seated(&person);
            let own = participant(&world, study, site.as_deref(), None).unwrap();
            let vitals =
                FormKey { visit: Some(VisitId::from("Scr")), form: FormId::from("vital_signs"), row: 0 };
            for route in ROUTES {
                seen.insert((route.method, route.path));
                let path = fill(route.path, study, own.as_str(), &vitals, "none");
                if matches!(path.as_str(), "/log-out") || route.path.ends_with("/role") {
                    continue;
                }
                let status = ask(&mut browser, route.method, &path);
                let hidden = status == 404 || status == 303 && route.right == Right::Arriving;
                // The open trial has no list, for nobody.
                if (route.path.contains("/allocation") || route.path.contains("/break-blind"))
                    && study == "imatinib-open"
                {
                    assert_eq!(status, 404);
                    continue;
                }
                let expected = match route.right {
                    Right::Administrator => Some(role != "administrator"),
                    Right::Seat(_) => is_barred(&role, route.path),
                    Right::Account => Some(false),
                    Right::Anyone | Right::Arriving => None,
                };
                if let Some(barred) = expected {
                    assert_eq!(hidden, barred, "{study} {role} {:?} {path}: {status}", route.method);
                }
                assert!(status < 500, "{study} {role} {:?} {path}: {status}", route.method);
            }
        }
    }
    // Every line of the table was asked for by every role, so that a new one is, too.
    assert_eq!(seen.len(), ROUTES.len());
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
