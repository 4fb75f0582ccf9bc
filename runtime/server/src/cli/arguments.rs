//! The arguments, with help texts that teach.

use std::net::SocketAddr;
use std::path::PathBuf;

use asl::interpreter::TimeScale;
use clap::{Args, Parser, Subcommand, ValueEnum};
use zeroize::Zeroizing;

use super::Failure;
use super::dev::DevOptions;
use super::invoke::InvokeOptions;
use super::new::NewOptions;
use super::outside::OutsideOptions;
use crate::access::Credentials;
use crate::limits::{
    EXPRESS_KEPT_DEFAULT, EXPRESS_KEPT_MAX, EXPRESS_KEPT_MIB_DEFAULT, MODULE_TIMEOUT_SECONDS_MAX,
    TASK_LOGS_MIB_DEFAULT, TASK_LOGS_MIB_MAX,
};
use crate::observing::LogsTo;

/// Ours: longer than the name of any region.
const REGION_CHARACTERS_MAX: usize = 32;
/// AWS: digits of an account number.
const ACCOUNT_DIGITS: usize = 12;
/// Ours: 32 bytes.
const SECRET_KEY_DIGITS: usize = 64;
/// What every command takes and those need that ask a server.
const REQUESTS: &str = "Requests to a server";

/// Durable workflows in Amazon States Language, with WebAssembly components as tasks.
#[derive(Debug, Parser)]
#[command(name = "stepwell", version, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Where the server is
    #[arg(
        long,
        global = true,
        help_heading = REQUESTS,
        value_name = "URL",
        env = "STEPWELL_ENDPOINT",
        default_value = "http://127.0.0.1:8083"
    )]
    pub(crate) endpoint: String,
    #[command(flatten)]
    pub(crate) signing: Signing,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// With what requests are signed.
#[derive(Args)]
pub(crate) struct Signing {
    /// Access key with which requests are signed; needed while the server has access keys
    #[arg(
        long,
        global = true,
        help_heading = REQUESTS,
        value_name = "ID",
        env = "AWS_ACCESS_KEY_ID",
        hide_env_values = true
    )]
    access_key_id: Option<String>,
    /// Secret of the access key
    #[arg(
        long,
        global = true,
        help_heading = REQUESTS,
        value_name = "SECRET",
        env = "AWS_SECRET_ACCESS_KEY",
        hide_env_values = true
    )]
    secret_access_key: Option<String>,
}

impl std::fmt::Debug for Signing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Signing").field("id", &self.access_key_id).finish_non_exhaustive()
    }
}

