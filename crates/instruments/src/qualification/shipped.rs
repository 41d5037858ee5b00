//! The reference cases that every build carries, so that an installed program can be qualified where it stands.

/// One file of reference cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaseFile {
    /// Its name in the crate's `vectors` folder.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! case_files {
    ($($name:literal,)*) => {
        &[$(CaseFile { name: $name, text: include_str!(concat!("../../vectors/", $name)) }),*]
    };
}

/// All files, in order of their names.
pub const CASE_FILES: &[CaseFile] = case_files![
    "acr_criss.json",
    "acr_eular_2013.json",
    "activity_index.json",
    "binomial_safety.json",
    "bsa.json",
    "ckd_epi_2021.json",
    "ctcae5_labs.json",
    "dili_hys_law.json",
    "dlqi.json",
    "gli2012.json",
    "gli2017_dlco.json",
    "gli2021_volumes.json",
    "gli2022.json",
    "haq_di.json",
    "mrss.json",
    "nhanes3.json",
    "rand36.json",
    "revised_criss.json",
    "sf36_summary.json",
    "shaq_vas.json",
    "ssc_haq.json",
    "stopping_rule.json",
];
