//! Questionnaires, scores, reference equations and grades: items, missing rules and formulas.
//!
//! An [`Instrument`] brings items to a form and scores their answers; find one with
//! [`by_id`]. Grades and monitoring rules that are not forms ([`ctcae5_labs`],
//! [`stopping_rule`], [`binomial_safety`]) are plain functions. [`percent_predicted`] serves a
//! simulator that turns percent predicted into litres. [`qualification`] runs any
//! instrument from and to JSON.
//!
//! "Not scorable" is a result with a reason and never 0. This crate knows no study, no
//! record and no file: its tables are compiled in.

pub mod acr_criss;
pub mod acr_eular_2013;
pub mod activity_index;
mod answers;
pub mod binomial_safety;
pub mod body_surface;
pub mod bsa;
pub mod ckd_epi_2021;
pub mod cockcroft_gault;
pub mod crapo;
pub mod ctcae5_clinical;
pub mod ctcae5_labs;
pub mod ctcae5_terms;
pub mod dili_hys_law;
pub mod dlqi;
pub mod echocardiography;
pub mod gli2012;
pub mod gli2017_dlco;
pub mod gli2021_volumes;
pub mod gli2022;
pub mod global_vas;
pub mod haemoglobin;
pub mod haq_di;
mod instrument;
pub mod loscat;
mod lung_function;
pub mod mrss;
pub mod nhanes3;
pub mod qualification;
pub mod rand36;
pub mod revised_criss;
pub mod sf36_summary;
pub mod shaq_vas;
pub mod skin_biopsy;
pub mod skin_biopsy_pair;
mod spline_table;
pub mod ssc_haq;
pub mod stopping_rule;
mod weighted;

pub use instrument::{
    CodeLabel, Context, Derived, Ethnicity, Instrument, InstrumentItem, ItemKind, Label, Need, NotScorable,
    Sex,
};
pub use lung_function::{PercentPredicted, Reference};

/// The instruments that a form can hold, in alphabetical order of their ids.
static ALL: &[&dyn Instrument] = &[
    &acr_criss::ACR_CRISS,
    &acr_eular_2013::ACR_EULAR_2013,
    &activity_index::ACTIVITY_INDEX,
    &body_surface::BODY_SURFACE,
    &bsa::BSA,
    &ckd_epi_2021::CKD_EPI_2021,
    &cockcroft_gault::COCKCROFT_GAULT,
    &crapo::CRAPO,
    &dili_hys_law::DILI_HYS_LAW,
    &dlqi::DLQI,
    &echocardiography::ECHOCARDIOGRAPHY,
    &gli2012::GLI2012,
    &gli2017_dlco::GLI2017_DLCO,
    &gli2021_volumes::GLI2021_VOLUMES,
    &gli2022::GLI2022,
    &global_vas::GLOBAL_VAS,
    &haq_di::HAQ_DI,
    &loscat::LOSCAT,
    &mrss::MRSS,
    &mrss::MRSS_PRO_RATA,
    &nhanes3::NHANES3,
    &rand36::RAND36,
    &revised_criss::REVISED_CRISS,
    &sf36_summary::SF36,
    &sf36_summary::SF36_V2,
    &shaq_vas::SHAQ_VAS,
    &shaq_vas::SHAQ_VAS_100MM,
    &skin_biopsy::SKIN_BIOPSY,
    &skin_biopsy_pair::SKIN_BIOPSY_PAIR,
    &ssc_haq::SSC_HAQ,
];

/// Returns all instruments in alphabetical order of their ids.
pub fn all() -> &'static [&'static dyn Instrument] {
    ALL
}

/// Returns the instrument of that id.
pub fn by_id(id: &str) -> Option<&'static dyn Instrument> {
    ALL.iter().copied().find(|instrument| instrument.id() == id)
}

/// Returns what stands behind a lung-function instrument's derived percent predicted (`fvc_pct_pred`).
///
/// `None` if `instrument` is no lung-function set, or `item` no percent predicted of something entered.
pub fn percent_predicted(instrument: &str, item: &str) -> Option<PercentPredicted> {
    PercentPredicted::of(lung_function::set(instrument)?, item)
}
