//! DescribeConnection of EventBridge: everything but the secrets.

use serde_json::{Value, json};
use store::Store;

use super::connection::{find, read_name, summary};
use crate::api::dispatch::Answer;
use crate::api::fields::Fields;
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let name = read_name(&mut fields)?;
    fields.finish()?;

    let (record, public) = find(app, &name).await?;
    let mut answer = summary(app, &name, &record, &public);
    let (region, account) = app.place();
    let secret =
        format!("arn:aws:secretsmanager:{region}:{account}:secret:events!connection/{name}/{}", public.uuid);
    answer.insert("Name".to_owned(), name.into());
    answer.insert("SecretArn".to_owned(), secret.into());
    answer.insert("AuthorizationType".to_owned(), json!(public.kind));
    answer.insert("AuthParameters".to_owned(), public.shown);
    if let Some(description) = public.description {
        answer.insert("Description".to_owned(), description.into());
    }
    Ok(Value::Object(answer))
}
