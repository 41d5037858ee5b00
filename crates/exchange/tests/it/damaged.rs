//! Files that were cut short or altered are refused, and never make the program panic.

use exchange::{Encoding, read};
use proptest::prelude::*;

use crate::files::{bytes, ndjson, pilot};

fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let mut samples = vec![
        ("x.xpt", bytes("made-5.xpt")),
        ("x.xpt", bytes("made-8.xpt")),
        ("x.ndjson", ndjson().into_bytes()),
        ("x.dsjc", pilot("adtte.dsjc")),
        ("x.csv", b"ID,Note\n1,\"a, b\"\n2,c\n".to_vec()),
    ];
    if cfg!(feature = "parquet") {
        samples.push(("x.parquet", bytes("made-snappy.parquet")));
    }
    samples
}

#[test]
// Shows: E6-4.2.5
fn a_file_that_is_cut_short_is_refused() {
    for (name, whole) in samples().into_iter().filter(|(name, _)| *name != "x.csv") {
        let step = (whole.len() / 150).max(1);
        for length in (0..whole.len().saturating_sub(RECORD)).step_by(step) {
            // A transport file that does not say how many rows it has may end after any whole record of them.
            let rows_began = whole[..length].windows(OBSERVATIONS.len()).any(|part| part == OBSERVATIONS);
            if name == "x.xpt" && length % RECORD == 0 && rows_began {
                continue;
            }
            assert!(read(name, &whole[..length], Encoding::Utf8).is_err(), "{name} of {length} bytes");
        }
    }
}

const OBSERVATIONS: &[u8] = b"HEADER RECORD*******OBS";

/// A transport file may lose what fills up its last record, and NDJSON its last line end.
const RECORD: usize = 80;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn altered_bytes_never_make_the_program_panic(
        sample in 0usize..6,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        whole in any::<bool>(),
    ) {
        let samples = samples();
        let (name, mut bytes) = samples[sample % samples.len()].clone();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if !whole {
            bytes.truncate(cut.index(bytes.len()));
        }
        for encoding in [Encoding::Utf8, Encoding::Windows1252] {
            if let Ok(table) = read(name, &bytes, encoding) {
                prop_assert!(table.columns.iter().all(|column| column.cells.len() == table.rows));
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for name in ["x.csv", "x.json", "x.ndjson", "x.dsjc", "x.xpt", "x.parquet", "x.doc"] {
            let _ = read(name, &bytes, Encoding::Latin1);
        }
    }
}
