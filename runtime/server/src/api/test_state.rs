//! TestState: one state, run by the interpreter and told of in detail.

use std::sync::Arc;

use asl::definition::{Pattern, Target};
use asl::interpreter::{
    ErrorOutput, ExecutionId, ExecutionInfo, Mock, Setup, Status, Trial, Variables, Verdict,
};
use asl::{Data, Text, Timestamp};
use serde_json::{Map, Value};
use store::Store;
use uuid::Uuid;

use super::describe::check_role;
use super::dispatch::Answer;
use super::error::ApiError;
use super::fields::{Fields, TextRule};
use super::payload::execution_input;
use crate::app::{App, now};
use crate::testing::context::{self, Names};
use crate::testing::exchange::Exchanges;
use crate::testing::mock::{self, Configuration, MockInput, Validation};
use crate::testing::subject::Subject;
use crate::testing::{inspection, run};

const LEVELS: &[(&str, Level)] = &[("INFO", Level::Info), ("DEBUG", Level::Debug), ("TRACE", Level::Trace)];
const VALIDATIONS: &[(&str, Validation)] =
    &[("STRICT", Validation::Strict), ("PRESENT", Validation::Present), ("NONE", Validation::None)];
/// AWS service model: the counts of a test have no upper bound but that of their type.
const COUNT_MAX: u32 = i32::MAX.unsigned_abs();

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Level {
    #[default]
    Info,
    /// `inspectionData`.
    Debug,
    /// And in it a task's HTTP request and response.
    Trace,
}

/// The request as it came.
struct Request {
    definition: String,
    role_arn: Option<String>,
    input: Option<String>,
    level: Level,
    reveals_secrets: bool,
    variables: Option<String>,
    state_name: Option<String>,
    mock: Option<MockInput>,
    context: Option<String>,
    configuration: Configuration,
}

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, fields: Fields) -> Answer {
    let mut request = read(fields)?;
    let subject = Subject::parse(&request.definition, request.state_name.as_deref())?;
    let input = execution_input(request.input.as_deref())?;
    let mock = check(&mut request, &subject)?;
    let (names, setup) = prepare(app, &request, &subject, input.clone(), mock)?;
    subject.check_supported()?;
    let (mut trial, progress) = Trial::start(&subject.definition, setup, now());
    let exchanges = Exchanges::default();
    let watch = (request.level == Level::Trace).then(|| exchanges.watch(request.reveals_secrets));
    let verdict = run::to_the_end(app, &mut trial, progress, &names, watch.as_ref()).await?;

    let mut answer = told(&verdict, &subject);
    if request.level != Level::Info {
        let sources = [input.text(), request.context.as_deref().unwrap_or_default()];
        let has_failed = verdict.error.is_some();
        let mut shown = inspection::show(&trial, &input, has_failed, &sources);
        shown.extend(exchanges.show());
        answer.insert("inspectionData".to_owned(), Value::Object(shown));
    }
    Ok(Value::Object(answer))
}

fn read(mut fields: Fields) -> Result<Request, ApiError> {
    let request = Request {
        definition: fields.required_text("definition", TextRule::DEFINITION)?,
        role_arn: fields.text("roleArn", TextRule::ARN)?,
        input: fields.text("input", TextRule::PAYLOAD)?,
        level: fields.choice("inspectionLevel", LEVELS)?.unwrap_or_default(),
        reveals_secrets: fields.flag("revealSecrets")?.unwrap_or(false),
        variables: fields.text("variables", TextRule::PAYLOAD)?,
        state_name: fields.text("stateName", TextRule::STATE_NAME)?,
        mock: read_mock(&mut fields)?,
        context: fields.text("context", TextRule::PAYLOAD)?,
        configuration: read_configuration(&mut fields)?,
    };
    fields.finish()?;
    Ok(request)
}

fn read_mock(fields: &mut Fields) -> Result<Option<MockInput>, ApiError> {
    let Some(mut mock) = fields.structure("mock")? else { return Ok(None) };
    let result = mock.text("result", TextRule::PAYLOAD)?;
    let error_output = match mock.structure("errorOutput")? {
        None => None,
        Some(mut error) => {
            let output = ErrorOutput {
                error: error.text("error", TextRule::ERROR)?,
                cause: error.text("cause", TextRule::CAUSE)?,
            };
            fields.absorb(error);
            Some(output)
        }
    };
    let validation = mock.choice("fieldValidationMode", VALIDATIONS)?.unwrap_or_default();
    fields.absorb(mock);
    Ok(Some(MockInput { result, error_output, validation }))
}

fn read_configuration(fields: &mut Fields) -> Result<Configuration, ApiError> {
    let Some(mut given) = fields.structure("stateConfiguration")? else {
        return Ok(Configuration::default());
    };
    let configuration = Configuration {
        retrier_retry_count: given.integer("retrierRetryCount", 0, COUNT_MAX)?,
        error_caused_by_state: given.text("errorCausedByState", TextRule::STATE_NAME)?,
        map_iteration_failure_count: given.integer("mapIterationFailureCount", 0, COUNT_MAX)?,
        map_item_reader_data: given.text("mapItemReaderData", TextRule::PAYLOAD)?,
    };
    fields.absorb(given);
    Ok(configuration)
}

