//! What the writer refuses before any store is asked.

use record::*;

#[test]
fn a_message_says_what_to_do() {
    let stale = StoreError::StalePosition { stream: Stream::Subject("05-003".into()), expected: 3, found: 4 };
    assert_eq!(
        stale.to_string(),
        "subject/05-003 has 4 events where 3 were expected; read again and decide again"
    );
    assert_eq!(
        StoreError::DiskFull.to_string(),
        "the disk is full; nothing of this was saved, and what was saved before is safe"
    );
}
