//! A hash for numbers that this program gives out itself. Nobody outside can choose them so that they collide, and the
//! hash of the standard library, which withstands that, takes several times as long.

use std::hash::{BuildHasherDefault, Hasher};

/// For maps whose keys are such numbers.
pub(crate) type OwnNumbers = BuildHasherDefault<NumberHasher>;

#[derive(Debug, Default)]
pub(crate) struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        /// The golden ratio's fraction, with which neighbours come to lie far apart.
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        let mixed = (self.0 ^ number).wrapping_mul(SPREAD);
        self.0 = mixed ^ (mixed >> 32);
    }

    #[expect(clippy::cast_possible_truncation, reason = "each half in its turn")]
    fn write_u128(&mut self, number: u128) {
        self.write_u64((number >> 64) as u64);
        self.write_u64(number as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::BuildHasher;

    use super::OwnNumbers;

    /// The map takes its place from the lowest bits and a mark from the highest ones.
    #[test]
    fn neighbours_lie_apart() {
        let hasher = OwnNumbers::default();
        let hashes: Vec<u64> = (0_u64..4_096).map(|number| hasher.hash_one(number)).collect();
        let places: HashSet<u64> = hashes.iter().map(|hash| hash % 4_096).collect();
        let marks: HashSet<u64> = hashes.iter().map(|hash| hash >> 57).collect();
        assert!(places.len() > 2_000, "{}", places.len());
        assert_eq!(marks.len(), 128);
        let wide: HashSet<u64> = (0_u128..4_096).map(|high| hasher.hash_one(high << 80)).collect();
        assert_eq!(wide.len(), 4_096);
    }
}
