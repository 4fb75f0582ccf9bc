//! How versions and weights of an alias are written.

use serde_json::{Value, json};
use store::MODULE_WEIGHT_WHOLE;

use super::LATEST;

/// A part of the whole, as it is kept; none if it is not between 0 and 1.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and a million")]
pub(crate) fn weight_millionths(weight: f64) -> Option<u32> {
    (0.0..=1.0).contains(&weight).then(|| (weight * f64::from(MODULE_WEIGHT_WHOLE)).round() as u32)
}

/// The number of a version, or the text for 0, which stands for the newest upload.
pub(crate) fn version_name(version: u32) -> Value {
    if version == 0 { json!(LATEST) } else { json!(version) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_parts_of_the_whole() {
        let table = [(0.0, Some(0)), (0.1, Some(100_000)), (1.0, Some(1_000_000)), (-0.1, None), (1.1, None)];
        for (weight, expected) in table {
            assert_eq!(weight_millionths(weight), expected, "{weight}");
        }
        assert_eq!(weight_millionths(f64::NAN), None);
    }
}
