//! Scenarios: a study's virtual cohort and design with some of its inputs set otherwise.
//!
//! A key is the place of the input in `virtual.toml` (`effects.important.points`, `conduct.missed_visit`,
//! `withdrawal.imatinib.share`), and `sample_size` is the number of participants to enrol. Only inputs of
//! the virtual cohort can be set: the plan that is simulated is the study's own.

use protocol::model::{DesignKind, Driver, Spread, Study};

/// Screened people for each participant to enrol, where a larger trial is simulated than the study plans.
pub(crate) const SCREENED_FOR_EACH: u32 = 4;

/// Why an input can't be set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// There is no `=`.
    #[error("`{text}` sets nothing; write key=value, such as sample_size=40")]
    NoValue {
        /// What was written.
        text: String,
    },
    /// The cohort has no such input.
    #[error("the virtual cohort has no input `{key}` that can be set; {hint}")]
    UnknownKey {
        /// The key.
        key: String,
        /// What to write instead.
        hint: String,
    },
    /// The value is not one that the input can have.
    #[error("`{key}` can't be `{value}`; write {expected}")]
    WrongValue {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// What it can be.
        expected: String,
    },
}

/// Sets an input from `key=value`.
///
/// # Errors
/// There is no such input, or the value does not fit it.
pub fn set_from_text(study: &mut Study, text: &str) -> Result<(), SettingError> {
    let (key, value) = text.split_once('=').ok_or_else(|| SettingError::NoValue { text: text.to_owned() })?;
    set(study, key.trim(), value.trim().trim_matches('"'))
}

