//! Who was given which role, where, from when to when, and who was trained for it.

use std::collections::BTreeMap;

use protocol::model::{Power, Role, Sight, Study};
use terms::{Date, PersonId, RoleId, SiteId};

/// One delegation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The person.
    pub person: PersonId,
    /// The role.
    pub role: RoleId,
    /// The site; none: all sites and the study as a whole.
    pub site: Option<SiteId>,
    /// The first day.
    pub from: Date,
    /// The last day, once it is known.
    pub until: Option<Date>,
}

impl Grant {
    /// Says whether the delegation is in force on a day.
    pub fn is_in_force(&self, date: Date) -> bool {
        self.from <= date && self.until.is_none_or(|until| date <= until)
    }
}

/// The delegations of a study, as the record tells them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delegations {
    grants: Vec<Grant>,
    training: BTreeMap<(PersonId, RoleId), Date>,
    needs_training: bool,
}

impl Delegations {
    /// Adds a delegation.
    pub fn add(&mut self, grant: Grant) {
        self.grants.push(grant);
    }

    /// Says whether a person has a role on a day at a site, or (none) for the whole study.
    pub fn holds(&self, person: &PersonId, role: &RoleId, site: Option<&SiteId>, date: Date) -> bool {
        self.grants.iter().any(|grant| {
            grant.person == *person
                && grant.role == *role
                && grant.is_in_force(date)
                && (grant.site.is_none() || grant.site.as_ref() == site)
        })
    }

    /// Ends a person's delegations of a role at a site, or (none) for the whole study, after a day.
    pub fn end(&mut self, person: &PersonId, role: &RoleId, site: Option<&SiteId>, until: Date) {
        let same = |grant: &&mut Grant| {
            grant.person == *person && grant.role == *role && grant.site.as_ref() == site
        };
        for grant in self.grants.iter_mut().filter(same) {
            if grant.is_in_force(until) || grant.until.is_none() {
                grant.until = Some(until);
            }
        }
    }

    /// From now on nobody acts in a role without a record of training for it, those who administer excepted.
    pub fn require_training(&mut self) {
        self.needs_training = true;
    }

    /// Records that a person was trained for a role on a day.
    pub fn record_training(&mut self, person: &PersonId, role: &RoleId, date: Date) {
        self.training.entry((person.clone(), role.clone())).or_insert(date);
    }

    /// Returns the day on which a person was first trained for a role.
    pub fn trained_on(&self, person: &PersonId, role: &RoleId) -> Option<Date> {
        self.training.get(&(person.clone(), role.clone())).copied()
    }

    /// Says whether a person has the training that a role asks for on a day. Whoever administers records the others'.
    pub fn is_trained(&self, person: &PersonId, role: &Role, date: Date) -> bool {
        !self.needs_training
            || role.may.contains(&Power::Administer)
            || self.trained_on(person, &role.id).is_some_and(|trained| trained <= date)
    }

    /// Returns a person's delegations of a role that give rights on a day: in force, and trained for.
    pub fn effective<'a>(
        &'a self,
        person: &'a PersonId,
        role: &'a Role,
        date: Date,
    ) -> impl Iterator<Item = &'a Grant> {
        let trained = self.is_trained(person, role, date);
        self.grants
            .iter()
            .filter(move |grant| trained && grant.person == *person && grant.role == role.id)
            .filter(move |grant| grant.is_in_force(date))
    }

    /// Returns the roles that a person was ever given, anywhere.
    pub fn roles_of<'a>(&'a self, person: &'a PersonId) -> impl Iterator<Item = &'a RoleId> {
        self.grants.iter().filter(move |grant| grant.person == *person).map(|grant| &grant.role)
    }

    /// Returns all delegations in order.
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }
}

/// Returns why a person who has `held` can't be given `new`, if that is so.
///
/// Two conflicts are of the trial's essence: a blinded role and one that knows the
/// allocation; reading coded specimens and keeping their key.
pub fn conflict(study: &Study, held: &RoleId, new: &RoleId) -> Option<&'static str> {
    let (held, new) = (study.role(held.as_str())?, study.role(new.as_str())?);
    let either = |first: &dyn Fn(&Role) -> bool, second: &dyn Fn(&Role) -> bool| {
        (first(held) && second(new)) || (first(new) && second(held))
    };
    if either(&|role| role.blinded, &knows_allocation) {
        return Some("one is blinded and the other knows the allocation");
    }
    let reads = |role: &Role| role.may.contains(&Power::ReadSpecimens);
    let keeps_key = |role: &Role| role.may.contains(&Power::KeepSpecimenKey);
    if either(&reads, &keeps_key) {
        return Some("one reads coded specimens and the other keeps their key");
    }
    None
}

fn knows_allocation(role: &Role) -> bool {
    !role.blinded
        && (role.may.contains(&Power::SealAllocation)
            || role.may.contains(&Power::UnblindStudy)
            || role.sees.iter().any(|(class, sight)| *class == "allocation" && *sight > Sight::None))
}
