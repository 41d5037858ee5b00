//! A sorted map whose copies share its entries.
//!
//! Readers hold the state as it was while the writer goes on. Were the participants one map, the first change after a reader
//! took hold of it would copy every entry; in pieces of bounded size a copy costs a reference a piece, and a change
//! copies one piece.

use std::{borrow::Borrow, fmt, ops::Index, sync::Arc};

/// Entries of a piece at most; a fuller one is cut in two.
const PIECE_MAX: usize = 128;

/// A sorted map in pieces that copies share until one of the two changes an entry.
#[derive(Clone)]
pub struct SharedMap<K, V> {
    /// None is empty; all keys of one lie before those of the next.
    pieces: Vec<Arc<Vec<(K, V)>>>,
    len: usize,
}

impl<K, V> Default for SharedMap<K, V> {
    fn default() -> Self {
        Self { pieces: Vec::new(), len: 0 }
    }
}

/// Where pieces are cut says nothing.
impl<K: PartialEq, V: PartialEq> PartialEq for SharedMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<K: Eq, V: Eq> Eq for SharedMap<K, V> {}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for SharedMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K, V> SharedMap<K, V> {
    /// Returns how many entries there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Says whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the entries in the order of their keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> + Clone {
        self.pieces.iter().flat_map(|piece| piece.iter().map(|(key, value)| (key, value)))
    }

    /// Returns the keys in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> + Clone {
        self.iter().map(|(key, _)| key)
    }

    /// Returns the values in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> + Clone {
        self.iter().map(|(_, value)| value)
    }
}

impl<K: Ord + Clone, V: Clone> SharedMap<K, V> {
    /// The piece in which a key lies or belongs, and its place there.
    fn place<Q: Ord + ?Sized>(&self, key: &Q) -> (usize, Result<usize, usize>)
    where
        K: Borrow<Q>,
    {
        let after = self
            .pieces
            .partition_point(|piece| piece.first().is_some_and(|(first, _)| first.borrow() <= key));
        let at = after.saturating_sub(1);
        let within = self
            .pieces
            .get(at)
            .map_or(Err(0), |piece| piece.binary_search_by(|(known, _)| Borrow::<Q>::borrow(known).cmp(key)));
        (at, within)
    }

    /// Returns a key's value.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let (piece, within) = self.place(key);
        Some(&self.pieces.get(piece)?.get(within.ok()?)?.1)
    }

    /// Returns a key's value for a change.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let (piece, within) = self.place(key);
        let within = within.ok()?;
        Some(&mut Arc::make_mut(self.pieces.get_mut(piece)?).get_mut(within)?.1)
    }

    /// Says whether there is an entry of that key.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.get(key).is_some()
    }

    /// Puts an entry in, in place of what the key had.
    pub fn insert(&mut self, key: K, value: V) {
        let (at, within) = self.place(&key);
        let Some(piece) = self.pieces.get_mut(at).map(Arc::make_mut) else {
            self.pieces.push(Arc::new(vec![(key, value)]));
            self.len = 1;
            return;
        };
        match within {
            Ok(within) => piece[within].1 = value,
            Err(within) => {
                piece.insert(within, (key, value));
                self.len += 1;
                if piece.len() > PIECE_MAX {
                    // Keys mostly come in order: a piece at the end stays full, so that pieces don't end up half empty.
                    let cut = if within + 1 == piece.len() { PIECE_MAX } else { PIECE_MAX / 2 };
                    let rest = piece.split_off(cut);
                    self.pieces.insert(at + 1, Arc::new(rest));
                }
            }
        }
    }
}

impl<K: Ord + Clone + Borrow<Q>, V: Clone, Q: Ord + ?Sized> Index<&Q> for SharedMap<K, V> {
    type Output = V;

    /// # Panics
    /// There is no such key.
    fn index(&self, key: &Q) -> &V {
        self.get(key).expect("there is an entry of that key")
    }
}

impl<'a, K, V> IntoIterator for &'a SharedMap<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Box<dyn Iterator<Item = (&'a K, &'a V)> + 'a>;

    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_holds_what_a_map_holds_in_the_same_order(
            entries in prop::collection::vec((0_u16..600, any::<u8>()), 0..1500),
        ) {
            let (mut plain, mut shared) = (BTreeMap::new(), SharedMap::default());
            for (key, value) in &entries {
                plain.insert(*key, *value);
                shared.insert(*key, *value);
            }
            prop_assert_eq!(shared.len(), plain.len());
            prop_assert_eq!(shared.is_empty(), plain.is_empty());
            prop_assert!(shared.iter().eq(plain.iter()));
            prop_assert!(shared.keys().eq(plain.keys()) && shared.values().rev().eq(plain.values().rev()));
            prop_assert!(shared.pieces.iter().all(|piece| (1..=PIECE_MAX).contains(&piece.len())));
            for key in 0..600_u16 {
                prop_assert_eq!(shared.get(&key), plain.get(&key));
            }
        }
    }

    #[test]
    fn a_change_copies_one_piece_and_is_not_seen_in_the_copy() {
        let mut map = SharedMap::default();
        (0..1000).for_each(|key| map.insert(key, 0));
        assert!(map.pieces.len() <= 1000 / PIECE_MAX + 1, "pieces filled in order are full");
        let before = map.clone();
        *map.get_mut(&500).unwrap() = 1;
        assert_eq!((map[&500], before[&500]), (1, 0));
        let shared = map.pieces.iter().zip(&before.pieces).filter(|(one, other)| Arc::ptr_eq(one, other));
        assert_eq!(shared.count(), map.pieces.len() - 1);
        assert!(map.get_mut(&5000).is_none());
    }
}
