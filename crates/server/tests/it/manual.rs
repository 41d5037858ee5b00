//! The guide that the program carries, in the pages.

use crate::world::{STUDIES, World, text};

const PAGES: &[(&str, &str)] =
    &[("first-log-in", "# From an empty server\n\nOpen [it](keep-it-running.md).\n")];

#[test]
fn p11_10k_the_pages_show_the_guide_of_the_programs_version_with_its_digest() {
    let mut world = World::training_of(&[STUDIES[1]], 1);
    world.house.manual = PAGES;
    world.house.manual_digest = "0123456789abcdef";
    assert_eq!(world.browser().get("/manual").status, 303);
    let mut monitor = world.seated("monitor");
    let list = text(&monitor.get("/manual"));
    assert!(list.contains("<a href=\"/manual/first-log-in\">From an empty server</a>"), "{list}");
    let named = format!(
        "equipoise {} · SHA-256 <code class=\"hash\">0123456789abcdef</code>",
        env!("CARGO_PKG_VERSION")
    );
    assert!(list.contains(&named));
    let page = text(&monitor.get("/manual/first-log-in"));
    assert!(
        page.contains("<h1>From an empty server</h1>") && page.contains("href=\"/manual/keep-it-running\"")
    );
    assert!(page.contains(&named));
    assert_eq!(monitor.get("/manual/none").status, 404);
}
