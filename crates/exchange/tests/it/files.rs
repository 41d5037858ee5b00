//! Files that independent programs wrote (`tests/files/make.R`, `tests/files/make.py`), and hand-written ones.

use std::{fs, io::Write, path::Path};

use exchange::{DataError, Encoding, RawCell, RawTable, read};

pub fn bytes(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(name)).unwrap()
}

pub fn pilot(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/cdisc-pilot/data");
    fs::read(folder.join(name)).unwrap()
}

pub fn column<'a>(table: &'a RawTable, name: &str) -> &'a [RawCell] {
    &table.column(name).unwrap().cells
}

pub fn text(text: &str) -> RawCell {
    RawCell::Text(text.to_owned())
}

/// The four rows that all made files hold.
fn expect_made(table: &RawTable, age: &str) {
    use RawCell::{Missing, Number};
    assert_eq!(table.rows, 4);
    assert_eq!(column(table, "USUBJID"), ["01-001", "01-002", "02-001", "02-002"].map(text));
    assert_eq!(column(table, age), [Number(40.0), Number(71.5), Missing, Number(-3.0)]);
    let dates = [text("2013-02-12"), text("1959-12-31"), Missing, text("2024-02-29")];
    assert_eq!(column(table, "START"), dates);
}

#[test]
fn a_transport_file_of_version_5_is_read_to_the_last_bit() {
    let table = read("made.xpt", &bytes("made-5.xpt"), Encoding::Utf8).unwrap();
    expect_made(&table, "AGE");
    assert_eq!(table.column("AGE").unwrap().label, "Age at entry");
    // An IBM double has at least as many bits as a third of ours needs to come back within one unit of the last place.
    let tiny = [0.1, 1.0 / 3.0, 1e-30, 123_456_789.125];
    for (cell, number) in column(&table, "TINY").iter().zip(tiny) {
        let RawCell::Number(read) = cell else { panic!("{cell:?}") };
        assert!((read / number - 1.0).abs() <= f64::EPSILON, "{read} {number}");
    }
    assert_eq!(column(&table, "NOTE"), [text("a, \"b\""), RawCell::Missing, text("x"), text("last")]);
}

