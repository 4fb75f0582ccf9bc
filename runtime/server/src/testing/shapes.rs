//! The answers of services whose shapes are known: a table, by the service and action of a task's Resource. A
//! service that is not here answers what the caller likes.
//!
//! Words that a service adds to every few months (runtimes of functions, say) are taken for plain text.

use super::shape::{Member, Shape};

const TEXT: Shape = text(0, usize::MAX);
const NUMBER: Shape = Shape::Number { min: f64::MIN, max: f64::MAX };
const BOOLEAN: Shape = Shape::Boolean;
const TEXTS: Shape = Shape::List(&TEXT);

const fn text(length_min: usize, length_max: usize) -> Shape {
    Shape::Text { length_min, length_max }
}

const fn number(min: f64, max: f64) -> Shape {
    Shape::Number { min, max }
}

const fn member(name: &'static str, shape: Shape) -> Member {
    Member { name, shape, required: false }
}

const fn required(name: &'static str, shape: Shape) -> Member {
    Member { name, shape, required: true }
}

/// `aws-sdk:SERVICE` answers as `SERVICE` does, unless it has a line of its own.
pub(super) fn find(service: &str, action: &str) -> Option<Shape> {
    let line = |service: &str| {
        TABLE.iter().find(|(known, actions, _)| *known == service && actions.contains(&action))
    };
    let plain = match service.strip_prefix("aws-sdk:") {
        Some("sfn") => "states",
        Some("eventbridge") => "events",
        Some(name) => name,
        None => service,
    };
    line(service).or_else(|| line(plain)).map(|(_, _, members)| Shape::Structure(members))
}

