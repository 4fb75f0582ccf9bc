//! Reads TOML with the place of each value, so that a mistake is told with its line and the field that has it.

use std::borrow::Cow;

use toml::de::{DeTable, DeValue};

use super::ManifestError;

/// A table of the file whose names are all known.
pub(super) struct Table<'a> {
    text: &'a str,
    /// The table's name with its parents, empty for the whole file.
    name: String,
    at: usize,
    entries: &'a DeTable<'a>,
}

/// One value and its name.
pub(super) struct Field<'a> {
    text: &'a str,
    pub(super) name: String,
    at: usize,
    value: &'a DeValue<'a>,
}

/// The mistakes of the parser itself.
pub(super) fn syntax(text: &str, error: &toml::de::Error) -> ManifestError {
    let at = error.span().map_or(0, |span| span.start);
    ManifestError { line: line(text, at), field: String::new(), why: error.message().to_owned() }
}

impl<'a> Table<'a> {
    /// The whole file.
    pub(super) fn root(text: &'a str, entries: &'a DeTable<'a>) -> Table<'a> {
        Table { text, name: String::new(), at: 0, entries }
    }

    /// Refuses what it does not know.
    pub(super) fn with_only(self, known: &[&str]) -> Result<Table<'a>, ManifestError> {
        for (key, value) in self.entries {
            if !known.contains(&key.get_ref().as_ref()) {
                let name = self.name_of(key.get_ref());
                let field = Field { text: self.text, name, at: key.span().start, value: value.get_ref() };
                return Err(field.wrong(format!("there is no such field; there are {}", known.join(", "))));
            }
        }
        Ok(self)
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = (Cow<'a, str>, Field<'a>)> {
        self.entries.iter().map(|(key, value)| {
            let name = self.name_of(key.get_ref());
            let at = value.span().start;
            (key.get_ref().clone(), Field { text: self.text, name, at, value: value.get_ref() })
        })
    }

    pub(super) fn field(&self, name: &str) -> Option<Field<'a>> {
        self.fields().find(|(key, _)| key == name).map(|(_, field)| field)
    }

    pub(super) fn required(&self, name: &str, example: &str) -> Result<Field<'a>, ManifestError> {
        let missing = || ManifestError {
            line: line(self.text, self.at),
            field: self.name_of(name),
            why: format!("it is missing: write {example}"),
        };
        self.field(name).ok_or_else(missing)
    }

    fn name_of(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }
}

impl<'a> Field<'a> {
    pub(super) fn wrong(&self, why: impl Into<String>) -> ManifestError {
        ManifestError { line: line(self.text, self.at), field: self.name.clone(), why: why.into() }
    }

    fn not(&self, wanted: &str) -> ManifestError {
        let found = match self.value {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with a point",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.wrong(format!("it must be {wanted}, not {found}"))
    }

    pub(super) fn text(&self) -> Result<&'a str, ManifestError> {
        self.value.as_str().ok_or_else(|| self.not("a text"))
    }

    /// A number above zero.
    pub(super) fn count<T: TryFrom<u64>>(&self) -> Result<T, ManifestError> {
        let DeValue::Integer(integer) = self.value else { return Err(self.not("a whole number")) };
        let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|number| *number > 0);
        let number = number.and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| self.wrong("it must be a number above zero that fits"))
    }

    /// The items of a list, at most so many.
    pub(super) fn items(&self, items_max: usize) -> Result<Vec<Field<'a>>, ManifestError> {
        let DeValue::Array(items) = self.value else { return Err(self.not("a list")) };
        if items.len() > items_max {
            return Err(self.wrong(format!("it has {} items; {items_max} are the most", items.len())));
        }
        let item = |(index, item): (usize, &'a toml::Spanned<DeValue<'a>>)| Field {
            text: self.text,
            name: format!("{}[{index}]", self.name),
            at: item.span().start,
            value: item.get_ref(),
        };
        Ok(items.iter().enumerate().map(item).collect())
    }

    pub(super) fn table(&self) -> Result<Table<'a>, ManifestError> {
        match self.value {
            DeValue::Table(entries) => {
                Ok(Table { text: self.text, name: self.name.clone(), at: self.at, entries })
            }
            _ => Err(self.not("a table")),
        }
    }
}

/// The line of a byte, from 1.
fn line(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or(text).matches('\n').count() + 1
}
