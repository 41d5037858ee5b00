//! Who was given which role, where and since when.

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
}

/// The delegations of a study, as the record tells them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delegations {
    grants: Vec<Grant>,
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
                && grant.from <= date
                && (grant.site.is_none() || grant.site.as_ref() == site)
        })
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
