//! What a person in a role may see of a study: the one place where pages learn it.
//!
//! Rights are study × site × role × delegation. A seat is a role that was delegated to the person by today, with the
//! sites of the delegation. Every list, count, page, search and error is made through it, so
//! that what a role may not know exists is simply not there.

use std::{cell::OnceCell, collections::BTreeSet};

use access::{may_see, needs, reach};
use conduct::{Casebook, Query, State, is_scheduled, scheduled_visit};
use protocol::model::{Form, Power, Purpose, Role, Sight, Study};
use record::FormKey;
use terms::{DataClassId, Date, PersonId, RoleId, SiteId, VisitId};

use crate::course::Schedule;

/// The participants' own role, which has no seat among the staff.
const PARTICIPANT: &str = "participant";

/// The sites of a delegation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sites {
    /// All of them.
    All,
    /// These.
    These(BTreeSet<SiteId>),
}

/// How a form shows itself to a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shown {
    /// Not even that it exists.
    No,
    /// That it is there and how complete, without values.
    Masked,
    /// With its values.
    Yes,
}

/// A person in a role.
#[derive(Clone, Debug)]
pub struct Seat<'a> {
    /// The study.
    pub study: &'a Study,
    /// The person.
    pub person: PersonId,
    /// The role.
    pub role: &'a Role,
    /// Where.
    pub sites: Sites,
    /// What the seat is to the study's forms, once it was asked for.
    forms: OnceCell<Forms<'a>>,
}

/// What the schedule and the role are to the study's forms: looked up once, since a course of visits asks for each form at each visit.
#[derive(Clone, Debug)]
struct Forms<'a> {
    schedule: Schedule<'a>,
    /// How much the role sees of each form, by its place, and whether earlier entries are hidden from it.
    sights: Vec<(Sight, bool)>,
}

/// Returns the seats of a person on a day, in the order of the study's roles.
pub fn seats<'a>(study: &'a Study, state: &State, person: &PersonId, today: Date) -> Vec<Seat<'a>> {
    // Every request asks for this, and of some hundred grants a person has few.
    let held: Vec<&RoleId> = state.delegations.roles_of(person).collect();
    study
        .roles
        .iter()
        .filter(|role| role.id != *PARTICIPANT && held.contains(&&role.id))
        .filter_map(|role| {
            let grants: Vec<_> = state.delegations.effective(person, role, today).collect();
            if grants.is_empty() {
                return None;
            }
            let sites = if grants.iter().any(|grant| grant.site.is_none()) {
                Sites::All
            } else {
                Sites::These(grants.iter().filter_map(|grant| grant.site.clone()).collect())
            };
            Some(Seat::new(study, person.clone(), role, sites))
        })
        .collect()
}

impl Sites {
    /// Says whether a site is among them.
    pub fn hold(&self, site: &SiteId) -> bool {
        match self {
            Sites::All => true,
            Sites::These(sites) => sites.contains(site),
        }
    }
}

impl<'a> Seat<'a> {
    /// Puts a person in a role at sites.
    pub fn new(study: &'a Study, person: PersonId, role: &'a Role, sites: Sites) -> Self {
        Self { study, person, role, sites, forms: OnceCell::new() }
    }

