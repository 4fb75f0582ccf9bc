//! A rate as it is written, and what it makes of an amount.

/// More digits after the point say nothing of a rate.
const SCALE_MAX: u32 = 12;

/// A decimal number above 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    units: u64,
    /// How many of the digits of `units` come after the point.
    scale: u32,
}

impl Decimal {
    /// Reads `1.0837`; none for what is 0, negative, too long or not written like that.
    pub(crate) fn parse(text: &str) -> Option<Decimal> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let scale = u32::try_from(fraction.len()).ok().filter(|scale| *scale <= SCALE_MAX)?;
        if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let units = format!("{whole}{fraction}").parse().ok().filter(|units| *units > 0)?;
        Some(Decimal { units, scale })
    }

    /// This many times an amount, between currencies of so many digits after the point; rounded half up.
    pub(crate) fn convert(self, amount: u64, digits_from: u32, digits_to: u32) -> Option<u64> {
        let product = u128::from(amount).checked_mul(u128::from(self.units))?;
        let product = product.checked_mul(10_u128.pow(digits_to))?;
        let divisor = 10_u128.pow(self.scale + digits_from);
        u64::try_from(product.checked_add(divisor / 2)? / divisor).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_as_they_are_written() {
        assert_eq!(Decimal::parse("1.0837"), Some(Decimal { units: 10_837, scale: 4 }));
        assert_eq!(Decimal::parse("169"), Some(Decimal { units: 169, scale: 0 }));
        for text in ["", "0", "0.00", "-1", "1e-7", ".5", "1.2.3", "1.0000000000001", "99999999999999999999"]
        {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn amounts_are_rounded_half_up() {
        let convert = |rate: &str, amount, from, to| Decimal::parse(rate).unwrap().convert(amount, from, to);
        assert_eq!(convert("1.0837", 9_815, 2, 2), Some(10_637));
        assert_eq!(convert("0.5", 1, 2, 2), Some(1));
        assert_eq!(convert("0.49", 1, 2, 2), Some(0));
        assert_eq!(convert("169.25", 1_000, 2, 0), Some(1_693));
        assert_eq!(convert("0.3071", 250, 0, 3), Some(76_775));
        assert_eq!(convert("3", u64::MAX, 2, 2), None);
    }
}
