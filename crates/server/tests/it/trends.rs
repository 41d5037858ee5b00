//! The course of a participant's measures: to whom it is shown, and that it is what the record holds.

use crate::{
    matrix::{may_read, participant, people},
    world::{STUDIES, World, text},
};

/// The forms whose measures a page lets one choose: where each leads, and its title.
fn followed(page: &str) -> Vec<(String, String)> {
    let forms = page.split("<nav aria-label=\"Forms\"><ul>").nth(1).unwrap_or_default();
    let forms = forms.split("</ul>").next().unwrap_or_default();
    let links = forms.split("<a href=\"").skip(1).map(|link| {
        let (path, rest) = link.split_once('"').unwrap();
        let title = rest.split_once('>').unwrap().1.split('<').next().unwrap();
        (path.replace("&#38;", "&"), title.replace("&#39;", "'"))
    });
    links.collect()
}

#[test]
fn bld_1_trends_show_a_role_the_classes_that_it_reads_and_an_assessor_none() {
    let world = World::training(14);
    let mut shown = 0;
    for study in STUDIES {
        let running = &world.house.studies[study];
        for (role, person, site) in people(&world, study) {
            if role == "participant" {
                continue;
            }
            let subject = participant(&world, study, site.as_deref(), None).unwrap();
            let path = format!("/studies/{study}/participants/{subject}");
            let (mut browser, way) = (world.seated(&person), format!("{path}/trends"));
            let course = text(&browser.get(&path));
            if ["skin_assessor", "pathologist", "central_laboratory"].contains(&role.as_str()) {
                assert!(!course.contains("/trends"), "{study} {role}");
                assert_eq!(browser.get(&way).status, 404, "{study} {role}");
                continue;
            }
            let page = browser.get(&way);
            let titles = if page.status == 200 { followed(&text(&page)) } else { Vec::new() };
            assert!(titles.is_empty() || course.contains(&format!("href=\"{way}\"")), "{study} {role}");
            for (_, title) in titles {
                let form = running.study().forms.iter().find(|form| form.title.en() == title);
                let form = form.unwrap_or_else(|| panic!("no form is called {title}"));
                assert!(may_read(study, &role, form.data_class.as_str()), "{study} {role} follows {title}");
                shown += 1;
            }
        }
    }
    assert!(shown > 50, "too few trends to tell: {shown}");
}

#[test]
fn a_trend_holds_the_values_of_the_visits_beside_their_curve() {
    let world = World::training_of(&[STUDIES[0]], 14);
    let running = &world.house.studies[STUDIES[0]];
    let state = running.state();
    let scores = |casebook: &conduct::Casebook| -> Vec<String> {
        let visits = casebook.visits_by_date();
        let key = |visit: &terms::VisitId| record::FormKey {
            visit: Some(visit.clone()),
            form: "skin_score".into(),
            row: 0,
        };
        visits
            .iter()
            .filter_map(|(visit, _)| {
                Some(casebook.cell(&key(visit), "total")?.answer()?.value()?.to_string())
            })
            .collect()
    };
    let casebook = state.casebooks.values().max_by_key(|casebook| scores(casebook).len()).unwrap();
    let scores = scores(casebook);
    assert!(scores.len() > 3, "{scores:?}");
    let path = format!("/studies/{}/participants/{}", STUDIES[0], casebook.subject);
    let mut browser = world.seated(&format!("principal_investigator.{}", casebook.site));
    let course = browser.get(&path);
    assert!(text(&course).len() < 150_000, "the course weighs {} bytes", text(&course).len());
    let title = running.study().form("skin_score").unwrap().title.en();
    let forms = followed(&text(&browser.get(&format!("{path}/trends"))));
    let (way, _) = forms.iter().find(|(_, known)| known == title).unwrap();
    let page = browser.get(way);
    let part = text(&page);
    let label = running.study().form("skin_score").unwrap().item("total").unwrap().label.en();
    let row = part.split("<tr>").find(|row| row.contains(&format!("<th scope=\"row\">{label}"))).unwrap();
    let cells: Vec<&str> =
        row.split("<td class=\"number\">").skip(1).map(|cell| cell.split('<').next().unwrap()).collect();
    assert_eq!(cells.into_iter().filter(|cell| !cell.is_empty() && *cell != "–").collect::<Vec<_>>(), scores);
    let dots = row.split("<path d=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(dots.matches('M').count(), scores.len());
    assert!(row.contains(&format!("{} → {}", scores[0], scores[scores.len() - 1])));
    assert!(part.len() < 150_000, "the page weighs {} bytes", part.len());
}
