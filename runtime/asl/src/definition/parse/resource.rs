//! What the ARN of a `Resource` names.

use crate::definition::{Pattern, Target};

/// Services that Step Functions calls in a form of its own. `None` as their actions: all that one may write;
/// AWS refuses an action that is not in the list of a closed one.
const OPTIMISED_SERVICES: [(&str, Option<&[&str]>); 24] = [
    ("apigateway", Some(&["invoke"])),
    ("athena", Some(&["startQueryExecution", "stopQueryExecution", "getQueryExecution", "getQueryResults"])),
    ("batch", Some(&["submitJob"])),
    ("bedrock", None),
    ("bedrockagentcore", None),
    ("codebuild", None),
    ("databrew", Some(&["startJobRun"])),
    ("dynamodb", Some(&["getItem", "putItem", "updateItem", "deleteItem"])),
    ("ecs", Some(&["runTask"])),
    ("eks", None),
    ("elasticmapreduce", None),
    ("emr-containers", None),
    ("emr-serverless", None),
    ("events", Some(&["putEvents"])),
    ("glue", Some(&["startJobRun"])),
    ("http", Some(&["invoke"])),
    ("lambda", Some(&["invoke"])),
    ("mediaconvert", Some(&["createJob"])),
    // Readers and writers of a distributed Map; a Task uses `aws-sdk:s3`.
    ("s3", Some(&["getObject", "listObjectsV2", "putObject"])),
    ("sagemaker", None),
    ("sns", Some(&["publish"])),
    ("sqs", Some(&["sendMessage"])),
    ("states", Some(&["startExecution"])),
    // Ours: a task that does nothing but await its answer.
    ("stepwell", Some(&["awaitCallback"])),
];

/// Of services that are called in some patterns only: which. AWS refuses the others.
const PATTERNS_OF: [(&str, &[Pattern]); 4] = [
    ("dynamodb", &[Pattern::RequestResponse]),
    ("http", &[Pattern::RequestResponse]),
    ("lambda", &[Pattern::RequestResponse, Pattern::WaitForTaskToken]),
    ("stepwell", &[Pattern::WaitForTaskToken]),
];

/// Longest first, so that no suffix hides another.
const PATTERNS: [Pattern; 3] = [Pattern::WaitForTaskToken, Pattern::Sync2, Pattern::Sync];

/// AWS's text for an ARN that names nothing it can call.
pub(crate) fn unrecognized(arn: &str) -> String {
    format!(
        "The resource provided {arn} is not recognized. The value is not a valid resource ARN, or the resource \
         is not available in this region."
    )
}

/// Reads an ARN; any partition, region and account will do.
pub(crate) fn parse(arn: &str) -> Option<Target> {
    let (_partition, rest) = arn.strip_prefix("arn:")?.split_once(':')?;
    let (family, rest) = rest.split_once(':')?;
    let (_region, rest) = rest.split_once(':')?;
    let (_account, rest) = rest.split_once(':')?;
    match family {
        "lambda" => rest.strip_prefix("function:").filter(|name| !name.is_empty()).map(|_| Target::Function),
        "states" => match rest.strip_prefix("activity:") {
            Some(name) => (!name.is_empty()).then_some(Target::Activity),
            None => service(rest),
        },
        _other => None,
    }
}

/// `SERVICE:ACTION[.PATTERN]`, where the service may be `aws-sdk:NAME`.
fn service(text: &str) -> Option<Target> {
    let pattern = PATTERNS.into_iter().find(|pattern| text.ends_with(pattern.suffix()));
    let pattern = pattern.unwrap_or(Pattern::RequestResponse);
    let (service, action) = text.strip_suffix(pattern.suffix())?.rsplit_once(':')?;
    let known = match service.strip_prefix("aws-sdk:") {
        Some(name) => is_word(name),
        None => OPTIMISED_SERVICES.iter().any(|(name, actions)| {
            *name == service && actions.is_none_or(|actions| actions.contains(&action))
        }),
    };
    let patterns = PATTERNS_OF.iter().find(|(name, _)| *name == service).map(|(_, patterns)| patterns);
    let has_pattern = patterns.is_none_or(|patterns| patterns.contains(&pattern));
    (known && is_word(action) && has_pattern).then(|| Target::Service {
        service: String::from(service),
        action: String::from(action),
        pattern,
    })
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(arn: &str, expected: &str) {
        let actual = match parse(arn) {
            None => String::from("unrecognized"),
            Some(Target::Function) => String::from("function"),
            Some(Target::Activity) => String::from("activity"),
            Some(Target::Service { service, action, pattern }) => {
                format!("{service} {action}{}", pattern.suffix())
            }
        };
        assert_eq!(actual, expected, "{arn}");
    }

    #[test]
    fn reads_arns() {
        check("arn:aws:lambda:us-east-1:123456789012:function:Hello", "function");
        check("arn:aws:lambda:us-east-1:123456789012:function:Hello:$LATEST", "function");
        check("arn:aws-cn:states:us-east-1:123456789012:activity:Work", "activity");
        check("arn:aws:states:::lambda:invoke", "lambda invoke");
        check("arn:aws:states:::lambda:invoke.waitForTaskToken", "lambda invoke.waitForTaskToken");
        check("arn:aws:states:::http:invoke", "http invoke");
        check("arn:aws:states:::sqs:sendMessage.waitForTaskToken", "sqs sendMessage.waitForTaskToken");
        check("arn:aws:states:::states:startExecution.sync", "states startExecution.sync");
        check("arn:aws:states:::states:startExecution.sync:2", "states startExecution.sync:2");
        check("arn:aws:states:::aws-sdk:s3:getObject", "aws-sdk:s3 getObject");
        check(
            "arn:aws:states:::stepwell:awaitCallback.waitForTaskToken",
            "stepwell awaitCallback.waitForTaskToken",
        );
        check("arn:aws:states:us-east-1:123456789012:aws-sdk:s3:getObject", "aws-sdk:s3 getObject");
    }

    #[test]
    fn refuses_what_names_nothing() {
        for arn in [
            "",
            "Hello",
            "arn:aws:states:::dynamodb:query",
            "arn:aws:states:::nothing:invoke",
            "arn:aws:states:::lambda",
            "arn:aws:states:::lambda:",
            "arn:aws:states:::lambda:invoke.later",
            "arn:aws:states:::lambda:invoke.sync",
            "arn:aws:states:::http:invoke.waitForTaskToken",
            "arn:aws:states:::http:invoke.sync:2",
            "arn:aws:states:::dynamodb:getItem.waitForTaskToken",
            "arn:aws:states:::aws-sdk:getObject",
            "arn:aws:states:::stepwell:awaitCallback",
            "arn:aws:states:::stepwell:awaitCallback.sync",
            "arn:aws:s3:::bucket",
            "arn:aws:lambda:us-east-1:123456789012:layer:x",
            "arn:aws:states:us-east-1:123456789012:activity:",
        ] {
            check(arn, "unrecognized");
        }
    }
}
