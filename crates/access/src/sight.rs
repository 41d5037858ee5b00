//! How much of a data class a role sees.

use protocol::model::{Sight, Study};
use terms::{DataClassId, RoleId};

/// What is being looked at, seen from the person who looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Viewing {
    /// The participant belongs to a site at which the person has the role.
    pub own_site: bool,
    /// The person entered it at the visit in hand.
    pub own_entry: bool,
}

/// Returns how much a role sees of a data class; what a study file does not name is not seen.
pub fn may_see(study: &Study, role: &RoleId, class: &DataClassId) -> Sight {
    study
        .role(role.as_str())
        .and_then(|role| role.sees.iter().find(|(named, _)| named == class))
        .map_or(Sight::None, |(_, sight)| *sight)
}

/// Says whether single values may be read. Masked and pooled sight shows none of them.
pub fn may_read(sight: Sight, viewing: Viewing) -> bool {
    match sight {
        Sight::None | Sight::Masked | Sight::Pooled => false,
        Sight::OwnVisit => viewing.own_entry,
        Sight::Site => viewing.own_site,
        Sight::All => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sees_the_own_visit_sees_no_other_entry() {
        assert!(may_read(Sight::OwnVisit, Viewing { own_site: true, own_entry: true }));
        assert!(!may_read(Sight::OwnVisit, Viewing { own_site: true, own_entry: false }));
    }

    #[test]
    fn masked_and_pooled_sight_shows_no_single_value() {
        let everything_own = Viewing { own_site: true, own_entry: true };
        assert!(!may_read(Sight::Masked, everything_own));
        assert!(!may_read(Sight::Pooled, everything_own));
        assert!(!may_read(Sight::None, everything_own));
    }

    #[test]
    fn a_site_role_sees_its_own_site_only() {
        assert!(may_read(Sight::Site, Viewing { own_site: true, own_entry: false }));
        assert!(!may_read(Sight::Site, Viewing::default()));
        assert!(may_read(Sight::All, Viewing::default()));
    }
}
