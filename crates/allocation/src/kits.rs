//! The kit list: printed numbers that say nothing of their content.
//!
//! Numbers are drawn without replacement from a range, in random order, and
//! given out to consignments and arms in that order; a consignment then lists
//! its numbers ascending. Each site gets as many kits of one arm as of another.
//! Which number holds which arm exists only in the sealed list. This module
//! keeps no stock: what a site still has is for the record to say.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use terms::{KitNumber, SiteId};

use crate::{permuted_blocks::ListSeed, stream::Stream};

/// How many times more numbers the range must have than kits are printed, so
/// that a slip of the pen seldom names another kit.
pub const NUMBERS_PER_KIT_MIN: u32 = 4;
/// The most numbers a range holds.
pub const KIT_RANGE_MAX: u32 = 1_000_000;

const PURPOSE: &str = "equipoise/kits/1";

/// Why a kit plan cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KitPlanError {
    /// The range is empty, upside down or larger than a million.
    #[error("kit numbers {first} to {last} are not a range of 1 to {KIT_RANGE_MAX} numbers")]
    Range {
        /// The first number.
        first: u32,
        /// The last number.
        last: u32,
    },
    /// Too few numbers for the kits.
    #[error("{kits} kits need a range of at least {needed} numbers, and this one has {numbers}")]
    RangeTooNarrow {
        /// The kits of all consignments.
        kits: u64,
        /// The fewest numbers that would do.
        needed: u64,
        /// The numbers in the range.
        numbers: u32,
    },
    /// A site has two consignments.
    #[error("site `{site}` has more than one consignment")]
    RepeatedSite {
        /// The site.
        site: SiteId,
    },
}

/// The range that kit numbers are drawn from, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KitRange {
    /// The smallest number a kit may have.
    pub first: u32,
    /// The largest number a kit may have; its digits set the printed width.
    pub last: u32,
}

/// How many kits of each arm go to each site or depot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KitPlan {
    /// Where numbers are drawn from.
    pub range: KitRange,
    /// Each site with its number of kits *per arm*; none in a trial without kits.
    pub kits_per_arm: Vec<(SiteId, u32)>,
}

/// The kits that one site or depot receives, by number, ascending.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consignment {
    /// The site or depot.
    pub site: SiteId,
    /// The printed numbers.
    pub kits: Vec<KitNumber>,
}

/// One kit of the secret list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct DrawnKit {
    pub(crate) number: u32,
    /// The index of the site in the plan.
    pub(crate) site: usize,
    /// The index of the arm in the scheme.
    pub(crate) arm: usize,
}

impl KitRange {
    /// Writes a kit's number with leading zeros to the width of the largest.
    pub(crate) fn printed(self, number: u32) -> KitNumber {
        let width = self.last.to_string().len();
        KitNumber::from(format!("{number:0width$}"))
    }
}

impl KitPlan {
    /// Draws the kit list, ascending by number; a function of its arguments alone.
    ///
    /// # Errors
    /// The plan can't be met.
    pub(crate) fn draw(&self, seed: &ListSeed, arms: usize) -> Result<Vec<DrawnKit>, KitPlanError> {
        let mut numbers: Vec<u32> = self.checked_range(arms)?.collect();
        let mut stream = Stream::new(PURPOSE, seed.expose(), b"");
        let mut kits = Vec::new();
        for (site, (_, kits_per_arm)) in self.kits_per_arm.iter().enumerate() {
            for arm in 0..arms {
                for _ in 0..*kits_per_arm {
                    // The first part of a Fisher-Yates shuffle, from the first number up.
                    let drawn = kits.len();
                    let left = (numbers.len() - drawn) as u32;
                    numbers.swap(drawn, drawn + stream.below(left) as usize);
                    kits.push(DrawnKit { number: numbers[drawn], site, arm });
                }
            }
        }
        kits.sort_unstable_by_key(|kit| kit.number);
        Ok(kits)
    }

    fn checked_range(&self, arms: usize) -> Result<RangeInclusive<u32>, KitPlanError> {
        let KitRange { first, last } = self.range;
        let numbers = match last.checked_sub(first) {
            Some(span) if span < KIT_RANGE_MAX => span + 1,
            _ => return Err(KitPlanError::Range { first, last }),
        };
        for (index, (site, _)) in self.kits_per_arm.iter().enumerate() {
            if self.kits_per_arm[..index].iter().any(|(earlier, _)| earlier == site) {
                return Err(KitPlanError::RepeatedSite { site: site.clone() });
            }
        }
        let kits: u64 = self.kits_per_arm.iter().map(|(_, count)| u64::from(*count) * arms as u64).sum();
        let needed = kits.saturating_mul(u64::from(NUMBERS_PER_KIT_MIN));
        if u64::from(numbers) < needed {
            return Err(KitPlanError::RangeTooNarrow { kits, needed, numbers });
        }
        Ok(first..=last)
    }