/// Sets an input.
///
/// # Errors
/// There is no such input, or the value does not fit it.
pub fn set(study: &mut Study, key: &str, value: &str) -> Result<(), SettingError> {
    let parts: Vec<&str> = key.split('.').collect();
    let entry = Entry { key, value };
    let virtuals = &mut study.virtual_cohort;
    match parts[..] {
        ["sample_size"] | ["cohort", "enrol"] => {
            let enrol: u32 = entry.whole(1, 100_000)?;
            virtuals.cohort.enrol = Some(enrol);
            virtuals.cohort.screened_max =
                virtuals.cohort.screened_max.max(enrol.saturating_mul(SCREENED_FOR_EACH));
        }
        ["effect"] => {
            let names: Vec<&str> = virtuals.effects.iter().map(|effect| effect.name.as_str()).collect();
            entry.one_of(&names)?;
            value.clone_into(&mut virtuals.effect);
        }
        ["setting"] => {
            let skin = virtuals.skin.as_ref();
            let names: Vec<&str> =
                skin.map_or(Vec::new(), |skin| skin.settings.iter().map(|one| one.0.as_str()).collect());
            entry.one_of(&names)?;
            value.clone_into(&mut virtuals.setting);
        }
        ["design"] => {
            let names: Vec<&str> = virtuals.designs.iter().map(|design| design.name.as_str()).collect();
            virtuals.design = match value {
                "none" => None,
                _ => {
                    entry.one_of(&[&names[..], &["none"]].concat())?;
                    Some(value.to_owned())
                }
            };
        }
        ["designs", name, field] => {
            let Some(design) = virtuals.designs.iter_mut().find(|design| design.name == name) else {
                return Err(entry.unknown("name one of its designs"));
            };
            set_of_design(&mut design.kind, field, &entry)?;
        }
        ["cohort", "sites", site] => {
            let known = study.sites.iter().any(|one| one.id == *site);
            let weights = &mut virtuals.cohort.sites;
            match weights.iter_mut().find(|one| one.0 == *site) {
                Some(weight) => weight.1 = entry.positive()?,
                None if known => weights.push((site.into(), entry.positive()?)),
                None => return Err(entry.unknown("name a site of the study")),
            }
        }
        ["cohort", "screened_per_month"] => virtuals.cohort.screened_per_month = entry.positive()?,
        ["cohort", "screened_max"] => virtuals.cohort.screened_max = entry.whole(1, 1_000_000)?,
        ["cohort", "female"] => virtuals.cohort.female = entry.share()?,
        ["cohort", "ild"] => virtuals.cohort.ild = entry.share()?,
        ["cohort", "onset", "median_months"] => virtuals.cohort.onset_median_months = entry.positive()?,
        ["cohort", "onset", "sigma"] => virtuals.cohort.onset_sigma = entry.positive()?,
        ["cohort", "age", field] => entry.spread(&mut virtuals.cohort.age, field)?,
        ["skin", ref rest @ ..] => {
            let Some(skin) = &mut virtuals.skin else {
                return Err(entry.unknown("the study scores no skin"));
            };
            let number = entry.number();
            match *rest {
                ["start", field] => entry.spread(&mut skin.start, field)?,
                ["error_same_observer"] => skin.error_same_observer = entry.positive()?,
                ["error_new_observer"] => skin.error_new_observer = entry.positive()?,
                ["share_by_month_6"] => skin.share_by_month_6 = entry.share()?,
                ["course", "intercept"] => skin.intercept = number?,
                ["course", "per_point"] => skin.per_point = number?,
                ["course", "centre_points"] => skin.centre_points = number?,
                ["course", "per_month"] => skin.per_month = number?,
                ["course", "centre_months"] => skin.centre_months = number?,
                ["course", "change_min"] => skin.change_min = number?,
                ["course", "change_max"] => skin.change_max = number?,
                ["oedema", "least_points"] => skin.oedema_points.0 = entry.positive()?,
                ["oedema", "most_points"] => skin.oedema_points.1 = entry.positive()?,
                ["settings", name] => match skin.settings.iter_mut().find(|one| one.0 == name) {
                    Some(setting) => setting.1 = entry.positive()?,
                    None => return Err(entry.unknown("name one of its settings")),
                },
                _ => return Err(entry.unknown("see [skin] of virtual.toml")),
            }
        }
        ["effects", name, field] => {
            let Some(effect) = virtuals.effects.iter_mut().find(|effect| effect.name == name) else {
                return Err(entry.unknown("name one of its effects"));
            };
            match field {
                "points" => effect.points = entry.number()?,
                "month" => effect.month = entry.positive()?,
                "share_at_half" => effect.share_at_half = entry.share()?,
                "toxic" => effect.toxic = entry.flag()?,
                _ => return Err(entry.unknown("an effect has points, month, share_at_half and toxic")),
            }
        }
        ["withdrawal", arm, "share"] | ["withdrawal", arm, "per_skin_point"] | ["dropout", arm] => {
            let mut found = false;
            for process in virtuals.withdrawal.iter_mut().filter(|one| arm == "all" || one.arm == *arm) {
                if parts.last() == Some(&"per_skin_point") {
                    process.per_skin_point = entry.number()?;
                } else {
                    process.share = entry.share()?;
                }
                found = true;
            }
            if !found {
                return Err(entry.unknown("name an arm with a withdrawal process, or `all`"));
            }
        }
        ["pharmacology", ref rest @ ..] => {
            let Some(population) = &mut virtuals.pharmacology else {
                return Err(entry.unknown("virtual.toml has no [pharmacology]"));
            };
            match *rest {
                [] => {
                    entry.one_of(&["on", "off"])?;
                    population.on = value == "on";
                }
                ["clearance", "median"] => population.clearance = entry.above_zero()?,
                ["clearance", "cv"] => population.clearance_cv = entry.positive()?,
                ["volume", "median"] => population.volume = entry.above_zero()?,
                ["volume", "cv"] => population.volume_cv = entry.positive()?,
                ["absorption"] => population.absorption = entry.above_zero()?,
                ["interval"] => population.interval = entry.above_zero()?,
                ["driver"] => {
                    entry.one_of(&["average", "trough"])?;
                    population.driver = if value == "trough" { Driver::Trough } else { Driver::Average };
                }
                ["half_effect"] => population.half_effect = Some(entry.above_zero()?),
                ["reactions"] => population.reactions = entry.number()?,
                _ => return Err(entry.unknown("see [pharmacology] of virtual.toml")),
            }
        }
        ["reactions", name, ref rest @ ..] => {
            let Some(reaction) = virtuals.reactions.iter_mut().find(|reaction| reaction.name == name) else {
                return Err(entry.unknown("name one of its reactions"));
            };
            match *rest {
                ["share", arm] => match reaction.share.iter_mut().find(|one| one.0 == *arm) {
                    Some(share) => share.1 = entry.share()?,
                    None => return Err(entry.unknown("name an arm of the reaction")),
                },
                ["onset_median_days"] => reaction.onset_median_days = entry.positive()?,
                ["duration_median_days"] => reaction.duration_median_days = entry.positive()?,
                ["again"] => reaction.again = entry.share()?,
                ["dose_change"] => reaction.dose_change = entry.share()?,
                _ => return Err(entry.unknown("see [reactions] of virtual.toml")),
            }
        }
        ["hazards", name, ref rest @ ..] => {
            let arms = study.arms.iter().map(|arm| arm.id.clone()).collect::<Vec<_>>();
            let Some(hazard) = virtuals.hazards.iter_mut().find(|hazard| hazard.name == name) else {
                return Err(entry.unknown("name one of its hazards"));
            };
            match *rest {
                ["ratio", arm] => {
                    let known = arms.iter().find(|one| **one == *arm);
                    let Some(known) = known else { return Err(entry.unknown("name an arm")) };
                    let ratio = entry.positive()?;
                    match hazard.ratio.iter_mut().find(|one| one.0 == *arm) {
                        Some(own) => own.1 = ratio,
                        None => hazard.ratio.push((known.clone(), ratio)),
                    }
                }
                ["monthly"] => {
                    let rate = entry.positive()?;
                    hazard.monthly.iter_mut().for_each(|own| *own = rate);
                }
                _ => return Err(entry.unknown("a hazard has ratio.ARM and monthly")),
            }
        }
        ["conduct", habit] => {
            let habits = &mut virtuals.conduct;
            match habit {
                "missed_visit" => habits.missed_visit = entry.share()?,
                "visit_spread_days" => habits.visit_spread_days = entry.positive()?,
                "out_of_window" => habits.out_of_window = entry.share()?,
                "correction" => habits.correction = entry.share()?,
                "query" => habits.query = entry.share()?,
                "assessor_change" => habits.assessor_change = entry.share()?,
                "form_not_done" => habits.form_not_done = entry.share()?,
                "missed_doses" => habits.missed_doses = entry.share()?,
                "blind_break" => habits.blind_break = entry.share()?,
                "prohibited_treatment" => habits.prohibited_treatment = entry.share()?,
                "escalation" => habits.escalation = entry.share()?,
                _ => return Err(entry.unknown("see [conduct] of virtual.toml")),
            }
        }
        _ => {
            return Err(entry.unknown(
                "set sample_size, effect, setting, design, pharmacology, dropout.ARM, or an input of [cohort], [skin], \
                 [effects], [pharmacology], [withdrawal], [reactions], [hazards], [conduct] or [designs] of virtual.toml by its path",
            ));
        }
    }
    Ok(())
}

