//! `equipoise analyse` as its users run it.

use std::fs;

use crate::{root, run};

#[test]
fn the_pilot_is_analysed_into_a_report_results_and_a_reporting_event() {
    let out = tempfile::tempdir().unwrap();
    let (pilot, out) = (root().join("examples/cdisc-pilot"), out.path());
    let data = pilot.join("data");
    let arguments = [
        "analyse",
        pilot.to_str().unwrap(),
        "--data",
        data.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
    ];
    let said = run(&arguments);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    for title in ["14-2.01 Demography and baseline", "Chi-squared (degrees of freedom), p", "PRURITUS"] {
        assert!(page.contains(title), "{title}");
    }
    let results = fs::read_to_string(out.join("results.csv")).unwrap();
    assert!(results.contains("\"14-5.01/participants[Xanomeline High Dose]\",76,\"76\","));
    assert!(out.join("results.ars.json").exists() && out.join("results.json").exists());
    assert!(out.join("figures/figure-survival-figure-14-1.svg").exists());
    if cfg!(feature = "pdf") {
        assert!(fs::read(out.join("report.pdf")).unwrap().starts_with(b"%PDF-"));
        fs::remove_file(out.join("report.pdf")).unwrap();
    }
    // The same again gives the same bytes, and no paper where none is wanted.
    let first = fs::read(out.join("report.html")).unwrap();
    assert!(run(&[&arguments[..], &["--no-pdf"]].concat()).status.success());
    assert_eq!(fs::read(out.join("report.html")).unwrap(), first);
    assert!(!out.join("report.pdf").exists());
}

#[test]
fn data_that_do_not_fit_are_refused_with_where_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (plan, data, out) =
        (folder.path().join("plan"), folder.path().join("data"), folder.path().join("out"));
    fs::create_dir(&plan).unwrap();
    fs::create_dir(&data).unwrap();
    let text = r#"
[data.people]
participants = true
subject = "ID"
keys = ["ID"]
columns = { ID = { kind = "text" }, AGE = { kind = "number" } }
[sets]
all = { label = "All", who = "present(ID)", mark = "assumed" }
[analyses.age]
label    = "Age"
role     = "descriptive"
method   = "describe"
options  = { quartiles = "type 7" }
set      = "all"
variable = "AGE"
"#;
    fs::write(plan.join("analysis.toml"), text).unwrap();
    fs::write(data.join("people.csv"), "ID,AGE\np1,old\np1,40\n").unwrap();
    let arguments = |plan: &str| {
        ["analyse", plan, "--data", data.to_str().unwrap(), "--out", out.to_str().unwrap()].map(str::to_owned)
    };
    let refused = |plan: &str| {
        let arguments = arguments(plan);
        let said = run(&arguments.each_ref().map(String::as_str));
        assert_eq!(said.status.code(), Some(1));
        assert!(!out.exists(), "nothing is written");
        String::from_utf8(said.stderr).unwrap()
    };
    let said = refused(plan.to_str().unwrap());
    assert!(said.contains("people.csv, row 1, column AGE: `old` is not a number"), "{said}");
    assert!(said.contains("people.csv: rows 1 and 2 have the same key (ID p1)"), "{said}");
    fs::remove_file(data.join("people.csv")).unwrap();
    assert!(
        refused(plan.to_str().unwrap()).contains("holds no data set `people`; put it there as people.dsjc")
    );
    let study = root().join("studies/imatinib-open");
    assert!(refused(study.to_str().unwrap()).contains("record"), "data sets are no record");
}

#[test]
fn a_study_s_plan_on_its_record_gives_the_numbers_of_the_demo() {
    let (demo, _) = crate::demo(7);
    let folder = demo.path().join("imatinib-open");
    let out = tempfile::tempdir().unwrap();
    let study = folder.join("study");
    let arguments = [
        "analyse",
        study.to_str().unwrap(),
        "--data",
        folder.to_str().unwrap(),
        "--no-pdf",
        "--out",
        out.path().to_str().unwrap(),
    ];
    let said = run(&arguments);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    for file in ["results.json", "results.ars.json", "data/subjects.csv"] {
        assert_eq!(fs::read(out.path().join(file)).unwrap(), fs::read(folder.join(file)).unwrap(), "{file}");
    }
    // Another version of the study is refused.
    let other = root().join("studies/imatinib-controlled");
    let refused =
        run(&["analyse", other.to_str().unwrap(), "--data", folder.to_str().unwrap(), "--out", "x"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("name the folder of that version"));
}