impl Signing {
    /// Both, or neither.
    pub(crate) fn credentials(&self) -> Result<Option<Credentials>, Failure> {
        let given = |text: &'_ Option<String>| text.clone().filter(|text| !text.is_empty());
        match (given(&self.access_key_id), given(&self.secret_access_key)) {
            (Some(id), Some(secret)) => Ok(Some(Credentials { id, secret: Zeroizing::new(secret) })),
            (None, None) => Ok(None),
            (Some(_), None) => anyhow::bail!("there is an access key id without AWS_SECRET_ACCESS_KEY"),
            (None, Some(_)) => anyhow::bail!("there is a secret access key without AWS_ACCESS_KEY_ID"),
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  stepwell serve --data ./data                     start a server on this machine
  stepwell module push charge charge.wasm          upload a task
  stepwell create orders orders.asl.json           create or update a state machine
  stepwell start orders --input '{\"order\": 7}'     run it and watch it

In a definition the task above is the Resource
arn:aws:lambda:us-east-1:123456789012:function:charge. AWS SDKs and the AWS CLI work too:
  aws stepfunctions list-state-machines --endpoint-url http://127.0.0.1:8083";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the server
    Serve(Box<ServeArguments>),
    /// Check the configuration file, show the settings in force, or print an example
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Upload, list and remove task modules
    #[command(subcommand)]
    Module(ModuleCommand),
    /// Put, list and remove the secrets that modules may have
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Make, list and remove the access keys with which requests are signed
    Keys(KeysOptions),
    /// Create, list and remove connections: what HTTP tasks authorize themselves with
    #[command(subcommand)]
    Connection(ConnectionCommand),
    /// Create a state machine from a definition, or update the one of that name
    Create(CreateOptions),
    /// Start an execution and show its progress until it ends
    Start(StartOptions),
    /// Let an execution go on that ended without success, and show its progress until it ends
    Redrive(RedriveOptions),
    /// Show what happened in an execution
    History(HistoryOptions),
    /// Show what the tasks of an execution have logged
    Logs(LogsOptions),
    /// Look at finished Express executions
    #[command(subcommand)]
    Express(ExpressCommand),
    /// Make links with which a person answers a task
    #[command(subcommand)]
    Callback(CallbackCommand),
    /// Make a project with a task in Rust, Python or JavaScript
    New(NewOptions),
    /// Build a task, upload it and run a saved input again whenever a file changes
    Dev(DevOptions),
    /// Call a module once on this machine, without a server
    Invoke(InvokeOptions),
    /// Check a definition without a server
    Validate(ValidateOptions),
}

#[derive(Debug, Args)]
#[command(after_help = "\
While there are access keys (`stepwell keys`), the server answers signed requests only. Without keys whoever can reach \
it can do everything, and it listens on this machine only, unless --allow-remote is given. Logs go to standard error; STEPWELL_LOG chooses them, such as \
STEPWELL_LOG=info,engine=debug.

Ctrl-C or SIGTERM stops the server gently; a second Ctrl-C stops it at once. Nothing is lost either way.")]
pub(crate) struct ServeArguments {
    /// Configuration file; ./stepwell.toml is read if it is there. `stepwell config example` prints one
    #[arg(long, value_name = "FILE", env = "STEPWELL_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) options: ServeOptions,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check a configuration file: every mistake with its place. The exit code is 1 if there is any
    Check {
        /// The file; by default the one that `serve` would read
        file: Option<PathBuf>,
    },
    /// Show the settings that `serve` would have here, with the same flags, and where each comes from
    Show(Box<ServeArguments>),
    /// Print a file with every setting, its default and what it is for
    Example,
}

/// What a configuration file may set too. An option that is added here has its variable and its key by its name.
#[derive(Debug, Args)]
pub(crate) struct ServeOptions {
    /// Folder for everything that lasts; made if it is missing
    #[arg(long, value_name = "DIR", default_value = "./stepwell-data")]
    pub(crate) data: PathBuf,
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8083", value_parser = address)]
    pub(crate) listen: SocketAddr,
    /// Listen on an address that other machines can reach, although there are no access keys
    #[arg(long)]
    pub(crate) allow_remote: bool,
    /// Address of this server as people reach it, for callback links; by default the one it listens on
    #[arg(long, value_name = "URL", value_parser = public_url)]
    pub(crate) public_url: Option<String>,
    /// Region in ARNs
    #[arg(long, env = "AWS_DEFAULT_REGION", default_value = "us-east-1", value_parser = region)]
    pub(crate) region: String,
    /// Account number in ARNs
    #[arg(long, value_name = "NUMBER", env = "AWS_ACCOUNT_ID", default_value = "123456789012", value_parser = account)]
    pub(crate) account: String,
    /// Seconds that one call of a module may take; `TimeoutSeconds` of a state may end it sooner
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = wasm_host::limits::TIMEOUT_DEFAULT.as_secs(),
        value_parser = clap::value_parser!(u64).range(1..=MODULE_TIMEOUT_SECONDS_MAX),
    )]
    pub(crate) module_timeout: u64,
    /// TOML file with the limits and grants that modules may have at most, by their names; see docs/grants.md
    #[arg(long, value_name = "FILE")]
    pub(crate) module_policy: Option<PathBuf>,
    /// Part of its time that a Wait state, or the delay before a retry, lasts: 0.01 is a hundredth, 0 is no waiting.
    /// For tests; timeouts and heartbeats stay as they are
    #[arg(long, value_name = "0..1", env = "WAIT_TIME_SCALE", default_value_t = TimeScale::REAL)]
    pub(crate) wait_time_scale: TimeScale,
    /// Where the logs go that state machines ask for with their `loggingConfiguration`
    #[arg(long, value_enum, default_value_t = LogsTo::Files)]
    pub(crate) execution_logs: LogsTo,
    /// Finished Express executions to keep in memory to look at; 0 keeps none
    #[arg(long, value_name = "NUMBER", default_value_t = EXPRESS_KEPT_DEFAULT, value_parser = kept)]
    pub(crate) express_kept: usize,
    /// MiB that they may take
    #[arg(long, value_name = "MIB", default_value_t = EXPRESS_KEPT_MIB_DEFAULT, value_parser = kept)]
    pub(crate) express_kept_mib: usize,
    /// MiB on disk for what tasks log, which `stepwell logs` shows; the oldest goes first, and 0 keeps none
    #[arg(
        long,
        value_name = "MIB",
        default_value_t = TASK_LOGS_MIB_DEFAULT,
        value_parser = clap::value_parser!(u64).range(..=TASK_LOGS_MIB_MAX),
    )]
    pub(crate) task_logs_mib: u64,
    /// Key under which secrets are kept: 64 hexadecimal digits. Without it, the file secret.key in the data folder
    #[arg(long, value_name = "HEX", hide_env_values = true, value_parser = secret_key)]
    pub(crate) secret_key: Option<Hidden>,
    #[command(flatten)]
    pub(crate) outside: OutsideOptions,
}

