//! The Task state.

use crate::definition::{Resource, Target, Task, Template};
use crate::limits::SECONDS_MAX;
use crate::validate::{express, timeouts};

use super::callback_links;
use super::reader::Reader;
use super::resource;
use super::values::Numbers;

pub(crate) fn read(reader: &Reader<'_>) -> Task {
    let timeout_seconds = reader.number_field("TimeoutSeconds", &Numbers::Integers(1..=SECONDS_MAX));
    let heartbeat_seconds = reader.number_field("HeartbeatSeconds", &Numbers::Integers(1..=SECONDS_MAX));
    timeouts::check(&reader.place, timeout_seconds.as_ref(), heartbeat_seconds.as_ref());
    let resource = read_resource(reader);
    Task {
        callback_links: callback_links::read(reader, &resource.target),
        resource,
        flow: reader.flow(),
        timeout_seconds,
        heartbeat_seconds,
        credentials: credentials(reader),
        retry: reader.retry(),
        catch: reader.catch(),
        assign: reader.assign(),
        transition: reader.transition(),
    }
}

fn read_resource(reader: &Reader<'_>) -> Resource {
    let arn = reader.text("Resource").unwrap_or_default();
    let place = reader.place.field("Resource");
    let target = resource::parse(arn);
    match &target {
        Some(target) if reader.scope.express => express::check_resource(&place, target),
        Some(_) => {}
        None if arn.is_empty() && !reader.get("Resource").is_some_and(serde_json::Value::is_string) => {}
        None => place.error(resource::unrecognized(arn)),
    }
    Resource { arn: String::from(arn), target: target.unwrap_or(Target::Function) }
}

fn credentials(reader: &Reader<'_>) -> Option<Template> {
    let given = reader.object("Credentials")?;
    if !given.contains_key("RoleArn") && (reader.is_jsonata() || !given.contains_key("RoleArn.$")) {
        reader.place.field("Credentials").error("The field 'RoleArn' is required but was missing");
    }
    reader.template("Credentials")
}
