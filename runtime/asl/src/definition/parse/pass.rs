//! The Pass state.

use crate::definition::Pass;

use super::reader::Reader;

pub(crate) fn read(reader: &Reader<'_>) -> Pass {
    Pass {
        flow: reader.flow(),
        result: if reader.is_jsonata() { None } else { reader.get("Result").cloned() },
        assign: reader.assign(),
        transition: reader.transition(),
    }
}
