//! Blocks of streams that are made of many participants side by side.
//!
//! A block costs a fraction of what it costs alone if it is made beside those of other people. Which streams are worth it is
//! found by looking: in the first trials of a workspace it is counted which are asked for, and those that are wanted of many
//! participants are from then on made of all of them at once. Any other is made when it is asked for. A block is a function
//! of its key and counter, so nothing hangs on which way it was made.

use std::{cell::RefCell, collections::BTreeMap, ops::Deref};

use crate::{
    lanes::{LANES, Words},
    philox::WORDS,
    streams::{Draws, Process, Streams},
};

/// Trials in which it is counted what is asked for.
const COUNTED_TRIALS: u32 = 12;

/// As often as once for so many participants it has to be asked for, for a stream to be made of all.
const WORTH_FOR_ONE_IN: u32 = 5;

/// Blocks of the participants in hand.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// Places in `made` of the streams that are made of all, found by their hash; one more than the place, 0 for none.
    places: Vec<u16>,
    made: Vec<(Process, u64, Box<Words>)>,
    counted: RefCell<BTreeMap<(Process, u64), u32>>,
    trials: u32,
    participants: u32,
}

impl Blocks {
    /// Notes that a trial is over.
    pub(super) fn end_trial(&mut self) {
        if self.trials > COUNTED_TRIALS {
            return;
        }
        self.trials += 1;
        if self.trials == COUNTED_TRIALS {
            let counted = std::mem::take(&mut *self.counted.borrow_mut());
            let least = self.participants.div_ceil(WORTH_FOR_ONE_IN).max(1);
            let worth = counted.into_iter().filter(|(_, count)| *count >= least);
            self.made = worth
                .map(|((process, occasion), _)| (process, occasion, Box::new([[0; LANES]; WORDS])))
                .collect();
            self.places = vec![0; (4 * self.made.len()).next_power_of_two().max(2)];
            for (place, (process, occasion, _)) in self.made.iter().enumerate() {
                let mut at = hash(*process, *occasion) & (self.places.len() - 1);
                while self.places[at] != 0 {
                    at = (at + 1) & (self.places.len() - 1);
                }
                self.places[at] = place as u16 + 1;
            }
        }
    }

    fn counts(&self) -> bool {
        self.trials < COUNTED_TRIALS
    }

    /// Makes what is asked for of many participants, of these.
    pub(super) fn make(&mut self, streams: &Streams, numbers: &[u32]) {
        if self.counts() {
            self.participants += numbers.len() as u32;
        }
        for (process, occasion, words) in &mut self.made {
            streams.words_of_people(numbers, *process, *occasion, words);
        }
    }

    /// The words of a stream, by participant, if they were made.
    #[inline]
    fn words(&self, process: Process, occasion: u64) -> Option<&Words> {
        let last = self.places.len().checked_sub(1)?;
        let mut at = hash(process, occasion) & last;
        loop {
            let place = self.places[at].checked_sub(1)?;
            let (made, of, words) = &self.made[usize::from(place)];
            if *made == process && *of == occasion {
                return Some(words);
            }
            at = (at + 1) & last;
        }
    }
}

/// Mixes a process and an occasion; the names' digests are mixed already.
#[inline(always)]
fn hash(process: Process, occasion: u64) -> usize {
    ((process.digest() ^ occasion.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xff51_afd7_ed55_8ccd)
        >> 40) as usize
}

/// The streams of a trial, with blocks of one participant at hand.
pub(crate) struct AtHand<'a> {
    streams: &'a Streams,
    blocks: &'a Blocks,
    /// The participant, and their place among those in hand.
    number: u64,
    lane: usize,
}

impl<'a> AtHand<'a> {
    /// Of the participant who stands in that place among those whose blocks were made.
    pub(super) fn of(streams: &'a Streams, blocks: &'a Blocks, number: u64, lane: usize) -> Self {
        Self { streams, blocks, number, lane }
    }

    /// As [`Streams::draws`].
    #[inline]
    pub(crate) fn draws(&self, participant: u64, process: Process, occasion: u64) -> Draws {
        debug_assert_eq!(participant, self.number, "blocks are of one participant");
        match self.blocks.words(process, occasion) {
            Some(words) => {
                let own = [0, 1, 2, 3].map(|word: usize| words[word][self.lane] as u32);
                self.streams.draws_with(participant, process, occasion, own)
            }
            None => {
                if self.blocks.counts() {
                    *self.blocks.counted.borrow_mut().entry((process, occasion)).or_default() += 1;
                }
                self.streams.draws(participant, process, occasion)
            }
        }
    }

    /// As [`Streams::draws_of`].
    #[inline]
    pub(crate) fn draws_of<const N: usize>(
        &self,
        participant: u64,
        wanted: [(Process, u64); N],
    ) -> [Draws; N] {
        wanted.map(|(process, occasion)| self.draws(participant, process, occasion))
    }
}

impl Deref for AtHand<'_> {
    type Target = Streams;

    fn deref(&self) -> &Streams {
        self.streams
    }
}

#[test]
fn blocks_made_side_by_side_are_those_made_alone() {
    let streams = Streams::of_trial_number(9, 5);
    let often: Vec<(Process, u64)> =
        (0..40).map(|number| (Process::named("often").numbered(number), number % 3)).collect();
    let seldom = (Process::named("seldom"), 0);
    let people: Vec<u32> = (3..3 + LANES as u32).step_by(2).collect();
    let mut blocks = Blocks::default();
    for trial in 0..COUNTED_TRIALS + 2 {
        blocks.make(&streams, &people);
        for (lane, number) in people.iter().enumerate() {
            let number = u64::from(*number);
            let hand = AtHand::of(&streams, &blocks, number, lane);
            for (process, occasion) in often.iter().copied().chain((lane == 1).then_some(seldom)) {
                let (mut found, mut alone) =
                    (hand.draws(number, process, occasion), streams.draws(number, process, occasion));
                assert!((0..9).all(|_| found.uniform() == alone.uniform()));
            }
        }
        blocks.end_trial();
        let made = if trial + 1 < COUNTED_TRIALS { 0 } else { often.len() };
        assert_eq!(blocks.made.len(), made);
    }
    assert!(blocks.words(seldom.0, seldom.1).is_none());
}