/// Refuses what cannot be tested, and reads the mock.
fn check(request: &mut Request, subject: &Subject) -> Result<Option<Mock>, ApiError> {
    if let Some(role_arn) = &request.role_arn {
        check_role(role_arn)?;
    }
    request.configuration.check(subject, request.mock.is_some())?;
    let Some(mock) = request.mock.take() else {
        check_without_mock(request, subject)?;
        return Ok(None);
    };
    if request.reveals_secrets {
        return Err(unsupported("RevealSecrets when a mock is specified."));
    }
    let mock = mock::check(mock, subject)?;
    let items = request.configuration.reader_items()?;
    request.configuration.check_iterations(&mock, items.as_ref())?;
    Ok(Some(mock))
}

/// Without a mock the state does its work, which not every state can do on its own.
fn check_without_mock(request: &Request, subject: &Subject) -> Result<(), ApiError> {
    if request.context.is_some() {
        return Err(unsupported("Context when a mock is not specified."));
    }
    if subject.is_fork() {
        return Err(ApiError::new(
            "InvalidDefinition",
            "TestState API does not support Map or Parallel states. Supported state types include: [Task, Wait, Pass, \
             Succeed, Fail, Choice]",
        ));
    }
    match subject.target() {
        Some(Target::Activity) => return Err(unsupported("Activity tasks when a mock is not specified.")),
        Some(Target::Service { pattern, .. }) if *pattern != Pattern::RequestResponse => {
            let suffix = pattern.suffix();
            return Err(unsupported(&format!(
                "the '{suffix}' service integration pattern when a mock is not specified."
            )));
        }
        Some(Target::Service { .. } | Target::Function) | None => {}
    }
    if subject.is_task() && request.role_arn.is_none() {
        return Err(ApiError::validation("RoleArn must be specified when testing a Task state"));
    }
    Ok(())
}

fn unsupported(what: &str) -> ApiError {
    ApiError::validation(format!("TestState does not support {what}"))
}

fn prepare<S: Store + Clone>(
    app: &App<S>,
    request: &Request,
    subject: &Subject,
    input: Data,
    mock: Option<Mock>,
) -> Result<(Names, Setup), ApiError> {
    let at = now();
    let (names, region) = names(app)?;
    let role_arn = request.role_arn.as_deref();
    let usual = context::usual(subject, &names, input.value(), role_arn, at);
    let context = context::overlay(usual, request.context.as_deref(), subject)?;
    let setup = Setup {
        state: subject.id,
        info: Arc::new(information(&names, region, role_arn, input, at)?),
        variables: variables(request.variables.as_deref())?,
        context,
        mock,
        retries_used: request.configuration.retrier_retry_count.unwrap_or(0),
        failed_iterations: request.configuration.map_iteration_failure_count.unwrap_or(0),
        reader_items: request.configuration.reader_items()?,
        time_scale: app.time_scale(),
    };
    Ok((names, setup))
}

fn names<S: Store + Clone>(app: &App<S>) -> Result<(Names, Text), ApiError> {
    let (machine, execution) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
    let arn = app.state_machine_arn(&machine)?;
    let (region, account) = (arn.region(), arn.account());
    let names = Names {
        id: ExecutionId(Uuid::now_v7().as_u128()),
        execution_arn: format!("arn:aws:states:{region}:{account}:express:{machine}:{execution}"),
        execution,
        machine_arn: arn.to_string(),
        machine,
    };
    Ok((names, region.into()))
}

fn information(
    names: &Names,
    region: Text,
    role_arn: Option<&str>,
    input: Data,
    at: Timestamp,
) -> Result<ExecutionInfo, ApiError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|_| ApiError::internal())?;
    Ok(ExecutionInfo {
        id: names.id,
        arn: names.execution_arn.as_str().into(),
        name: names.execution.as_str().into(),
        input,
        started_at: at,
        role_arn: role_arn.unwrap_or_default().into(),
        state_machine_arn: names.machine_arn.as_str().into(),
        state_machine_name: names.machine.as_str().into(),
        version_arn: None,
        alias_arn: None,
        region,
        seed,
        redrive_count: 0,
        redriven_at: None,
        parent: None,
    })
}

fn variables(text: Option<&str>) -> Result<Variables, ApiError> {
    let Some(text) = text else { return Ok(Variables::new()) };
    match serde_json::from_str(text) {
        Ok(Value::Object(variables)) => Ok(variables
            .into_iter()
            .map(|(name, value)| (Text::from(name.as_str()), Data::from(value)))
            .collect()),
        Ok(_) | Err(_) => Err(ApiError::validation("Variables must be a valid JSON object")),
    }
}

fn told(verdict: &Verdict, subject: &Subject) -> Map<String, Value> {
    let status = match verdict.status {
        Status::Succeeded => "SUCCEEDED",
        Status::Failed => "FAILED",
        Status::Retriable => "RETRIABLE",
        Status::CaughtError => "CAUGHT_ERROR",
    };
    let error = verdict.error.as_ref();
    let members = [
        ("status", Some(status)),
        ("output", verdict.output.as_ref().map(Data::text)),
        ("error", error.and_then(|error| error.error.as_deref())),
        ("cause", error.and_then(|error| error.cause.as_deref())),
        ("nextState", verdict.next.map(|next| subject.name_of(next))),
    ];
    let members = members.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.into())));
    members.collect()
}
