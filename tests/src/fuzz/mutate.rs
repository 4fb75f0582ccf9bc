//! Small changes to bytes, the same ones for the same seed.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// What hostile texts of these languages are made of.
const PIECES: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "'",
    "\\",
    "$",
    "$$",
    "$.",
    "..",
    ".",
    "*",
    "**",
    "?",
    "@",
    ":",
    ",",
    "~>",
    "^",
    "%",
    "-1",
    "0",
    "1e308",
    "9223372036854775807",
    "1e-400",
    "0.1",
    "null",
    "true",
    "[0]",
    "[-1]",
    "[1:]",
    "[*]",
    "[?(@.a==1)]",
    "States.Format(",
    "States.Array(",
    "States.JsonMerge(",
    "States.ArrayRange(0,9,1)",
    "{% ",
    " %}",
    "$states.input",
    "$map(",
    "$string(",
    "$pad(",
    "function($x){",
    "\u{e4}",
    "\u{1f600}",
    "\u{0}",
    "\n",
    "\\u0000",
    "\"Type\":",
    "\"Next\":",
    "\"End\":true",
    "\"Retry\":[",
    "\"States\":{",
    "\"A.$\":",
];

/// Makes hostile variants of well-meant bytes.
#[derive(Debug)]
pub struct Mutator(ChaCha8Rng);

impl Mutator {
    pub fn new(seed: u64) -> Mutator {
        Mutator(ChaCha8Rng::seed_from_u64(seed))
    }

    fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { self.0.next_u32() as usize % bound }
    }

    /// One to eight changes.
    pub fn mutate(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(8) {
            self.change(&mut bytes);
        }
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let length = bytes.len();
        let at = self.below(length + 1);
        let end = at + self.below((length - at).min(32) + 1);
        match self.below(6) {
            0 => _ = bytes.drain(at..end),
            1 => {
                let part = bytes[at..end].to_vec();
                let to = self.below(length + 1);
                bytes.splice(to..to, part);
            }
            2 if length > 0 => {
                let bit = self.below(8);
                bytes[at.min(length - 1)] ^= 1 << bit;
            }
            3 => {
                // Nesting and repetition, which exhaust stacks and clocks.
                let part = bytes[at..end].to_vec();
                let times = 1 << self.below(9);
                bytes.splice(at..at, part.repeat(times));
            }
            _ => {
                let piece = PIECES[self.below(PIECES.len())];
                bytes.splice(at..end.min(at + 1), piece.bytes());
            }
        }
    }
}
