//! CreateConnection of EventBridge.

use engine::PutMode;
use serde_json::Value;
use store::Store;
use uuid::Uuid;

use super::connection::{DESCRIPTION, Public, put, read_name, summary};
use super::parameters::{AuthParameters, KINDS};
use crate::api::dispatch::Answer;
use crate::api::error::ApiError;
use crate::api::fields::Fields;
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let name = read_name(&mut fields)?;
    let description = fields.text("Description", DESCRIPTION)?;
    fields.require("AuthorizationType");
    let kind = fields.choice("AuthorizationType", KINDS)?;
    fields.require("AuthParameters");
    let parameters = AuthParameters::read(&mut fields)?;
    refuse_unsupported(&mut fields)?;
    fields.finish()?;

    let (Some(kind), Some(parameters)) = (kind, parameters) else { return Err(ApiError::internal()) };
    let parameters = parameters.of_kind(kind)?;
    let public = Public { uuid: Uuid::new_v4().to_string(), kind, description, shown: parameters.shown() };
    let record = put(app, &name, PutMode::Create, &public, &parameters).await?;
    tracing::info!(connection = %name, "connection created");
    let mut answer = summary(app, &name, &record, &public);
    answer.remove("LastAuthorizedTime");
    Ok(Value::Object(answer))
}

/// What a connection of AWS may have and one of ours may not.
pub(super) fn refuse_unsupported(fields: &mut Fields) -> Result<(), ApiError> {
    if fields.structure("InvocationConnectivityParameters")?.is_some() {
        return Err(ApiError::validation("Private connectivity of a connection is not supported."));
    }
    if fields.text("KmsKeyIdentifier", DESCRIPTION)?.is_some_and(|key| !key.is_empty()) {
        return Err(ApiError::validation(
            "Customer managed keys are not supported; leave out KmsKeyIdentifier.",
        ));
    }
    Ok(())
}
