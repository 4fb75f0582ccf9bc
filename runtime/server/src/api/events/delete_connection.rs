//! DeleteConnection of EventBridge.

use serde_json::{Value, json};
use store::Store;

use super::connection::{does_not_exist, find, key, read_name, summary};
use crate::api::dispatch::Answer;
use crate::api::fields::Fields;
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let name = read_name(&mut fields)?;
    fields.finish()?;

    let (record, public) = find(app, &name).await?;
    app.engine().delete_secret(key(&name)).await.map_err(|refusal| match refusal {
        engine::Refusal::SecretDoesNotExist { .. } => does_not_exist(&name),
        other => other.into(),
    })?;
    tracing::info!(connection = %name, "connection deleted");
    let mut answer = summary(app, &name, &record, &public);
    answer.insert("ConnectionState".to_owned(), json!("DELETING"));
    Ok(Value::Object(answer))
}
