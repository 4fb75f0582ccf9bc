//! The Fail state.

use crate::definition::{Fail, TextField};
use crate::validate::errors;

use super::reader::Reader;

pub(crate) fn read(reader: &Reader<'_>) -> Fail {
    let error = reader.text_field("Error");
    if let Some(TextField::Literal(name)) = &error {
        errors::check_raised(&reader.place.field("Error"), name);
    }
    Fail { error, cause: reader.text_field("Cause") }
}
