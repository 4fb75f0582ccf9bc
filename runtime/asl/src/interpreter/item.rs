//! What a Map goes over: the items of an array or, if it is distributed, the entries of an object.

use serde_json::{Value, json};

use crate::data::json::Data;
use crate::data::text::Text;

/// One of the items.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item<'a> {
    /// Of an entry.
    pub(super) key: Option<&'a str>,
    pub(super) value: &'a Value,
}

/// How many items there are.
pub(super) fn count(items: &Value) -> usize {
    match items {
        Value::Array(items) => items.len(),
        Value::Object(entries) => entries.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// The item at an index; the entries of an object are in the order in which they were written.
pub(super) fn at(items: &Value, index: u32) -> Option<Item<'_>> {
    let index = index as usize;
    match items {
        Value::Array(items) => items.get(index).map(|value| Item { key: None, value }),
        Value::Object(entries) => {
            entries.iter().nth(index).map(|(key, value)| Item { key: Some(key), value })
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

impl Item<'_> {
    /// What goes into the item processor if no ItemSelector says otherwise.
    pub(super) fn input(&self) -> Data {
        match self.key {
            None => self.value.clone().into(),
            Some(key) => json!({ "Key": key, "Value": self.value }).into(),
        }
    }

    pub(super) fn key(&self) -> Option<Text> {
        self.key.map(Text::from)
    }

    /// `$$.Map.Item`.
    pub(super) fn context(&self, index: u32, is_distributed: bool) -> Value {
        let mut item = json!({ "Index": index });
        if let Some(key) = self.key {
            item["Key"] = key.into();
        }
        item["Value"] = self.value.clone();
        if is_distributed {
            item["Source"] = STATE_DATA.into();
        }
        item
    }
}

/// AWS: where the items of a distributed Map come from that are part of its state's input.
const STATE_DATA: &str = "STATE_DATA";