#[test]
fn a_transport_file_of_version_8_has_long_names_and_labels() {
    let table = read("made.xpt", &bytes("made-8.xpt"), Encoding::Utf8).unwrap();
    expect_made(&table, "AGE_AT_ENTRY_IN_WHOLE_YEARS");
    let label = &table.column("AGE_AT_ENTRY_IN_WHOLE_YEARS").unwrap().label;
    assert_eq!(label, "Age at entry, in years that were completed by then, as the participant said it was");
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_is_read_in_each_common_compression() {
    for codec in ["none", "snappy", "zstd", "gzip"] {
        let table = read("made.parquet", &bytes(&format!("made-{codec}.parquet")), Encoding::Utf8).unwrap();
        expect_made(&table, "AGE");
        let numbers = [RawCell::Number(1.0), RawCell::Number(2.0), RawCell::Missing, RawCell::Number(4.0)];
        assert_eq!(column(&table, "COUNT"), numbers);
        let flags = [RawCell::Flag(true), RawCell::Flag(false), RawCell::Missing, RawCell::Flag(true)];
        assert_eq!(column(&table, "FLAG"), flags);
    }
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_program_built_without_parquet_says_so() {
    let refused = read("made.parquet", &bytes("made-none.parquet"), Encoding::Utf8).unwrap_err();
    assert!(refused.to_string().contains("built without Parquet"), "{refused}");
}

const DOCUMENT: &str = r#"{"datasetJSONCreationDateTime": "2026-01-01T00:00:00", "datasetJSONVersion": "1.1.0", "itemGroupOID": "IG.X",
 "records": 2, "name": "X", "label": "Made", "columns": [
 {"itemOID": "IT.1", "name": "USUBJID", "label": "Participant", "dataType": "string"},
 {"itemOID": "IT.2", "name": "AVAL", "label": "Value", "dataType": "decimal"},
 {"itemOID": "IT.3", "name": "ADT", "label": "Day", "dataType": "date"}]"#;
const ROWS: [&str; 2] = [r#"["01", "0.1", "2013-02-12"]"#, r#"["02", null, ""]"#];

pub fn ndjson() -> String {
    format!("{}}}\n{}\n{}\n", DOCUMENT.replace('\n', " "), ROWS[0], ROWS[1])
}

fn expect_json(table: &RawTable) {
    assert_eq!((table.rows, table.label.as_str()), (2, "Made"));
    assert_eq!(column(table, "AVAL"), [RawCell::Number(0.1), RawCell::Missing]);
    assert_eq!(column(table, "ADT"), [text("2013-02-12"), RawCell::Missing]);
}

#[test]
fn dataset_json_is_read_in_all_its_forms() {
    let whole = format!("{DOCUMENT}, \"rows\": [{}, {}]}}", ROWS[0], ROWS[1]);
    expect_json(&read("x.json", whole.as_bytes(), Encoding::Utf8).unwrap());
    expect_json(&read("x.ndjson", ndjson().as_bytes(), Encoding::Utf8).unwrap());
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    zlib.write_all(ndjson().as_bytes()).unwrap();
    expect_json(&read("x.dsjc", &zlib.finish().unwrap(), Encoding::Utf8).unwrap());
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(ndjson().as_bytes()).unwrap();
    expect_json(&read("x.dsjc", &gzip.finish().unwrap(), Encoding::Utf8).unwrap());
}

#[test]
fn what_the_published_schema_does_not_check_is_checked() {
    let fault = |from: &str, to: &str| {
        let text = ndjson();
        assert!(text.contains(from), "{from}");
        read("x.ndjson", text.replacen(from, to, 1).as_bytes(), Encoding::Utf8).unwrap_err()
    };
    assert!(matches!(
        fault("\"records\": 2", "\"records\": 3"),
        DataError::RowCount { said: 3, found: 2, .. }
    ));
    let short = fault(", \"2013-02-12\"]", "]");
    assert!(matches!(short, DataError::RowWidth { row: 1, found: 2, expected: 3, .. }), "{short}");
    let twice = fault("\"name\": \"AVAL\"", "\"name\": \"USUBJID\"");
    assert!(matches!(&twice, DataError::DuplicateColumn { column, .. } if column == "USUBJID"), "{twice}");
    let wrong = fault("\"0.1\"", "\"much\"");
    assert_eq!(
        wrong.to_string(),
        "x.ndjson, row 1, column AVAL: `\"much\"` is not a number; mend the value, or the column's kind in the plan"
    );
    assert!(
        fault("\"dataType\": \"date\"", "\"dataType\": \"text\"").to_string().contains("data type `text`")
    );
}

#[test]
fn a_comma_separated_file_has_its_header_its_quotes_and_its_encoding() {
    let table =
        read("x.csv", b"\xef\xbb\xbfID,Note\r\n1,\"a, \"\"b\"\"\r\nc\"\r\n2,\r\n", Encoding::Utf8).unwrap();
    assert_eq!(column(&table, "Note"), [text("a, \"b\"\r\nc"), RawCell::Missing]);
    let windows = b"ID,Note\n1,Alzheimer\x92s\n";
    let table = read("x.csv", windows, Encoding::Windows1252).unwrap();
    assert_eq!(column(&table, "Note"), [text("Alzheimer’s")]);
    let refused = read("x.csv", windows, Encoding::Utf8).unwrap_err();
    assert!(
        refused.to_string().starts_with("x.csv, row 1, column Note: the text is not UTF-8; name another"),
        "{refused}"
    );
    let refused = read("x.csv", b"ID,Note\n1,\"a\n2,b\n", Encoding::Utf8).unwrap_err();
    assert!(refused.to_string().contains("begins on line 2 does not end"), "{refused}");
    let refused = read("x.csv", b"ID,Note\n1\n", Encoding::Utf8).unwrap_err();
    assert!(matches!(refused, DataError::RowWidth { row: 1, found: 1, expected: 2, .. }), "{refused}");
}

#[test]
fn the_pilot_is_read_whole() {
    for (name, rows, columns) in [("adsl", 254, 49), ("adae", 1191, 55), ("adtte", 254, 26)] {
        let table = read(&format!("{name}.dsjc"), &pilot(&format!("{name}.dsjc")), Encoding::Utf8).unwrap();
        assert_eq!((table.rows, table.columns.len()), (rows, columns), "{name}");
    }
}
