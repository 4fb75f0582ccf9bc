//! Whether an output is JSON that everybody can read; no value is made of it.
//!
//! A text can keep to the grammar and still be nothing that a parser takes: a number beyond every float, half of a
//! surrogate pair, lists in lists without end. Whoever took the guest's word for it would fall over it later.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// What is wrong with the text, if anything is.
pub(crate) fn check(text: &str) -> Result<(), serde_json::Error> {
    serde_json::from_str::<Readable>(text).map(|Readable| ())
}

/// Any value, which is read and forgotten.
struct Readable;

impl<'de> Deserialize<'de> for Readable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Readable, D::Error> {
        deserializer.deserialize_any(Readable)
    }
}

impl<'de> Visitor<'de> for Readable {
    type Value = Readable;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Readable, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Readable, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Readable, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Readable, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Readable, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Readable, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Readable, A::Error> {
        while let Some(Readable) = items.next_element()? {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Readable, A::Error> {
        while let Some((Readable, Readable)) = members.next_entry()? {}
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::check;

    #[test]
    fn what_passes_is_what_can_be_parsed() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let texts = [
            "null",
            " [true, -1, 2.5e300, {\"ä\": {\"\": \"\\u00e4\\ud83d\\ude00\"}}] ",
            "18446744073709551616",
            "1e308",
            "1e309",
            "-1e400",
            r#""\ud800""#,
            r#""\udc00 \ud800""#,
            r#"{"\ud800": 1}"#,
            "\"\u{1}\"",
            "",
            "{",
            "1 2",
            "NaN",
            "[1,]",
            &nested(127),
            &nested(128),
            &nested(100_000),
        ];
        for text in texts {
            let start: String = text.chars().take(20).collect();
            assert_eq!(check(text).is_ok(), serde_json::from_str::<Value>(text).is_ok(), "{start}");
        }
        assert!(check("1e309").is_err() && check(r#""\ud800""#).is_err() && check(&nested(200)).is_err());
    }
}
