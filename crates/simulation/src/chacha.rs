//! The block function of ChaCha8 (D. J. Bernstein, "ChaCha, a variant of Salsa20", 2008), several blocks
//! side by side.
//!
//! A stream cipher's block is a function of key, stream and counter, so any block of any stream can be had
//! without those before it. The lanes are independent: the compiler lays them into vector registers. The
//! bytes are those of `rand_chacha`, which a test holds.

/// The constants of the first row: "expand 32-byte k".
const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// Words of a state or a block.
pub(crate) const WORDS: usize = 16;

/// Lays out a state: key, block counter and stream.
pub(crate) fn state(key: [u32; 8], block: u64, stream: u64) -> [u32; WORDS] {
    let mut words = [0; WORDS];
    words[..4].copy_from_slice(&CONSTANTS);
    words[4..12].copy_from_slice(&key);
    words[12..].copy_from_slice(&[block as u32, (block >> 32) as u32, stream as u32, (stream >> 32) as u32]);
    words
}

#[inline(always)]
fn quarter<const N: usize>(x: &mut [[u32; N]; WORDS], a: usize, b: usize, c: usize, d: usize) {
    for lane in 0..N {
        x[a][lane] = x[a][lane].wrapping_add(x[b][lane]);
        x[d][lane] = (x[d][lane] ^ x[a][lane]).rotate_left(16);
    }
    for lane in 0..N {
        x[c][lane] = x[c][lane].wrapping_add(x[d][lane]);
        x[b][lane] = (x[b][lane] ^ x[c][lane]).rotate_left(12);
    }
    for lane in 0..N {
        x[a][lane] = x[a][lane].wrapping_add(x[b][lane]);
        x[d][lane] = (x[d][lane] ^ x[a][lane]).rotate_left(8);
    }
    for lane in 0..N {
        x[c][lane] = x[c][lane].wrapping_add(x[d][lane]);
        x[b][lane] = (x[b][lane] ^ x[c][lane]).rotate_left(7);
    }
}

/// Returns the blocks of `N` states.
#[inline]
pub(crate) fn blocks<const N: usize>(input: &[[u32; N]; WORDS]) -> [[u32; N]; WORDS] {
    let mut x = *input;
    for _ in 0..4 {
        quarter(&mut x, 0, 4, 8, 12);
        quarter(&mut x, 1, 5, 9, 13);
        quarter(&mut x, 2, 6, 10, 14);
        quarter(&mut x, 3, 7, 11, 15);
        quarter(&mut x, 0, 5, 10, 15);
        quarter(&mut x, 1, 6, 11, 12);
        quarter(&mut x, 2, 7, 8, 13);
        quarter(&mut x, 3, 4, 9, 14);
    }
    for (word, start) in x.iter_mut().zip(input) {
        for lane in 0..N {
            word[lane] = word[lane].wrapping_add(start[lane]);
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use rand_chacha::{
        ChaCha8Rng,
        rand_core::{Rng, SeedableRng},
    };

    use super::*;

    #[test]
    fn blocks_are_those_of_the_library() {
        let key: [u32; 8] = std::array::from_fn(|i| 0x9e37_79b9u32.wrapping_mul(i as u32 + 1));
        let mut seed = [0u8; 32];
        for (bytes, word) in seed.chunks_exact_mut(4).zip(key) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        for stream in [0, 1, 7, u64::MAX - 3] {
            let mut library = ChaCha8Rng::from_seed(seed);
            library.set_stream(stream);
            for block in 0..5 {
                let start = state(key, block, stream).map(|word| [word]);
                let ours = blocks(&start).map(|[word]| word);
                let theirs: [u32; WORDS] = std::array::from_fn(|_| library.next_u32());
                assert_eq!(ours, theirs, "block {block} of stream {stream}");
            }
        }
    }

    #[test]
    fn lanes_do_not_touch_each_other() {
        let states: [[u32; WORDS]; 4] = std::array::from_fn(|lane| state([lane as u32; 8], lane as u64, 9));
        let side_by_side: [[u32; 4]; WORDS] =
            std::array::from_fn(|word| std::array::from_fn(|lane| states[lane][word]));
        let together = blocks(&side_by_side);
        for lane in 0..4 {
            let alone = blocks(&states[lane].map(|word| [word]));
            assert!((0..WORDS).all(|word| together[word][lane] == alone[word][0]));
        }
    }
}
