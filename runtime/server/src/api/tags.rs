//! What the operations on tags have in common.

use engine::Tagged;
use engine::arn::{ActivityArn, InvalidArn, StateMachineReference};

use super::error::ApiError;

/// The resource of an ARN. Versions and aliases have no tags, so they are not found.
pub(crate) fn resource(text: &str) -> Result<Tagged, ApiError> {
    match StateMachineReference::parse(text) {
        Ok(StateMachineReference::Machine(arn)) => Ok(Tagged::Machine(arn)),
        Ok(_qualified) => Err(ApiError::tagged_does_not_exist(text)),
        Err(InvalidArn::ResourceType(kind)) if kind == "activity" => {
            Ok(Tagged::Activity(ActivityArn::parse(text)?))
        }
        Err(error) => Err(error.into()),
    }
}
