//! The worked example of `docs/record-format.md` is what the program computes.

use record::encoding::encode;
use record::*;
use terms::*;

use crate::sample::{Counting, change, event, skin_score, subject};

const DOCUMENT: &str = include_str!("../../../../docs/record-format.md");

#[test]
fn the_worked_example_is_what_the_program_computes() {
    let opened = Fact::StudyOpened { study: "B".into(), environment: Environment::Rehearsal, seed: Some(7) };
    let saved = skin_score(vec![
        change("hand_left", None, Answer::Given(Value::Integer(2))),
        change("finger", None, Answer::Missing(MissingReason::NotDone)),
    ]);
    let mut salts = Counting::from_zero();
    let mut head = Head::of_empty(Environment::Rehearsal);
    let mut written = vec![format!("genesis      {head}")];
    for event in [event(1, Stream::Study, 1, None, opened), event(2, subject(), 1, None, saved)] {
        let encoded = encode(&event, &mut salts).unwrap();
        written.push(format!("body         {}", String::from_utf8(encoded.body.clone()).unwrap()));
        for cell in &encoded.cells {
            let opening = cell.opening.as_ref().unwrap();
            let salt: String = opening.salt.iter().map(|byte| format!("{byte:02x}")).collect();
            written.push(format!("salt         {salt}"));
            written.push(format!("content      {}", String::from_utf8(opening.content.clone()).unwrap()));
            written.push(format!("commitment   {}", cell.commitment));
        }
        head = head.after(&encoded);
        written.push(format!("event hash   {head}"));
    }
    for line in &written {
        assert!(DOCUMENT.lines().any(|there| there == line), "the document lacks\n{}", written.join("\n"));
    }
}