fn set_of_design(kind: &mut DesignKind, field: &str, entry: &Entry<'_>) -> Result<(), SettingError> {
    match (kind, field) {
        (DesignKind::Looks { alpha, .. } | DesignKind::Resized { alpha, .. }, "alpha") => {
            *alpha = entry.share()?;
        }
        (DesignKind::TwoStages { first, .. }, "first") => *first = entry.whole(1, 100_000)?,
        (DesignKind::TwoStages { first_at_most, .. }, "first_at_most") => {
            *first_at_most = entry.whole(0, 100_000)?;
        }
        (DesignKind::TwoStages { at_most, .. }, "at_most") => *at_most = entry.whole(0, 100_000)?,
        (DesignKind::Resized { review_at, .. }, "review_at") => *review_at = entry.share()?,
        (DesignKind::Resized { difference, .. }, "difference") => *difference = entry.number()?,
        (DesignKind::Resized { power, .. }, "power") => *power = entry.share()?,
        (DesignKind::Resized { most, .. }, "most") => *most = entry.whole(1, 100_000)?,
        _ => return Err(entry.unknown("see [designs] of virtual.toml")),
    }
    Ok(())
}

struct Entry<'a> {
    key: &'a str,
    value: &'a str,
}

impl Entry<'_> {
    fn unknown(&self, hint: &str) -> SettingError {
        SettingError::UnknownKey { key: self.key.to_owned(), hint: hint.to_owned() }
    }

    fn wrong(&self, expected: impl Into<String>) -> SettingError {
        SettingError::WrongValue {
            key: self.key.to_owned(),
            value: self.value.to_owned(),
            expected: expected.into(),
        }
    }

    fn number(&self) -> Result<f64, SettingError> {
        let number: f64 = self.value.parse().map_err(|_| self.wrong("a number"))?;
        if number.is_finite() { Ok(number) } else { Err(self.wrong("a finite number")) }
    }

    fn positive(&self) -> Result<f64, SettingError> {
        let number = self.number()?;
        if number >= 0.0 { Ok(number) } else { Err(self.wrong("a number that is not negative")) }
    }

    fn above_zero(&self) -> Result<f64, SettingError> {
        let number = self.number()?;
        if number > 0.0 { Ok(number) } else { Err(self.wrong("a number above 0")) }
    }

    fn share(&self) -> Result<f64, SettingError> {
        let number = self.number()?;
        if (0.0..=1.0).contains(&number) { Ok(number) } else { Err(self.wrong("a share from 0 to 1")) }
    }

    fn whole(&self, least: u32, most: u32) -> Result<u32, SettingError> {
        let number = self.value.parse().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| self.wrong(format!("a whole number from {least} to {most}")))
    }

    fn flag(&self) -> Result<bool, SettingError> {
        self.value.parse().map_err(|_| self.wrong("true or false"))
    }

    fn one_of(&self, names: &[&str]) -> Result<(), SettingError> {
        if names.contains(&self.value) { Ok(()) } else { Err(self.wrong(names.join(" or "))) }
    }

    fn spread(&self, spread: &mut Spread, field: &str) -> Result<(), SettingError> {
        match field {
            "mean" => spread.mean = self.number()?,
            "sd" => spread.sd = self.positive()?,
            "min" => spread.min = Some(self.number()?),
            "max" => spread.max = Some(self.number()?),
            _ => return Err(self.unknown("a spread has mean, sd, min and max")),
        }
        Ok(())
    }
}