/// An address without anything that a path could not be put behind.
fn public_url(text: &str) -> Result<String, String> {
    let uri: axum::http::Uri = text.parse().map_err(|error| format!("it is no URL: {error}"))?;
    let is_web = matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
    if !is_web || uri.query().is_some() || text.contains('#') {
        return Err("it must be like https://flows.example or https://example.com/flows".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "it must be an IP address and a port, such as 127.0.0.1:8083".to_owned())
}

/// AWS's regions are like this; it becomes a part of ARNs.
fn region(text: &str) -> Result<String, String> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_region = (1..=REGION_CHARACTERS_MAX).contains(&text.len()) && text.bytes().all(fits);
    let why = || "it must be like us-east-1: lower-case letters, digits and hyphens".to_owned();
    if is_region { Ok(text.to_owned()) } else { Err(why()) }
}

fn account(text: &str) -> Result<String, String> {
    let is_account = text.len() == ACCOUNT_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_account { Ok(text.to_owned()) } else { Err(format!("it must have {ACCOUNT_DIGITS} digits")) }
}

/// A secret among the arguments. Nothing shows it.
#[derive(Clone)]
pub(crate) struct Hidden(Zeroizing<String>);

impl From<&str> for Hidden {
    fn from(text: &str) -> Hidden {
        Hidden(Zeroizing::new(text.to_owned()))
    }
}

impl std::ops::Deref for Hidden {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("…")
    }
}

fn secret_key(text: &str) -> Result<Hidden, String> {
    let is_key = text.len() == SECRET_KEY_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let why = || {
        format!("it must have {SECRET_KEY_DIGITS} hexadecimal digits; make a key with `openssl rand -hex 32`")
    };
    if is_key { Ok(text.into()) } else { Err(why()) }
}

