//! Which fields an object of the definition has: those it must have, those that exclude each other, those it
//! may have, in which query language.

use crate::definition::QueryLanguage;
use crate::definition::parse::reader::Reader;

pub(crate) use super::fields::Part;
use super::fields::{Fields, fields};
use super::language;

/// Checks the fields of an object; their values are read elsewhere.
pub(crate) fn check_part(reader: &Reader<'_>, part: Part) {
    let fields = fields(part);
    let (own, other, required) = match reader.scope.language {
        QueryLanguage::JsonPath => (fields.json_path, fields.jsonata, fields.required_json_path),
        QueryLanguage::Jsonata => (fields.jsonata, fields.json_path, fields.required_jsonata),
    };
    let missing: Vec<&str> =
        fields.required.iter().chain(required).copied().filter(|name| !reader.has(name)).collect();
    if !missing.is_empty() {
        reader.place.error(format!("These fields are required: [{}]", missing.join(", ")));
    }
    for group in fields.exactly_one {
        let usable = group.iter().copied().filter(|name| own.contains(name) || fields.both.contains(name));
        check_group(reader, &usable.collect::<Vec<&str>>(), true);
    }
    for group in fields.at_most_one {
        check_group(reader, group, false);
    }
    let is_own =
        |name: &str| fields.common.contains(&name) || fields.both.contains(&name) || own.contains(&name);
    for name in reader.object.keys().map(String::as_str).filter(|name| !is_own(name)) {
        if other.contains(&name) {
            language::report_field(reader, name);
        } else if !(fields.open && reader.scope.language == QueryLanguage::JsonPath) {
            report_unknown(reader, &fields, name);
        }
    }
}

/// Whether a part has a field of this name, in either language.
pub(crate) fn is_field_of(part: Part, name: &str) -> bool {
    let fields = fields(part);
    [fields.common, fields.both, fields.json_path, fields.jsonata].concat().contains(&name)
}

fn check_group(reader: &Reader<'_>, group: &[&str], required: bool) {
    let names = group.join(", ");
    match group.iter().filter(|name| reader.has(name)).count() {
        0 if required => reader.place.error(format!("One of these fields is required: [{names}]")),
        0 | 1 => {}
        _more => reader.place.error(format!("Only one of these fields can be used: [{names}]")),
    }
}

fn report_unknown(reader: &Reader<'_>, fields: &Fields, name: &str) {
    let title = fields.title;
    reader.place.field(name).error(format!("The field '{name}' is not supported in {title}"));
}