    fn forms(&self) -> &Forms<'a> {
        self.forms.get_or_init(|| {
            let sight = |form: &Form| {
                let sight = may_see(self.study, &self.role.id, &form.data_class);
                (sight, self.history_is_hidden(&form.data_class))
            };
            Forms { schedule: Schedule::of(self.study), sights: self.study.forms.iter().map(sight).collect() }
        })
    }

    /// Returns what the study's schedule asks for.
    pub fn schedule(&self) -> &Schedule<'a> {
        &self.forms().schedule
    }

    /// Says whether the role has a power.
    pub fn may(&self, power: Power) -> bool {
        self.role.may.contains(&power)
    }

    /// Returns how much the role sees of a data class.
    pub fn sight(&self, class: &str) -> Sight {
        may_see(self.study, &self.role.id, &DataClassId::from(class))
    }

    /// Says whether the role reads single values of a data class within its sites.
    pub fn reads(&self, class: &str) -> bool {
        self.sight(class) >= Sight::Site
    }

    /// Returns the sites of the study that the seat reaches, in order.
    pub fn own_sites(&self) -> impl Iterator<Item = &'a protocol::model::Site> {
        let sites = self.sites.clone();
        self.study.sites.iter().filter(move |site| sites.hold(&site.id))
    }

    /// Says whether the role belongs to those who see a participant's course: visits and how complete they are.
    pub fn follows_course(&self) -> bool {
        // Results, readings of coded slides and queries say nothing of a single participant's course.
        let apart = ["pooled_results", "results_by_arm", "biopsy_readings", "queries", "audit", "allocation"];
        self.role.sees.iter().any(|(class, sight)| *sight >= Sight::Site && !apart.contains(&class.as_str()))
    }

    /// Says whether the seat sees participants at all.
    pub fn sees_participants(&self) -> bool {
        self.follows_course() || self.study.forms.iter().any(|form| self.fills(form))
    }

    /// Says whether the seat may know that a participant exists.
    pub fn sees_subject(&self, casebook: &Casebook) -> bool {
        self.sees_participants() && self.sites.hold(&casebook.site)
    }

    /// Says whether the role fills a form, slides read blind aside.
    pub fn fills(&self, form: &Form) -> bool {
        form.purpose != Some(Purpose::SpecimenReading)
            && form.filled_by.contains(&self.role.id)
            && self.role.enters.contains(&form.data_class)
    }

    /// Says how a form of a participant shows itself.
    pub fn form(&self, casebook: &Casebook, key: &FormKey) -> Shown {
        let Some(place) = self.schedule().place(&key.form) else { return Shown::No };
        let scheduled = |visit: &VisitId| {
            let known = scheduled_visit(self.study, visit);
            known.is_some_and(|known| is_scheduled(self.study, known, &key.form))
        };
        let there =
            || key.visit.as_ref().is_none_or(|visit| casebook.forms.contains_key(key) || scheduled(visit));
        self.shown(casebook, place, key, there)
    }

    /// Says how the form at a place shows itself; `there` says whether it was begun or the schedule asks for it.
    fn shown(&self, casebook: &Casebook, place: usize, key: &FormKey, there: impl FnOnce() -> bool) -> Shown {
        let form = &self.study.forms[place];
        if form.purpose == Some(Purpose::SpecimenReading) || !self.sites.hold(&casebook.site) || !there() {
            return Shown::No;
        }
        let (sight, history_is_hidden) = self.forms().sights[place];
        match sight {
            // Whether an entry is history is looked up where it matters alone: every form of every list comes by here.
            Sight::Site | Sight::All if history_is_hidden && self.is_past(casebook, form, key) => Shown::No,
            Sight::Site | Sight::All => Shown::Yes,
            Sight::Masked => Shown::Masked,
            Sight::OwnVisit if self.is_in_hand(casebook, form, key) => Shown::Yes,
            Sight::None if self.fills(form) && self.is_in_hand(casebook, form, key) => Shown::Yes,
            Sight::OwnVisit | Sight::None | Sight::Pooled => Shown::No,
        }
    }

    /// Says whether earlier entries of a class are a class of their own, which the role does not read.
    fn history_is_hidden(&self, class: &DataClassId) -> bool {
        let history = |known: &&protocol::model::DataClass| {
            known.id.as_str().strip_suffix("_history") == Some(class.as_str())
        };
        let history = self.study.data_classes.iter().find(history);
        history.is_some_and(|history| !self.reads(history.id.as_str()))
    }

    /// Says whether the seat may enter or correct a form.
    pub fn enters(&self, casebook: &Casebook, key: &FormKey) -> bool {
        self.study.form(key.form.as_str()).is_some_and(|form| self.fills(form))
            && self.form(casebook, key) == Shown::Yes
    }

    /// Says whether a later visit with this form was held: then an entry is history. Of two visits on one day the one that was
    /// held first is, once its form is filled.
    fn is_past(&self, casebook: &Casebook, form: &Form, key: &FormKey) -> bool {
        let Some(visit) = &key.visit else { return false };
        let Some(own) = casebook.visits.get(visit).map(|held| held.held) else { return false };
        let filled = casebook.forms.contains_key(key);
        casebook.visits.iter().any(|(other, held)| {
            let same_day = held.held.date == own.date && held.held.sequence > own.sequence;
            (held.held.date > own.date || same_day && filled)
                && scheduled_visit(self.study, other)
                    .is_some_and(|known| is_scheduled(self.study, known, &form.id))
        })
    }

    /// The visit in hand: the role fills the form, nobody else has, no later visit with it was held, and the
    /// visit is not signed.
    fn is_in_hand(&self, casebook: &Casebook, form: &Form, key: &FormKey) -> bool {
        let by_other = |filled: &conduct::FilledForm| filled.first_by.person != self.person;
        self.fills(form)
            && !casebook.forms.get(key).is_some_and(by_other)
            && key.visit.as_ref().is_none_or(|visit| {
                casebook.visits.contains_key(visit)
                    && !casebook.signatures.contains_key(visit)
                    && !self.is_past(casebook, form, key)
            })
    }

    /// Says whether the seat may know of a query.
    pub fn sees_query(&self, casebook: &Casebook, query: &Query) -> bool {
        if self.form(casebook, &query.key) != Shown::Yes {
            return false;
        }
        if self.reads("queries") {
            return true;
        }
        query.addressed_to == self.role.id
    }

    /// Says whether the seat may see a visit in the participant's course.
    pub fn sees_visit(&self, casebook: &Casebook, visit: &VisitId) -> bool {
        self.follows_course() || self.forms_at(casebook, visit).next().is_some()
    }

    /// Returns the forms of a visit that the seat sees, in the order of the schedule, begun ones included.
    pub fn forms_at<'s>(
        &'s self,
        casebook: &'s Casebook,
        visit: &'s VisitId,
    ) -> impl Iterator<Item = (&'a Form, FormKey, Shown)> + 's {
        let stem = scheduled_visit(self.study, visit).map_or(visit, |known| &known.id);
        let unscheduled = stem != visit;
        let schedule = self.schedule();
        let marked = schedule.marked_at(stem);
        let begun: Vec<usize> =
            casebook.forms_at(visit).filter_map(|(key, _)| schedule.place(&key.form)).collect();
        self.study
            .forms
            .iter()
            .enumerate()
            .filter(|(_, form)| form.by_visit && form.purpose != Some(Purpose::SpecimenReading))
            .filter_map(move |(place, form)| {
                let asked = unscheduled || marked.contains(&place);
                if !asked && !begun.contains(&place) {
                    return None;
                }
                let row = u32::from(form.repeating);
                let key = FormKey { visit: Some(visit.clone()), form: form.id.clone(), row };
                let shown = self.shown(casebook, place, &key, || asked || casebook.forms.contains_key(&key));
                Some((form, key, shown))
            })
            .filter(|(_, _, shown)| *shown != Shown::No)
    }

    /// Returns the forms that run through the trial and that the seat sees.
    pub fn log_forms(&self, casebook: &Casebook) -> Vec<(&'a Form, Shown)> {
        self.study
            .forms
            .iter()
            .enumerate()
            .filter(|(_, form)| !form.by_visit)
            .map(|(place, form)| {
                let row = u32::from(form.repeating);
                let key = FormKey { visit: None, form: form.id.clone(), row };
                (form, self.shown(casebook, place, &key, || true))
            })
            .filter(|(_, shown)| *shown != Shown::No)
            .collect()
    }

    /// Says whether a step is one that the role may take, for what a page offers. The decision is `conduct`'s.
    pub fn may_take(&self, step: access::Step) -> bool {
        let able = match needs(step) {
            access::Needs::Power(power) => self.may(power),
            access::Needs::AnyOf(powers) => powers.iter().any(|power| self.may(*power)),
            access::Needs::Entry => true,
            access::Needs::AskedOr(power) => self.may(power),
        };
        able && (reach(step) == access::Reach::Site || self.sites == Sites::All)
    }

    /// Returns the role's id.
    pub fn role_id(&self) -> &'a RoleId {
        &self.role.id
    }
}