/// `--express-kept` and its size in MiB.
fn kept(text: &str) -> Result<usize, String> {
    let number = text.parse::<u64>().map_err(|error| error.to_string())?;
    let number = Some(number).filter(|number| *number <= EXPRESS_KEPT_MAX);
    let number = number.and_then(|number| usize::try_from(number).ok());
    number.ok_or_else(|| format!("it can be at most {EXPRESS_KEPT_MAX}"))
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModuleCommand {
    /// Upload a component as the newest version of a module
    #[command(after_help = "\
Build a component for wasm32-wasip2, for example:
  cargo build --release --target wasm32-wasip2
  stepwell module push charge target/wasm32-wasip2/release/charge.wasm

A manifest is pushed with it: charge.toml if it lies beside charge.wasm, or the file of --manifest.")]
    Push {
        /// Name of the module: letters, digits, - and _
        name: String,
        /// The component, a .wasm file, or a .zip archive with a component and its module.toml
        file: PathBuf,
        /// The module's manifest; without it, the .toml file beside the component, if there is one
        #[arg(long, value_name = "FILE")]
        manifest: Option<PathBuf>,
        /// Only in the place of the component with this digest, as `module show` tells it
        #[arg(long, value_name = "DIGEST")]
        replaces: Option<String>,
    },
    /// List the modules
    List,
    /// Give the newest upload a version number, unless it has one
    Publish {
        /// Name of the module
        name: String,
    },
    /// Show what calls of the Lambda API have logged; `stepwell logs` shows the tasks of an execution
    #[command(after_help = "\
Example:
  stepwell module logs charge --request 5f0c8c2e-6f5b-4d0e-9d3a-0b8d3a2f4c11")]
    Logs {
        /// Name of the module
        name: String,
        /// Of the call with this request id only, which its client has as x-amzn-requestid
        #[arg(long, value_name = "ID")]
        request: Option<String>,
        /// Print each line as a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Set, list and remove aliases: names that lead to a version, or to two with a weight
    #[command(subcommand)]
    Alias(AliasCommand),
    /// Show a module's versions
    Show {
        /// Name of the module
        name: String,
    },
    /// Remove a module with all of its versions, or one version
    Remove {
        /// Name of the module
        name: String,
        /// Remove this version only
        #[arg(long, value_name = "NUMBER")]
        version: Option<u32>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AliasCommand {
    /// Make an alias, or move it. Executions that run stay with the version that they began with
    #[command(after_help = "\
Examples:
  stepwell module alias set charge live 3
  stepwell module alias set charge live 3 --also 4=0.1    one execution in ten gets version 4")]
    Set {
        /// Name of the module
        module: String,
        /// Name of the alias
        alias: String,
        /// Number of the version, or $LATEST
        version: String,
        /// A second version, and its part of the executions, from 0.0 to 1.0
        #[arg(long, value_name = "VERSION=WEIGHT")]
        also: Option<String>,
        /// What the alias is for
        #[arg(long)]
        description: Option<String>,
    },
    /// List the aliases of a module
    List {
        /// Name of the module
        module: String,
    },
    /// Remove an alias
    Remove {
        /// Name of the module
        module: String,
        /// Name of the alias
        alias: String,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
While there are access keys, the server answers signed requests only, as AWS SDKs and the AWS CLI send them. Without \
--data the server at --endpoint is asked.

Examples:
  stepwell keys create --data ./data      before the server is started
  export $(stepwell keys create)          through a server that runs, for this shell")]
pub(crate) struct KeysOptions {
    /// Data folder on which no server runs
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Key under which secrets are kept, with --data: 64 hexadecimal digits. Without it, the file secret.key
    #[arg(long, global = true, value_name = "HEX", env = "STEPWELL_SECRET_KEY", hide_env_values = true)]
    pub(crate) secret_key: Option<Hidden>,
    #[command(subcommand)]
    pub(crate) command: KeysCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make an access key and show its secret this once
    Create {
        /// What it is for
        #[arg(long, value_name = "TEXT", default_value = "")]
        description: String,
    },
    /// List the access keys
    List,
    /// Remove an access key
    Remove {
        /// Id of the access key
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// Put a secret for modules; its value is read from standard input, so that no other user of the machine sees it
    #[command(after_help = "\
A module gets a secret that its manifest names in grants.secrets and that is put for the module. The value is kept \
encrypted, and is never shown again.

Examples:
  stepwell secret put payment-key --module charge --module refund < key.txt
  stepwell secret put payment-key --file new-key.txt            another value; the modules stay")]
    Put {
        /// Name of the secret: letters, digits, - _ and .
        name: String,
        /// File with the value; - is standard input
        #[arg(long, value_name = "FILE", default_value = "-")]
        file: PathBuf,
        /// A module that may have it; may be repeated. Without it, the modules of the secret stay as they are
        #[arg(long, value_name = "NAME")]
        module: Vec<String>,
    },
    /// List the secrets and their modules, without their values
    List,
    /// Remove a secret
    Remove {
        /// Name of the secret
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConnectionCommand {
    /// Create a connection; a secret is read from standard input, so that no other user of the machine sees it
    #[command(after_help = "\
A password, a key or a client's secret is one line of standard input. Whatever EventBridge's CreateConnection takes can \
be given as a JSON file, such as for OAuth:
  {\"AuthorizationType\": \"OAUTH_CLIENT_CREDENTIALS\", \"AuthParameters\": {\"OAuthParameters\": {
    \"ClientParameters\": {\"ClientID\": \"...\", \"ClientSecret\": \"...\"},
    \"AuthorizationEndpoint\": \"https://id.example.com/token\", \"HttpMethod\": \"POST\"}}}

Examples:
  stepwell connection create bank --basic ann < password.txt
  stepwell connection create weather --api-key X-Api-Key < key.txt
  stepwell connection create shop --file shop.json")]
    Create(CreateConnectionOptions),
    /// List the connections
    List,
    /// Show a connection without its secrets, as JSON
    Show {
        /// Name of the connection
        name: String,
    },
    /// Remove a connection
    Remove {
        /// Name of the connection
        name: String,
    },
}

#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("how").required(true).args(["basic", "api_key", "file"])))]
pub(crate) struct CreateConnectionOptions {
    /// Name of the connection: letters, digits, - _ and .
    pub(crate) name: String,
    /// User name for Basic authorization
    #[arg(long, value_name = "USER")]
    pub(crate) basic: Option<String>,
    /// Header that carries a key
    #[arg(long, value_name = "HEADER")]
    pub(crate) api_key: Option<String>,
    /// JSON file with the members of CreateConnection; - reads standard input
    #[arg(long)]
    pub(crate) file: Option<PathBuf>,
    /// What the connection is for
    #[arg(long)]
    pub(crate) description: Option<String>,
}

/// The type of a state machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Standard,
    Express,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  stepwell create orders orders.asl.json")]
pub(crate) struct CreateOptions {
    /// Name of the state machine
    pub(crate) name: String,
    /// The definition, a JSON file; - reads standard input
    pub(crate) file: PathBuf,
    /// Type of a new state machine
    #[arg(long = "type", value_enum, default_value_t = Kind::Standard)]
    pub(crate) kind: Kind,
    /// Role that is stored with the state machine, as AWS asks for one
    #[arg(long, value_name = "ARN", default_value = "arn:aws:iam::123456789012:role/stepwell")]
    pub(crate) role: String,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Progress goes to standard error and the output to standard output. The exit code is 0 if the execution succeeded and \
1 if it did not. The execution goes on when this command is stopped.

Examples:
  stepwell start orders --input '{\"order\": 7}'
  stepwell start orders --input order.json --name order-7 | jq .total
  stepwell start orders --logs                     with what its tasks log")]
pub(crate) struct StartOptions {
    /// Name or ARN of the state machine
    pub(crate) machine: String,
    /// Input: JSON, or the name of a JSON file; - reads standard input
    #[arg(long, value_name = "JSON|FILE", default_value = "{}")]
    pub(crate) input: String,
    /// Name of the execution; a new one if absent. Starting the same name with the same input twice is one execution
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Print the execution's ARN and do not wait for its end
    #[arg(long)]
    pub(crate) detach: bool,
    /// Show what its tasks log too
    #[arg(long, conflicts_with = "detach")]
    pub(crate) logs: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
It goes on from the states in which it ended. Of a distributed Map only the children run again that did not succeed.

Example:
  stepwell redrive arn:aws:states:us-east-1:123456789012:execution:orders:order-7")]
pub(crate) struct RedriveOptions {
    /// ARN of the execution, or MACHINE:EXECUTION
    pub(crate) execution: String,
    /// Do not wait for its end
    #[arg(long)]
    pub(crate) detach: bool,
    /// Show what its tasks log from now on
    #[arg(long, conflicts_with = "detach")]
    pub(crate) logs: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  stepwell history arn:aws:states:us-east-1:123456789012:execution:orders:order-7"
)]
pub(crate) struct HistoryOptions {
    /// ARN of the execution, or MACHINE:EXECUTION
    pub(crate) execution: String,
    /// Print the events as JSON, as GetExecutionHistory gives them
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
A line has its time (UTC), the state, which attempt of the state it was, where it was written to (stdout, stderr, or the \
level of a log call) and its text. The server keeps as much as its --task-logs-mib says. Ctrl-C ends --follow; the execution goes on.

Examples:
  stepwell logs orders:order-7
  stepwell logs orders:order-7 --state Charge --attempt 1
  stepwell logs orders:order-7 --follow
  stepwell logs orders:order-7 --json | jq -r 'select(.source == \"error\") | .message'")]
pub(crate) struct LogsOptions {
    /// ARN of the execution, or MACHINE:EXECUTION
    pub(crate) execution: String,
    /// Of this state only
    #[arg(long, value_name = "NAME")]
    pub(crate) state: Option<String>,
    /// Of this attempt only: 0 is the first of a state, 1 its first retry
    #[arg(long, value_name = "NUMBER")]
    pub(crate) attempt: Option<u32>,
    /// Go on until the execution has ended
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// Print each line as a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExpressCommand {
    /// List those that the server keeps, the newest first
    #[command(after_help = "\
Show what happened in one with `stepwell history ARN`.

Example:
  stepwell express list --machine checkout --status FAILED")]
    List(ExpressListOptions),
}

#[derive(Debug, Args)]
pub(crate) struct ExpressListOptions {
    /// Name or ARN of a state machine; also the ARN of a version or an alias
    #[arg(long)]
    pub(crate) machine: Option<String>,
    /// SUCCEEDED, FAILED or TIMED_OUT
    #[arg(long)]
    pub(crate) status: Option<String>,
    /// How many at most, up to 1,000
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    pub(crate) max: u32,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CallbackCommand {
    /// Make approve and reject links for the task of a token, and print them as JSON
    #[command(after_help = "\
Whoever has a link can answer, once, until it expires or the task ends. The token itself is not in it.

Example:
  stepwell callback links - --title 'Refund order 7?' --expires 3600 < token.txt")]
    Links(LinksOptions),
}

#[derive(Args)]
pub(crate) struct LinksOptions {
    /// Task token; - reads it from standard input, out of sight of other users of this machine
    pub(crate) token: String,
    /// Heading of the page
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// What is asked, as plain text
    #[arg(long)]
    pub(crate) message: Option<String>,
    /// What it is about: JSON, or the name of a JSON file
    #[arg(long, value_name = "JSON|FILE")]
    pub(crate) payload: Option<String>,
    /// Seconds for which the links are open; a week if absent
    #[arg(long, value_name = "SECONDS")]
    pub(crate) expires: Option<u64>,
    /// Fail the task with this error when it is rejected, instead of giving it the decision as its result
    #[arg(long, value_name = "NAME")]
    pub(crate) reject_error: Option<String>,
    /// Take JSON of the person's own with the decision
    #[arg(long)]
    pub(crate) accept_output: bool,
}

/// A token is no business of a log.
impl std::fmt::Debug for LinksOptions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("LinksOptions").finish_non_exhaustive()
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Prints file:line:column of each finding. The exit code is 1 if there are errors.

Example:
  stepwell validate orders.asl.json")]
pub(crate) struct ValidateOptions {
    /// The definition, a JSON file; - reads standard input
    pub(crate) file: PathBuf,
    /// Type of state machine that it is for
    #[arg(long = "type", value_enum, default_value_t = Kind::Standard)]
    pub(crate) kind: Kind,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_server_stays_on_its_machine_by_default() {
        let arguments = Arguments::try_parse_from(["stepwell", "serve"]).unwrap();
        let Command::Serve(options) = arguments.command else { panic!("another command") };
        let options = options.options;
        assert!(options.listen.ip().is_loopback());
        assert!(!options.allow_remote);
        assert_eq!(options.module_timeout, 60);
    }

    #[test]
    fn the_public_address_is_one_that_links_can_begin_with() {
        for url in ["http://127.0.0.1:8083", "https://flows.example", "https://example.com/flows"] {
            assert_eq!(public_url(&format!("{url}/")).as_deref(), Ok(url));
        }
        for url in ["flows.example", "/flows", "ftp://flows.example", "https://flows.example?a=b", "a b"] {
            assert!(public_url(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_connection_is_made_in_one_way() {
        let parse = |more: &[&str]| {
            let arguments =
                ["stepwell", "connection", "create", "bank"].into_iter().chain(more.iter().copied());
            Arguments::try_parse_from(arguments).map(drop).map_err(|error| error.kind())
        };
        use clap::error::ErrorKind;
        assert_eq!(parse(&["--basic", "ann", "--description", "d"]), Ok(()));
        assert_eq!(parse(&["--api-key", "X-Key"]), Ok(()));
        assert_eq!(parse(&["--file", "-"]), Ok(()));
        assert_eq!(parse(&[]), Err(ErrorKind::MissingRequiredArgument));
        assert_eq!(parse(&["--basic", "ann", "--file", "-"]), Err(ErrorKind::ArgumentConflict));
    }

    #[test]
    fn the_time_of_a_module_is_bounded() {
        let parse = |seconds| Arguments::try_parse_from(["stepwell", "serve", "--module-timeout", seconds]);
        assert!(parse("86400").is_ok());
        for seconds in ["0", "86401", "soon"] {
            let error = parse(seconds).unwrap_err().to_string();
            assert!(error.contains("--module-timeout"), "{error}");
        }
    }

    #[test]
    fn secrets_among_the_arguments_are_not_shown() {
        let key = "5e".repeat(SECRET_KEY_DIGITS / 2);
        for command in [&["serve"][..], &["keys", "list"]] {
            let given = ["--secret-key", &key, "--secret-access-key", &key];
            let arguments = ["stepwell"].iter().chain(command).copied().chain(given);
            let arguments = Arguments::try_parse_from(arguments).unwrap();
            assert!(!format!("{arguments:?}").contains("5e5e"), "{arguments:?}");
        }
    }
}
