//! UpdateConnection of EventBridge: what is not given stays as it is.

use engine::PutMode;
use serde_json::Value;
use store::Store;

use super::connection::{DESCRIPTION, Public, find, open, put, read_name, summary};
use super::create_connection::refuse_unsupported;
use super::parameters::{AuthParameters, KINDS};
use crate::api::dispatch::Answer;
use crate::api::fields::Fields;
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let name = read_name(&mut fields)?;
    let description = fields.text("Description", DESCRIPTION)?;
    let kind = fields.choice("AuthorizationType", KINDS)?;
    let newer = AuthParameters::read(&mut fields)?;
    refuse_unsupported(&mut fields)?;
    fields.finish()?;

    let (record, public) = find(app, &name).await?;
    let kind = kind.unwrap_or(public.kind);
    let parameters = open(app, &name, &record)?.updated(newer.unwrap_or_default()).of_kind(kind)?;
    let description = description.or(public.description);
    let public = Public { uuid: public.uuid, kind, description, shown: parameters.shown() };
    let record = put(app, &name, PutMode::Update, &public, &parameters).await?;
    tracing::info!(connection = %name, "connection updated");
    Ok(Value::Object(summary(app, &name, &record, &public)))
}
