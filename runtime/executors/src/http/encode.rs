//! A request body as `application/x-www-form-urlencoded`, in the ways that AWS offers for arrays.

use serde::Deserialize;
use serde_json::{Map, Value};

/// Ours: the largest encoded body. A key is repeated for each of its values, so it may be far larger than its JSON.
const ENCODED_BYTES_MAX: usize = 1 << 20;

/// `RequestEncodingOptions.ArrayFormat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum ArrayFormat {
    /// `a[0]=x&a[1]=y`
    #[default]
    Indices,
    /// `a=x&a=y`
    Repeat,
    /// `a=x,y`
    Commas,
    /// `a[]=x&a[]=y`
    Brackets,
    /// `a=["x","y"]`
    None,
}

/// None if the encoded body is too large.
pub(crate) fn form(body: &Map<String, Value>, format: ArrayFormat) -> Option<String> {
    let mut encoder = Encoder { format, text: String::new() };
    for (key, value) in body {
        encoder.add(key, value)?;
    }
    Some(encoder.text)
}

struct Encoder {
    format: ArrayFormat,
    text: String,
}

impl Encoder {
    fn add(&mut self, key: &str, value: &Value) -> Option<()> {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    self.add(&joined(key, &format!("[{name}]"))?, value)?;
                }
                Some(())
            }
            Value::Array(items) => self.add_array(key, items, value),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.pair(key, &scalar(value))
            }
        }
    }

    fn add_array(&mut self, key: &str, items: &[Value], whole: &Value) -> Option<()> {
        match self.format {
            ArrayFormat::None => self.pair(key, &whole.to_string()),
            ArrayFormat::Commas => {
                let items: Vec<_> = items.iter().map(scalar).collect();
                self.pair(key, &items.join(","))
            }
            ArrayFormat::Indices | ArrayFormat::Repeat | ArrayFormat::Brackets => {
                for (index, item) in items.iter().enumerate() {
                    let key = match self.format {
                        ArrayFormat::Indices => joined(key, &format!("[{index}]"))?,
                        ArrayFormat::Brackets => joined(key, "[]")?,
                        ArrayFormat::Repeat | ArrayFormat::Commas | ArrayFormat::None => key.to_owned(),
                    };
                    self.add(&key, item)?;
                }
                Some(())
            }
        }
    }

    fn pair(&mut self, key: &str, value: &str) -> Option<()> {
        let mut pair = form_urlencoded::Serializer::new(String::new());
        pair.append_pair(key, value);
        let pair = pair.finish();
        if self.text.len() + pair.len() >= ENCODED_BYTES_MAX {
            return None;
        }
        if !self.text.is_empty() {
            self.text.push('&');
        }
        self.text.push_str(&pair);
        Some(())
    }
}

fn joined(key: &str, part: &str) -> Option<String> {
    (key.len() + part.len() < ENCODED_BYTES_MAX).then(|| format!("{key}{part}"))
}

/// A value on its own: a text without quotes, null as nothing, and what has parts as JSON.
pub(crate) fn scalar(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(body: &Value, format: ArrayFormat, expected: &str) {
        let text = form(body.as_object().unwrap(), format).unwrap();
        let decoded: Vec<_> =
            form_urlencoded::parse(text.as_bytes()).map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(decoded.join("&"), expected);
    }

    #[test]
    fn arrays_are_written_as_asked() {
        let body = json!({"a": ["x", 1, null], "b": true});
        check(&body, ArrayFormat::Indices, "a[0]=x&a[1]=1&a[2]=&b=true");
        check(&body, ArrayFormat::Repeat, "a=x&a=1&a=&b=true");
        check(&body, ArrayFormat::Commas, "a=x,1,&b=true");
        check(&body, ArrayFormat::Brackets, "a[]=x&a[]=1&a[]=&b=true");
        check(&body, ArrayFormat::None, "a=[\"x\",1,null]&b=true");
    }

    #[test]
    fn parts_of_parts_have_brackets() {
        let body = json!({"o": {"p": {"q": 1.0}}, "a": [{"b": [2, 3]}]});
        check(&body, ArrayFormat::Indices, "o[p][q]=1.0&a[0][b][0]=2&a[0][b][1]=3");
        check(&body, ArrayFormat::Repeat, "o[p][q]=1.0&a[b]=2&a[b]=3");
        check(&body, ArrayFormat::Commas, "o[p][q]=1.0&a={\"b\":[2,3]}");
        assert_eq!(
            form(json!({"a b": "ü&=+"}).as_object().unwrap(), ArrayFormat::Indices).unwrap(),
            "a+b=%C3%BC%26%3D%2B"
        );
    }

    #[test]
    fn a_key_that_is_repeated_too_often_is_refused() {
        let body = json!({"k".repeat(100_000): vec![0; 11]});
        assert_eq!(form(body.as_object().unwrap(), ArrayFormat::Repeat), None);
        let few = json!({"k".repeat(100_000): vec![0; 10]});
        assert!(form(few.as_object().unwrap(), ArrayFormat::Repeat).is_some());
    }
}
