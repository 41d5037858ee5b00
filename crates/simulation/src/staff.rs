//! The people at the sites, and the rehearsal's clock.

use protocol::model::{BlindReading, Form, Power, Purpose, Study};
use record::Actor;
use terms::{Date, PersonId, RoleId, SiteId, SiteTime, Timestamp};

/// Who holds which role. One person a role and site; central roles have one person.
pub struct Staff<'a> {
    study: &'a Study,
}

/// Powers that are exercised at a site.
const AT_SITES: [Power; 12] = [
    Power::TakeConsent,
    Power::RunVisits,
    Power::DecideEligibility,
    Power::Enrol,
    Power::Dispense,
    Power::ChangeDose,
    Power::ReportEvents,
    Power::EndParticipation,
    Power::AnswerQueries,
    Power::Sign,
    Power::BreakBlind,
    Power::ReceiveKits,
];

impl<'a> Staff<'a> {
    /// Returns the staff that a study needs.
    pub fn new(study: &'a Study) -> Self {
        Self { study }
    }

    /// Returns every person with role and site, in the order of roles and sites.
    pub fn everyone(&self) -> Vec<(PersonId, RoleId, Option<SiteId>)> {
        let mut people = Vec::new();
        for role in &self.study.roles {
            if self.works_at_sites(&role.id) {
                for site in &self.study.sites {
                    people.push((person_at(&role.id, &site.id), role.id.clone(), Some(site.id.clone())));
                    if self.assesses_blind(&role.id) {
                        people.push((second_at(&role.id, &site.id), role.id.clone(), Some(site.id.clone())));
                    }
                }
            } else {
                let readers = if self.reads_specimens(&role.id) { self.readers() } else { 1 };
                for reader in 1..=readers {
                    people.push((central_person(&role.id, reader), role.id.clone(), None));
                }
            }
        }
        people
    }

    /// Returns who exercises a power for the whole study.
    ///
    /// # Panics
    /// No role of the study has the power; the compiler sees to it that one has.
    pub fn central(&self, power: Power) -> Actor {
        self.reader(power, 1)
    }

    /// Returns the `number`th person with a central power.
    pub fn reader(&self, power: Power, number: u32) -> Actor {
        let role = self.role_with(power);
        Actor { person: central_person(&role, number), role }
    }

    /// Returns who exercises a power at a site.
    pub fn at(&self, power: Power, site: &SiteId) -> Actor {
        let role = self.role_with(power);
        Actor { person: person_at(&role, site), role }
    }

    /// Returns who fills a form at a site; the other assessor if `second`.
    pub fn filler(&self, form: &Form, site: &SiteId, second: bool) -> Actor {
        let role = form.filled_by.first().cloned().unwrap_or_else(|| self.role_with(Power::RunVisits));
        let person = if second && self.assesses_blind(&role) {
            second_at(&role, site)
        } else {
            person_at(&role, site)
        };
        Actor { person, role }
    }

    /// Returns the person of a role who answers for a site.
    pub fn of_role(&self, role: &RoleId, site: &SiteId) -> Actor {
        let person = if self.works_at_sites(role) { person_at(role, site) } else { central_person(role, 1) };
        Actor { person, role: role.clone() }
    }

    fn works_at_sites(&self, role: &RoleId) -> bool {
        let fills = self.study.forms.iter().any(|form| form.filled_by.contains(role));
        let acts = self
            .study
            .role(role.as_str())
            .is_some_and(|role| role.may.iter().any(|power| AT_SITES.contains(power)));
        (fills && !self.reads_specimens(role)) || acts
    }

    fn role_with(&self, power: Power) -> RoleId {
        let role = self.study.roles.iter().find(|role| role.may.contains(&power));
        role.expect("the compiler requires a role for every power that the study uses").id.clone()
    }

    fn reads_specimens(&self, role: &RoleId) -> bool {
        self.study.role(role.as_str()).is_some_and(|role| role.may.contains(&Power::ReadSpecimens))
    }

    fn assesses_blind(&self, role: &RoleId) -> bool {
        self.study.forms.iter().any(|form| {
            form.purpose == Some(Purpose::BlindedAssessment) && form.filled_by.first() == Some(role)
        })
    }

    fn readers(&self) -> u32 {
        self.study.blind_reading.as_ref().map_or(1, BlindReading::people)
    }
}

fn person_at(role: &RoleId, site: &SiteId) -> PersonId {
    PersonId::new(format!("{role}.{site}"))
}

fn second_at(role: &RoleId, site: &SiteId) -> PersonId {
    PersonId::new(format!("{role}-2.{site}"))
}

fn central_person(role: &RoleId, number: u32) -> PersonId {
    if number == 1 { PersonId::new(role.as_str()) } else { PersonId::new(format!("{role}-{number}")) }
}

/// The rehearsal's clock: it goes forward a few seconds with each command, from ten in the
/// morning of the day in the site's zone.
#[derive(Debug, Default)]
pub struct Clock {
    last: Option<Timestamp>,
}

impl Clock {
    /// Returns the next moment on a day at a place.
    pub fn tick(&mut self, day: Date, zone: &str) -> SiteTime {
        let morning = day
            .at(10, 0, 0, 0)
            .in_tz(zone)
            .map(|zoned| zoned.timestamp())
            .expect("the compiler checked the zone of every site");
        let after_last = self.last.map(|last| last + jiff::SignedDuration::from_secs(11));
        let now = after_last.map_or(morning, |next| next.max(morning));
        self.last = Some(now);
        SiteTime::at(now, zone).expect("the compiler checked the zone of every site")
    }
}
