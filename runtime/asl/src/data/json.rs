//! A JSON value together with its text. Both are made when first asked for and shared by every copy, so a
//! payload that ten states pass on is parsed once and written once.

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::path::values::DEPTH_MAX;

/// An immutable JSON value. Cheap to clone.
#[derive(Clone)]
pub struct Data(Arc<Inner>);

/// At least one of the two is set.
struct Inner {
    value: OnceLock<Value>,
    text: OnceLock<Box<str>>,
}

impl Data {
    /// Parses JSON text. The text is kept as it was written.
    pub fn parse(text: &str) -> Result<Data, serde_json::Error> {
        let value: Value = serde_json::from_str(text)?;
        Ok(Data(Arc::new(Inner { value: value.into(), text: Box::<str>::from(text).into() })))
    }

    /// Takes text that is known to be JSON, such as text that was stored; it is parsed when first needed.
    pub fn from_valid_text(text: impl Into<Box<str>>) -> Data {
        Data(Arc::new(Inner { value: OnceLock::new(), text: text.into().into() }))
    }

    pub fn empty_object() -> Data {
        Value::Object(serde_json::Map::new()).into()
    }

    pub fn value(&self) -> &Value {
        self.0.value.get_or_init(|| {
            let text = self.0.text.get().expect("text is set when the value is not");
            serde_json::from_str(text).expect("only valid JSON is taken as text")
        })
    }

    pub fn text(&self) -> &str {
        self.0.text.get_or_init(|| {
            let value = self.0.value.get().expect("the value is set when the text is not");
            value.to_string().into_boxed_str()
        })
    }

    /// Size of the text in bytes.
    pub fn size(&self) -> usize {
        self.text().len()
    }

    /// Whether both are the same allocation, so that the text need not be compared.
    pub fn is_same(&self, other: &Data) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Whether a JSON text nests no deeper than can be parsed.
pub(crate) fn is_readable(text: &str) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return false;
        }
    }
    true
}

impl From<Value> for Data {
    fn from(value: Value) -> Data {
        Data(Arc::new(Inner { value: value.into(), text: OnceLock::new() }))
    }
}

impl PartialEq for Data {
    fn eq(&self, other: &Data) -> bool {
        self.is_same(other) || self.value() == other.value()
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.text())
    }
}

impl<C> minicbor::Encode<C> for Data {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.str(self.text())?.ok()
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Data {
    fn decode(decoder: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Data, minicbor::decode::Error> {
        Ok(Data::from_valid_text(decoder.str()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_authors_text_and_key_order() {
        let data = Data::parse(r#"{"b": 1.0, "a": 12345678901234567890}"#).unwrap();
        assert_eq!(data.text(), r#"{"b": 1.0, "a": 12345678901234567890}"#);
        assert_eq!(Data::from(data.value().clone()).text(), r#"{"b":1.0,"a":12345678901234567890}"#);
    }

    #[test]
    fn knows_how_deep_it_can_be_read() {
        let nested = |levels: usize| format!("{}\"[[\\\"[\"{}", "[".repeat(levels), "]".repeat(levels));
        for levels in [0, 1, DEPTH_MAX, DEPTH_MAX + 1, 1_000] {
            let text = nested(levels);
            assert_eq!(is_readable(&text), Data::parse(&text).is_ok(), "{levels}");
        }
    }

    #[test]
    fn survives_its_encoding() {
        let data = Data::from(serde_json::json!({"a": [1, null]}));
        let bytes = minicbor::to_vec(&data).unwrap();
        assert_eq!(minicbor::decode::<Data>(&bytes).unwrap(), data);
    }
}
