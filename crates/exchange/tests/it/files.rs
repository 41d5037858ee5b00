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

#[cfg(feature = "parquet")]
#[test]
fn every_flat_type_of_parquet_is_read_however_it_is_encoded() {
    use RawCell::{Flag, Missing, Number};
    let whole = |low: f64, high: f64| vec![Number(low), Missing, Number(high), Number(0.0), Number(5.0)];
    let unsigned = |high: f64| vec![Number(high), Missing, Number(0.0), Number(1.0), Number(5.0)];
    let texts = |all: [&str; 4]| {
        let mut cells: Vec<RawCell> = all.iter().map(|one| text(one)).collect();
        cells.insert(1, Missing);
        cells
    };
    let numbers = |all: [f64; 4]| {
        let mut cells: Vec<RawCell> = all.iter().map(|one| Number(*one)).collect();
        cells.insert(1, Missing);
        cells
    };
    let moments = || texts(["1959-12-31", "1970-01-01", "2026-02-28", "2000-02-29"]);
    let expected = [
        ("INT8", whole(-128.0, 127.0)),
        ("INT16", whole(-32768.0, 32767.0)),
        ("INT32", whole(-2147483648.0, 2147483647.0)),
        ("INT64", whole(-9007199254740991.0, 9007199254740991.0)),
        ("UINT8", unsigned(255.0)),
        ("UINT16", unsigned(65535.0)),
        ("UINT32", unsigned(4294967295.0)),
        ("UINT64", unsigned(9007199254740991.0)),
        ("FLOAT", vec![Number(0.5), Missing, Number(-2.25), Missing, Number(1e10)]),
        ("DOUBLE", vec![Number(0.1), Missing, Number(-1e-300), Missing, Number(1e300)]),
        ("DECIMAL", numbers([12345.678, -0.001, 0.0, 5.0])),
        ("WIDE", numbers([-1234567890123456789.5, 0.1, 2.0, 5.0])),
        ("BOOL", vec![Flag(true), Missing, Flag(false), Flag(true), Flag(false)]),
        ("STRING", vec![text("å"), Missing, Missing, text("a,b"), text(&"x".repeat(300))]),
        ("LARGE", texts(["one", "two", "three", "four"])),
        ("CODED", texts(["low", "high", "low", "low"])),
        ("DATE32", texts(["1582-10-15", "1970-01-01", "2026-02-28", "9999-12-31"])),
        ("DATE64", moments()),
        ("MILLIS", moments()),
        ("MICROS", moments()),
        ("NANOS", moments()),
        ("ZONED", moments()),
        ("NOTHING", vec![Missing; 5]),
    ];
    for file in ["plain", "coded", "delta", "empty"] {
        let table = read("types.parquet", &bytes(&format!("types-{file}.parquet")), Encoding::Utf8).unwrap();
        assert_eq!(table.columns.len(), expected.len());
        for (name, cells) in &expected {
            let cells = if file == "empty" { &[][..] } else { cells.as_slice() };
            assert_eq!(column(&table, name), cells, "{file} {name}");
        }
    }
}

#[cfg(feature = "parquet")]
#[test]
fn what_no_flat_table_holds_is_refused_with_its_column() {
    for (name, wanted) in [
        ("list", "column X holds tables of its own; write flat columns"),
        ("struct", "column X holds tables of its own; write flat columns"),
        ("map", "column X holds tables of its own; write flat columns"),
        ("binary", "text, a number, a date, or true or false"),
        ("time", "text, a number, a date, or true or false"),
    ] {
        let refused =
            read("x.parquet", &bytes(&format!("refused-{name}.parquet")), Encoding::Utf8).unwrap_err();
        let message = refused.to_string();
        assert!(message.contains(wanted) && message.contains('X'), "{name}: {message}");
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