type Line = (&'static str, &'static [&'static str], &'static [Member]);

const TABLE: [Line; 19] = [
    ("lambda", &["invoke"], &LAMBDA_INVOKE),
    ("aws-sdk:lambda", &["invoke"], &LAMBDA_SDK_INVOKE),
    ("aws-sdk:lambda", &["getFunction"], &LAMBDA_GET_FUNCTION),
    ("aws-sdk:lambda", &["getFunctionConfiguration"], &LAMBDA_CONFIGURATION),
    ("states", &["startExecution"], &STATES_START_EXECUTION),
    (
        "states",
        &["startExecution.sync", "startExecution.sync:2", "describeExecution"],
        &STATES_DESCRIBE_EXECUTION,
    ),
    ("dynamodb", &["getItem"], &DYNAMODB_GET_ITEM),
    ("dynamodb", &["putItem", "updateItem", "deleteItem"], &DYNAMODB_WRITE_ITEM),
    ("events", &["putEvents"], &EVENTS_PUT_EVENTS),
    ("sqs", &["sendMessage"], &SQS_SEND_MESSAGE),
    ("sns", &["publish"], &SNS_PUBLISH),
    ("aws-sdk:kms", &["encrypt"], &KMS_ENCRYPT),
    ("aws-sdk:kms", &["decrypt"], &KMS_DECRYPT),
    ("aws-sdk:s3", &["getObject"], &S3_GET_OBJECT),
    ("aws-sdk:s3", &["putObject"], &S3_PUT_OBJECT),
    ("aws-sdk:s3", &["listObjectsV2"], &S3_LIST_OBJECTS),
    ("aws-sdk:secretsmanager", &["getSecretValue"], &SECRETS_GET_SECRET_VALUE),
    ("aws-sdk:ssm", &["getParameter"], &SSM_GET_PARAMETER),
    ("aws-sdk:sts", &["getCallerIdentity"], &STS_GET_CALLER_IDENTITY),
];

const LAMBDA_INVOKE: [Member; 5] = [
    member("StatusCode", NUMBER),
    member("FunctionError", TEXT),
    member("LogResult", TEXT),
    // The optimised integration has parsed it already.
    member("Payload", Shape::Any),
    member("ExecutedVersion", text(1, 1_024)),
];

const LAMBDA_SDK_INVOKE: [Member; 5] = [
    member("StatusCode", NUMBER),
    member("FunctionError", TEXT),
    member("LogResult", TEXT),
    member("Payload", TEXT),
    member("ExecutedVersion", text(1, 1_024)),
];

const LAMBDA_GET_FUNCTION: [Member; 3] = [
    member("Configuration", Shape::Structure(&LAMBDA_CONFIGURATION)),
    member("Code", Shape::Structure(&LAMBDA_CODE)),
    member("Tags", Shape::Map(&TEXT)),
];

const LAMBDA_CODE: [Member; 4] = [
    member("RepositoryType", TEXT),
    member("Location", TEXT),
    member("ImageUri", TEXT),
    member("ResolvedImageUri", TEXT),
];

const LAMBDA_CONFIGURATION: [Member; 18] = [
    member("FunctionName", text(1, 256)),
    member("FunctionArn", text(0, 10_000)),
    member("Runtime", TEXT),
    member("Role", text(0, 10_000)),
    member("Handler", text(0, 128)),
    member("CodeSize", NUMBER),
    member("Description", text(0, 256)),
    member("Timeout", number(1.0, 5_400.0)),
    member("MemorySize", number(128.0, 32_768.0)),
    member("LastModified", text(0, 100)),
    member("CodeSha256", TEXT),
    member("Version", text(1, 1_024)),
    member("KMSKeyArn", text(0, 10_000)),
    member("MasterArn", text(0, 10_000)),
    member("RevisionId", TEXT),
    member("State", TEXT),
    member("PackageType", Shape::Word(&["Zip", "Image"])),
    member("Architectures", Shape::List(&Shape::Word(&["x86_64", "arm64"]))),
];

const STATES_START_EXECUTION: [Member; 2] =
    [required("ExecutionArn", text(1, 256)), required("StartDate", TEXT)];

const STATES_DESCRIBE_EXECUTION: [Member; 15] = [
    required("ExecutionArn", text(1, 256)),
    required("StateMachineArn", text(1, 256)),
    member("Name", text(1, 80)),
    required(
        "Status",
        Shape::Word(&["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "PENDING_REDRIVE"]),
    ),
    required("StartDate", TEXT),
    member("StopDate", TEXT),
    // `.sync:2` gives input and output as JSON.
    member("Input", Shape::Any),
    member("Output", Shape::Any),
    member("TraceHeader", text(0, 256)),
    member("MapRunArn", text(1, 2_000)),
    member("Error", text(0, 256)),
    member("Cause", text(0, 32_768)),
    member("RedriveCount", NUMBER),
    member("RedriveDate", TEXT),
    member("RedriveStatus", Shape::Word(&["REDRIVABLE", "NOT_REDRIVABLE", "REDRIVABLE_BY_MAP_RUN"])),
];

/// An item, or a key: names of the caller's choice with typed values.
const DYNAMODB_ITEM: Shape = Shape::Map(&Shape::Structure(&DYNAMODB_VALUE));

const DYNAMODB_VALUE: [Member; 10] = [
    member("S", TEXT),
    member("N", TEXT),
    member("B", TEXT),
    member("SS", TEXTS),
    member("NS", TEXTS),
    member("BS", TEXTS),
    member("M", Shape::Map(&Shape::Any)),
    member("L", Shape::List(&Shape::Any)),
    member("NULL", BOOLEAN),
    member("BOOL", BOOLEAN),
];

const DYNAMODB_CAPACITY: [Member; 3] = [
    member("CapacityUnits", NUMBER),
    member("ReadCapacityUnits", NUMBER),
    member("WriteCapacityUnits", NUMBER),
];

const DYNAMODB_CONSUMED: [Member; 7] = [
    member("TableName", text(1, 1_024)),
    member("CapacityUnits", NUMBER),
    member("ReadCapacityUnits", NUMBER),
    member("WriteCapacityUnits", NUMBER),
    member("Table", Shape::Structure(&DYNAMODB_CAPACITY)),
    member("LocalSecondaryIndexes", Shape::Map(&Shape::Structure(&DYNAMODB_CAPACITY))),
    member("GlobalSecondaryIndexes", Shape::Map(&Shape::Structure(&DYNAMODB_CAPACITY))),
];

const DYNAMODB_GET_ITEM: [Member; 2] =
    [member("Item", DYNAMODB_ITEM), member("ConsumedCapacity", Shape::Structure(&DYNAMODB_CONSUMED))];

const DYNAMODB_COLLECTION: [Member; 2] =
    [member("ItemCollectionKey", DYNAMODB_ITEM), member("SizeEstimateRangeGB", Shape::List(&NUMBER))];

const DYNAMODB_WRITE_ITEM: [Member; 3] = [
    member("Attributes", DYNAMODB_ITEM),
    member("ConsumedCapacity", Shape::Structure(&DYNAMODB_CONSUMED)),
    member("ItemCollectionMetrics", Shape::Structure(&DYNAMODB_COLLECTION)),
];

const EVENTS_ENTRY: [Member; 3] =
    [member("EventId", text(0, 64)), member("ErrorCode", TEXT), member("ErrorMessage", TEXT)];

const EVENTS_PUT_EVENTS: [Member; 2] =
    [member("FailedEntryCount", NUMBER), member("Entries", Shape::List(&Shape::Structure(&EVENTS_ENTRY)))];

const SQS_SEND_MESSAGE: [Member; 5] = [
    member("MD5OfMessageBody", TEXT),
    member("MD5OfMessageAttributes", TEXT),
    member("MD5OfMessageSystemAttributes", TEXT),
    member("MessageId", TEXT),
    member("SequenceNumber", TEXT),
];

const SNS_PUBLISH: [Member; 2] = [member("MessageId", TEXT), member("SequenceNumber", TEXT)];

const KMS_ALGORITHM: Shape =
    Shape::Word(&["SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE"]);

const KMS_ENCRYPT: [Member; 3] = [
    member("CiphertextBlob", text(1, 6_144)),
    member("KeyId", text(1, 2_048)),
    member("EncryptionAlgorithm", KMS_ALGORITHM),
];

const KMS_DECRYPT: [Member; 4] = [
    member("KeyId", text(1, 2_048)),
    member("Plaintext", text(1, 4_096)),
    member("EncryptionAlgorithm", KMS_ALGORITHM),
    member("CiphertextForRecipient", text(1, 6_144)),
];

const S3_STORAGE_CLASS: Shape = Shape::Word(&[
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "DEEP_ARCHIVE",
    "OUTPOSTS",
    "GLACIER_IR",
    "SNOW",
    "EXPRESS_ONEZONE",
    "FSX_OPENZFS",
    "FSX_ONTAP",
]);

const S3_ENCRYPTION: Shape = Shape::Word(&["AES256", "aws:fsx", "aws:backup", "aws:kms", "aws:kms:dsse"]);

const S3_GET_OBJECT: [Member; 27] = [
    member("Body", TEXT),
    member("DeleteMarker", BOOLEAN),
    member("AcceptRanges", TEXT),
    member("Expiration", TEXT),
    member("Restore", TEXT),
    member("LastModified", TEXT),
    member("ContentLength", NUMBER),
    member("ETag", TEXT),
    member("MissingMeta", NUMBER),
    member("VersionId", TEXT),
    member("CacheControl", TEXT),
    member("ContentDisposition", TEXT),
    member("ContentEncoding", TEXT),
    member("ContentLanguage", TEXT),
    member("ContentRange", TEXT),
    member("ContentType", TEXT),
    member("Expires", TEXT),
    member("WebsiteRedirectLocation", TEXT),
    member("ServerSideEncryption", S3_ENCRYPTION),
    member("Metadata", Shape::Map(&TEXT)),
    member("BucketKeyEnabled", BOOLEAN),
    member("StorageClass", S3_STORAGE_CLASS),
    member("ReplicationStatus", Shape::Word(&["COMPLETE", "PENDING", "FAILED", "REPLICA", "COMPLETED"])),
    member("PartsCount", NUMBER),
    member("TagCount", NUMBER),
    member("ObjectLockMode", Shape::Word(&["GOVERNANCE", "COMPLIANCE"])),
    member("ObjectLockLegalHoldStatus", Shape::Word(&["ON", "OFF"])),
];

const S3_PUT_OBJECT: [Member; 6] = [
    member("Expiration", TEXT),
    member("ETag", TEXT),
    member("ServerSideEncryption", S3_ENCRYPTION),
    member("VersionId", TEXT),
    member("BucketKeyEnabled", BOOLEAN),
    member("Size", NUMBER),
];

const S3_OBJECT: [Member; 5] = [
    member("Key", text(1, usize::MAX)),
    member("LastModified", TEXT),
    member("ETag", TEXT),
    member("Size", NUMBER),
    member("StorageClass", S3_STORAGE_CLASS),
];

const S3_LIST_OBJECTS: [Member; 10] = [
    member("IsTruncated", BOOLEAN),
    member("Contents", Shape::List(&Shape::Structure(&S3_OBJECT))),
    member("Name", TEXT),
    member("Prefix", TEXT),
    member("Delimiter", TEXT),
    member("MaxKeys", NUMBER),
    member("KeyCount", NUMBER),
    member("ContinuationToken", TEXT),
    member("NextContinuationToken", TEXT),
    member("StartAfter", TEXT),
];

const SECRETS_GET_SECRET_VALUE: [Member; 7] = [
    member("ARN", text(20, 2_048)),
    member("Name", text(1, 256)),
    member("VersionId", text(32, 64)),
    member("SecretBinary", text(1, 65_536)),
    member("SecretString", text(1, 65_536)),
    member("VersionStages", Shape::List(&text(1, 256))),
    member("CreatedDate", TEXT),
];

const SSM_PARAMETER: [Member; 7] = [
    member("Name", text(1, 2_048)),
    member("Type", Shape::Word(&["String", "StringList", "SecureString"])),
    member("Value", TEXT),
    member("Version", NUMBER),
    member("LastModifiedDate", TEXT),
    member("ARN", TEXT),
    member("DataType", text(0, 128)),
];

const SSM_GET_PARAMETER: [Member; 1] = [member("Parameter", Shape::Structure(&SSM_PARAMETER))];

const STS_GET_CALLER_IDENTITY: [Member; 3] =
    [member("UserId", TEXT), member("Account", TEXT), member("Arn", text(20, 2_048))];
