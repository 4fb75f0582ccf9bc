//! A function as Lambda's answers describe it.

use asl::Timestamp;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use store::{ModuleHead, ModulePlace, ModuleRecord, Store};
use uuid::Uuid;

use super::error::LambdaError;
use super::names::Function;
use crate::app::App;
use crate::registry::{LATEST, version_name};

/// AWS: what a function has that was not told otherwise.
const TIMEOUT_SECONDS_DEFAULT: u64 = 60;
const MEMORY_MIB_DEFAULT: u64 = 128;

/// What is told of a function, a version of it, or an alias.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    pub(super) function: &'a Function,
    /// The ARN as it is told: with a version or an alias where one was asked for or made.
    pub(super) arn: String,
    /// None for `$LATEST`.
    pub(super) version: Option<u32>,
    pub(super) record: &'a ModuleRecord,
    pub(super) revision_id: String,
}

/// `FunctionConfiguration` of AWS's service model.
pub(super) fn configuration(shown: &Shown<'_>) -> Value {
    let Shown { function, arn, version, record, revision_id } = shown;
    let empty = Map::new();
    let told = record.configuration.as_ref().and_then(|told| told.value().as_object()).unwrap_or(&empty);
    let or = |member: &str, default: Value| told.get(member).cloned().unwrap_or(default);
    let account = function.arn.split(':').nth(4).unwrap_or_default();
    let description = record.description.as_ref().map(|text| json!(text));
    let mut answer = json!({
        "FunctionName": function.name,
        "FunctionArn": arn,
        "Runtime": or("Runtime", json!("provided.al2023")),
        "Role": or("Role", json!(format!("arn:aws:iam::{account}:role/stepwell"))),
        "Handler": or("Handler", json!("handle")),
        "CodeSize": record.size_bytes,
        "Description": description.unwrap_or_else(|| or("Description", json!(""))),
        "Timeout": or("Timeout", json!(TIMEOUT_SECONDS_DEFAULT)),
        "MemorySize": or("MemorySize", json!(MEMORY_MIB_DEFAULT)),
        "LastModified": modified(record.created_at),
        "CodeSha256": code_sha256(record),
        "Version": version.map_or_else(|| json!(LATEST), |version| json!(version.to_string())),
        "TracingConfig": {"Mode": "PassThrough"},
        "RevisionId": revision_id,
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "Architectures": or("Architectures", json!(["x86_64"])),
        "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": format!("/aws/lambda/{}", function.name)},
    });
    // A function without variables has no such member.
    if let Some(environment) = told.get("Environment").filter(|told| told["Variables"] != json!({})) {
        answer["Environment"] = environment.clone();
    }
    answer
}

/// Of the archive that Lambda's clients have sent, and of the component if it came otherwise.
pub(super) fn code_sha256(record: &ModuleRecord) -> String {
    let digest = record.package_digest.as_ref().unwrap_or(&record.digest);
    let bytes = digest.strip_prefix("sha256:").and_then(|digits| hex::decode(digits).ok());
    BASE64_STANDARD.encode(bytes.unwrap_or_default())
}

/// Changes with what it is of.
pub(super) fn revision_id(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    let digest: [u8; 32] = digest.finalize().into();
    Uuid::from_slice(&digest[..16]).expect("16 bytes").to_string()
}

/// The revision of `$LATEST`.
pub(super) fn latest_revision(function: &Function, head: &ModuleHead, record: &ModuleRecord) -> String {
    let upload = head.pointers.as_ref().map_or(0, |pointers| pointers.last_upload);
    revision_id(&[&function.arn, LATEST, &upload.to_string(), &record.created_at.to_string()])
}

/// The revision of a version.
pub(super) fn version_revision(function: &Function, version: u32, record: &ModuleRecord) -> String {
    revision_id(&[&function.arn, &version_name(version).to_string(), &record.created_at.to_string()])
}

/// A function and its `$LATEST`.
pub(super) async fn latest<S: Store + Clone>(
    app: &App<S>,
    function: &Function,
) -> Result<(ModuleHead, ModuleRecord), LambdaError> {
    find(app, function).await?.ok_or_else(|| LambdaError::no_function(&function.asked()))
}

/// A function and its `$LATEST`, if it is there.
pub(super) async fn find<S: Store + Clone>(
    app: &App<S>,
    function: &Function,
) -> Result<Option<(ModuleHead, ModuleRecord)>, LambdaError> {
    let Some(head) = app.store().module_head(&function.name).await? else { return Ok(None) };
    let record = match head.latest() {
        ModulePlace::Version(version) => app.store().module(&function.name, version).await?,
        ModulePlace::Upload(upload) => app.store().module_upload(&function.name, upload).await?,
    };
    Ok(record.map(|record| (head, record)))
}

/// What the qualifier of a function leads to: `$LATEST`, a version, or the version of an alias.
pub(super) async fn asked<S: Store + Clone>(app: &App<S>, function: &Function) -> Result<Value, LambdaError> {
    let (head, record) = latest(app, function).await?;
    let qualifier = function.qualifier.as_deref().filter(|qualifier| *qualifier != LATEST);
    let version = match qualifier {
        None => 0,
        Some(qualifier) => match (qualifier.parse::<u32>(), head.alias(qualifier)) {
            (Ok(version), _) => version,
            (Err(_), Some(alias)) => alias.target().version,
            (Err(_), None) => return Err(LambdaError::no_function(&function.asked())),
        },
    };
    if version == 0 {
        return Ok(latest_configuration(function, &head, &record, function.asked()));
    }
    let record = app.store().module(&function.name, version).await?;
    let record = record.ok_or_else(|| LambdaError::no_function(&function.asked()))?;
    Ok(version_configuration(function, version, &record, function.asked()))
}

/// `$LATEST` of a function as it is told.
pub(super) fn latest_configuration(
    function: &Function,
    head: &ModuleHead,
    record: &ModuleRecord,
    arn: String,
) -> Value {
    let revision_id = latest_revision(function, head, record);
    configuration(&Shown { function, arn, version: None, record, revision_id })
}

/// A version of a function as it is told.
pub(super) fn version_configuration(
    function: &Function,
    version: u32,
    record: &ModuleRecord,
    arn: String,
) -> Value {
    let revision_id = version_revision(function, version, record);
    configuration(&Shown { function, arn, version: Some(version), record, revision_id })
}

/// As Lambda writes times.
fn modified(at: Timestamp) -> String {
    at.to_string().replace('Z', "+0000")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_that_of_the_archive_if_there_was_one() {
        let record = ModuleRecord {
            digest: "sha256:00ff".into(),
            size_bytes: 2,
            exports: Vec::new(),
            created_at: Timestamp::from_milliseconds(0),
            description: None,
            manifest: None,
            configuration: None,
            package_digest: None,
        };
        assert_eq!(code_sha256(&record), "AP8=");
        assert_eq!(
            code_sha256(&ModuleRecord { package_digest: Some("sha256:ff00".into()), ..record }),
            "/wA="
        );
        assert_eq!(modified(Timestamp::from_milliseconds(0)), "1970-01-01T00:00:00.000+0000");
    }

    #[test]
    fn revisions_differ_with_their_parts() {
        assert_ne!(revision_id(&["a", "bc"]), revision_id(&["ab", "c"]));
        assert_eq!(revision_id(&["a"]), revision_id(&["a"]));
    }
}
