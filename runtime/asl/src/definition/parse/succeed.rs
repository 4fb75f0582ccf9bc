//! The Succeed state.

use crate::definition::Succeed;

use super::reader::Reader;

pub(crate) fn read(reader: &Reader<'_>) -> Succeed {
    Succeed { flow: reader.flow() }
}
