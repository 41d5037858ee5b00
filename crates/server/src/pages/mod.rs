//! The pages, one file each, with their templates in `templates/`.

pub mod account;
pub mod administration;
pub mod allocation;
pub mod arrive;
pub mod audit;
pub mod blank_forms;
pub mod break_blind;
pub mod bulk_queries;
pub mod calendar;
pub mod closing;
pub mod consent;
pub mod dashboard;
pub mod failure;
pub mod files;
pub mod form;
pub mod go_live;
pub mod home;
pub mod participant;
pub mod participants;
pub mod queries;
pub mod schedule;
pub mod sheet;
pub mod signature;
pub mod slides;
pub mod steps;
pub mod verification;