    /// Sorts drawn kits into the consignments that may be shown to anyone.
    pub(crate) fn consignments(&self, kits: &[DrawnKit]) -> Vec<Consignment> {
        let of = |index| kits.iter().filter(move |kit| kit.site == index);
        (self.kits_per_arm.iter().enumerate())
            .map(|(index, (site, _))| Consignment {
                site: site.clone(),
                kits: of(index).map(|kit| self.range.printed(kit.number)).collect(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plan(first: u32, last: u32, kits_per_arm: &[u32]) -> KitPlan {
        let sites = kits_per_arm.iter().enumerate().map(|(n, &kits)| (SiteId::from(format!("{n:02}")), kits));
        KitPlan { range: KitRange { first, last }, kits_per_arm: sites.collect() }
    }

    #[test]
    fn a_plan_that_can_not_be_met_is_refused() {
        let seed = ListSeed::from_bytes([0; 32]);
        let refused = |plan: KitPlan| plan.draw(&seed, 2).err().map(|error| error.to_string());
        assert_eq!(
            refused(plan(100, 90, &[])).unwrap(),
            "kit numbers 100 to 90 are not a range of 1 to 1000000 numbers"
        );
        assert!(refused(plan(0, 1_000_000, &[])).is_some());
        assert!(refused(plan(0, 999_999, &[1])).is_none());
        assert_eq!(
            refused(plan(1, 39, &[3, 2])).unwrap(),
            "10 kits need a range of at least 40 numbers, and this one has 39"
        );
        let mut twice = plan(1, 40, &[1, 1]);
        twice.kits_per_arm[1].0 = "00".into();
        assert_eq!(refused(twice).unwrap(), "site `00` has more than one consignment");
    }

    #[test]
    fn a_number_is_printed_to_the_width_of_the_largest() {
        assert_eq!(KitRange { first: 1, last: 9_999 }.printed(37), "0037");
    }

    #[test]
    // Shows: BLD-3
    fn kit_numbers_are_independent_of_the_arm() {
        // Rank sums of one arm's numbers over fixed seeds: under independence the
        // standardised sum has mean 0 and variance 1, so 400 of them average within
        // 0.2 (4 standard errors) and their squares within 0.3 of 1.
        let plan = plan(10_000, 99_999, &[10, 10, 10]);
        let (mut sum, mut squares, mut parity) = (0.0, 0.0, 0.0);
        for seed in 0..400u16 {
            let mut bytes = [0; 32];
            bytes[..2].copy_from_slice(&seed.to_le_bytes());
            let kits = plan.draw(&ListSeed::from_bytes(bytes), 2).unwrap();
            let ranks: f64 =
                kits.iter().zip(1u32..).filter(|(kit, _)| kit.arm == 0).map(|(_, r)| f64::from(r)).sum();
            let standardised = (ranks - 30.0 * 61.0 / 2.0) / (30.0f64 * 30.0 * 61.0 / 12.0).sqrt();
            sum += standardised;
            squares += standardised * standardised;
            let odd = |arm| kits.iter().filter(|kit| kit.arm == arm && kit.number % 2 == 1).count() as f64;
            parity += odd(0) - odd(1);
        }
        assert!((sum / 400.0).abs() < 0.2, "{sum}");
        assert!((squares / 400.0 - 1.0).abs() < 0.3, "{squares}");
        // A difference of two binomial counts of 30: deviation 3.9, over 400 lists 0.19.
        assert!((parity / 400.0).abs() < 0.8, "{parity}");
    }

    proptest! {
        #[test]
        fn every_site_gets_each_arm_equally_often_and_no_number_twice(
            seed: [u8; 32], arms in 2usize..4, sites in proptest::collection::vec(0u32..8, 1..5),
        ) {
            let plan = plan(100, 999, &sites);
            let kits = plan.draw(&ListSeed::from_bytes(seed), arms).unwrap();
            prop_assert!(kits.windows(2).all(|pair| pair[0].number < pair[1].number));
            prop_assert!(kits.iter().all(|kit| (100..=999).contains(&kit.number)));
            for (site, &expected) in sites.iter().enumerate() {
                for arm in 0..arms {
                    let held = kits.iter().filter(|kit| kit.site == site && kit.arm == arm).count();
                    prop_assert_eq!(held, expected as usize);
                }
            }
            let consigned = plan.consignments(&kits);
            prop_assert_eq!(consigned.len(), sites.len());
            for (consignment, &expected) in consigned.iter().zip(&sites) {
                prop_assert_eq!(consignment.kits.len(), expected as usize * arms);
                prop_assert!(consignment.kits.is_sorted());
            }
        }
    }
}
