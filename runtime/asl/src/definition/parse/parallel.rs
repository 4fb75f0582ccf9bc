//! The Parallel state.

use crate::definition::{Parallel, ScopeId};

use super::outline::InnerScope;
use super::reader::Reader;

pub(crate) fn read(reader: &Reader<'_>, inner: &[InnerScope<'_>]) -> Parallel {
    let place = reader.place.field("Branches");
    if let Some(branches) = reader.array("Branches") {
        if branches.is_empty() {
            place.error("Value cannot be empty");
        }
        for (at, branch) in branches.iter().enumerate() {
            if !branch.is_object() {
                place
                    .item(at)
                    .error("Each entry of 'Branches' should be an object with 'StartAt' and 'States'");
            }
        }
    }
    Parallel {
        flow: reader.flow(),
        branches: inner.iter().map(|scope| scope.id).collect::<Vec<ScopeId>>(),
        retry: reader.retry(),
        catch: reader.catch(),
        assign: reader.assign(),
        transition: reader.transition(),
    }
}
