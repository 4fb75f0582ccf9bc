//! Amazon resource names: parsed once at the door, cheap to clone, printed exactly as they came in.

use std::fmt;
use std::sync::Arc;

use asl::interpreter::ExecutionId;
use uuid::Uuid;

/// AWS service model: characters in the name of a machine, an execution or an activity.
pub const NAME_CHARACTERS_MAX: usize = 80;
/// AWS Lambda: characters in a function's name, and so in a module's.
pub const FUNCTION_NAME_CHARACTERS_MAX: usize = 64;
/// AWS Lambda: characters in the name of an alias.
pub const ALIAS_CHARACTERS_MAX: usize = 128;

/// The text is not an ARN of the kind that was asked for. Its text is AWS's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidArn {
    /// Not an ARN of this service, or one that is not complete.
    #[error("Invalid Arn: 'Invalid ARN prefix: {0}'")]
    Prefix(String),
    /// An ARN of this service that names something else: `express` where an `execution` is asked for.
    #[error("Invalid Arn: 'Resource type not valid in this context: {0}'")]
    ResourceType(String),
    #[error("Invalid Arn: 'Invalid resource name: {0}'")]
    Name(String),
}

/// The name breaks AWS's rule for names. Its text is AWS's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid Name: '{0}'")]
pub struct InvalidName(pub String);

/// Whether a machine, an execution or an activity may have this name.
///
/// AWS: 1 to 80 characters, without white space, brackets, wildcards, most punctuation, or control characters.
pub fn is_valid_name(name: &str) -> bool {
    let length = name.chars().count();
    (1..=NAME_CHARACTERS_MAX).contains(&length) && !name.chars().any(is_forbidden)
}

fn is_forbidden(character: char) -> bool {
    matches!(
        character,
        '<' | '>' | '{' | '}' | '[' | ']' | '?' | '*' | '"' | '#' | '%' | '\\' | '^' | '|' | '~'
    ) || matches!(character, '`' | '$' | '&' | ',' | ';' | ':' | '/' | '\u{fffe}' | '\u{ffff}' | '\u{10ffff}')
        || character.is_whitespace()
        || character.is_control()
}

/// Whether a function, and so a module, may have this name.
///
/// AWS Lambda: 1 to 64 letters, digits, hyphens and underscores.
pub fn is_valid_function_name(name: &str) -> bool {
    (1..=FUNCTION_NAME_CHARACTERS_MAX).contains(&name.len()) && name.bytes().all(is_of_function_name)
}

/// Whether an alias of a function may have this name.
///
/// AWS Lambda: as a function, up to 128 characters, but no number, which is a version.
pub fn is_valid_alias(alias: &str) -> bool {
    let is_number = alias.bytes().all(|byte| byte.is_ascii_digit());
    (1..=ALIAS_CHARACTERS_MAX).contains(&alias.len()) && alias.bytes().all(is_of_function_name) && !is_number
}

fn is_of_function_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

fn checked(name: &str) -> Result<&str, InvalidName> {
    if is_valid_name(name) { Ok(name) } else { Err(InvalidName(name.to_owned())) }
}

/// The fields of `arn:PARTITION:SERVICE:REGION:ACCOUNT:TYPE:REST`.
struct Fields<'a> {
    partition: &'a str,
    region: &'a str,
    account: &'a str,
    kind: &'a str,
    rest: &'a str,
}

fn fields<'a>(text: &'a str, service: &str) -> Result<Fields<'a>, InvalidArn> {
    let mut parts = text.splitn(7, ':');
    let mut next = || parts.next().filter(|part| !part.is_empty());
    let (arn, partition, found, region, account, kind, rest) =
        (next(), next(), next(), next(), next(), next(), next());
    match (arn, partition, found, region, account, kind, rest) {
        (Some("arn"), Some(partition), Some(found), Some(region), Some(account), Some(kind), Some(rest))
            if found == service =>
        {
            Ok(Fields { partition, region, account, kind, rest })
        }
        _not_an_arn => Err(InvalidArn::Prefix(text.to_owned())),
    }
}

fn states_fields<'a>(text: &'a str, kind: &str) -> Result<Fields<'a>, InvalidArn> {
    let fields = fields(text, "states")?;
    if fields.kind == kind { Ok(fields) } else { Err(InvalidArn::ResourceType(fields.kind.to_owned())) }
}

/// What all ARNs have: their text.
macro_rules! text_form {
    ($($name:ident)*) => {$(
        impl $name {
            pub fn as_str(&self) -> &str {
                &self.text
            }

            fn field(&self, index: usize) -> &str {
                self.text.split(':').nth(index).unwrap_or_default()
            }

            pub fn region(&self) -> &str {
                self.field(3)
            }

            pub fn account(&self) -> &str {
                self.field(4)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.text)
            }
        }
    )*};
}

text_form!(StateMachineArn ExecutionArn MapRunArn ActivityArn FunctionArn);

/// `arn:aws:states:REGION:ACCOUNT:stateMachine:NAME`, without a qualifier.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StateMachineArn {
    text: Arc<str>,
}

impl StateMachineArn {
    pub fn new(region: &str, account: &str, name: &str) -> Result<StateMachineArn, InvalidName> {
        let name = checked(name)?;
        Ok(StateMachineArn { text: format!("arn:aws:states:{region}:{account}:stateMachine:{name}").into() })
    }

    /// Reads the ARN of a machine itself; a version, alias or label is not one.
    pub fn parse(text: &str) -> Result<StateMachineArn, InvalidArn> {
        match StateMachineReference::parse(text)? {
            StateMachineReference::Machine(arn) => Ok(arn),
            StateMachineReference::Version { .. }
            | StateMachineReference::Alias { .. }
            | StateMachineReference::Label { .. } => Err(InvalidArn::Name(text.to_owned())),
        }
    }

    pub fn name(&self) -> &str {
        self.text.rsplit_once(':').map_or("", |(_, name)| name)
    }

    /// The ARN of a version, by its number, or of an alias, by its name.
    pub fn qualified(&self, qualifier: impl fmt::Display) -> String {
        format!("{self}:{qualifier}")
    }

    /// The ARN of an execution of this Express machine. Its name may be used again, so its id is in it too.
    pub fn express_execution(&self, name: &str, id: ExecutionId) -> Result<String, InvalidName> {
        let (name, machine, id) = (checked(name)?, self.name(), Uuid::from_u128(id.0));
        let (partition, region, account) = (self.field(1), self.region(), self.account());
        Ok(format!("arn:{partition}:states:{region}:{account}:express:{machine}:{name}:{id}"))
    }

    /// The ARN of this machine's execution of that name.
    pub fn execution(&self, name: &str) -> Result<ExecutionArn, InvalidName> {
        let name = checked(name)?;
        // Everything before the name stays but the type; this is done for each execution that starts.
        let machine = self.name();
        let home = self.text.strip_suffix(machine).and_then(|rest| rest.strip_suffix(":stateMachine:"));
        let home = home.expect("it was made so");
        Ok(ExecutionArn { text: format!("{home}:execution:{machine}:{name}").into() })
    }
}

/// Every form in which an ARN names a state machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateMachineReference {
    Machine(StateMachineArn),
    /// `…:NAME:3`
    Version {
        machine: StateMachineArn,
        version: u32,
    },
    /// `…:NAME:production`
    Alias {
        machine: StateMachineArn,
        alias: Arc<str>,
    },
    /// `…:NAME/label`, the child executions of a distributed Map.
    Label {
        machine: StateMachineArn,
        label: Arc<str>,
    },
}

impl StateMachineReference {
    pub fn parse(text: &str) -> Result<StateMachineReference, InvalidArn> {
        let Fields { partition, region, account, kind, rest } = states_fields(text, "stateMachine")?;
        let invalid = || InvalidArn::Name(text.to_owned());
        let machine = |name: &str| {
            is_valid_name(name)
                .then(|| StateMachineArn {
                    text: format!("arn:{partition}:states:{region}:{account}:{kind}:{name}").into(),
                })
                .ok_or_else(invalid)
        };
        if let Some((name, label)) = rest.split_once('/') {
            let label = checked(label).map_err(|_| invalid())?;
            return Ok(StateMachineReference::Label { machine: machine(name)?, label: label.into() });
        }
        let Some((name, qualifier)) = rest.split_once(':') else {
            return Ok(StateMachineReference::Machine(machine(rest)?));
        };
        let (machine, alias) = (machine(name)?, checked(qualifier).map_err(|_| invalid())?.into());
        Ok(match qualifier.parse() {
            Ok(version) => StateMachineReference::Version { machine, version },
            Err(_) => StateMachineReference::Alias { machine, alias },
        })
    }

    /// The machine itself, whatever was said about it.
    pub fn machine(&self) -> &StateMachineArn {
        match self {
            StateMachineReference::Machine(machine)
            | StateMachineReference::Version { machine, .. }
            | StateMachineReference::Alias { machine, .. }
            | StateMachineReference::Label { machine, .. } => machine,
        }
    }
}

impl From<StateMachineArn> for StateMachineReference {
    fn from(machine: StateMachineArn) -> StateMachineReference {
        StateMachineReference::Machine(machine)
    }
}

impl fmt::Display for StateMachineReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StateMachineReference::Machine(machine) => write!(formatter, "{machine}"),
            StateMachineReference::Version { machine, version } => write!(formatter, "{machine}:{version}"),
            StateMachineReference::Alias { machine, alias } => write!(formatter, "{machine}:{alias}"),
            StateMachineReference::Label { machine, label } => write!(formatter, "{machine}/{label}"),
        }
    }
}

/// `arn:aws:states:REGION:ACCOUNT:execution:MACHINE:NAME`. Express executions have ARNs of another type, which
/// every operation that takes this one refuses, as AWS does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutionArn {
    text: Arc<str>,
}

impl ExecutionArn {
    pub fn parse(text: &str) -> Result<ExecutionArn, InvalidArn> {
        let fields = states_fields(text, "execution")?;
        let (machine, name) =
            fields.rest.split_once(':').ok_or_else(|| InvalidArn::Prefix(text.to_owned()))?;
        let machine = machine.split_once('/').map_or(machine, |(machine, _label)| machine);
        if is_valid_name(machine) && is_valid_name(name) {
            Ok(ExecutionArn { text: text.into() })
        } else {
            Err(InvalidArn::Name(text.to_owned()))
        }
    }

    pub fn name(&self) -> &str {
        self.field(7)
    }

    /// The name of the machine, without the label of a distributed Map.
    pub fn state_machine_name(&self) -> &str {
        let name = self.field(6);
        name.split_once('/').map_or(name, |(name, _label)| name)
    }

    pub fn state_machine(&self) -> StateMachineArn {
        let (partition, region, account) = (self.field(1), self.region(), self.account());
        let name = self.state_machine_name();
        StateMachineArn {
            text: format!("arn:{partition}:states:{region}:{account}:stateMachine:{name}").into(),
        }
    }
}

/// `arn:aws:states:REGION:ACCOUNT:mapRun:MACHINE/LABEL:UUID`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MapRunArn {
    text: Arc<str>,
    id: Uuid,
}

impl MapRunArn {
    pub fn parse(text: &str) -> Result<MapRunArn, InvalidArn> {
        let fields = states_fields(text, "mapRun")?;
        let (labeled, id) = fields.rest.split_once(':').ok_or_else(|| InvalidArn::Prefix(text.to_owned()))?;
        let names =
            labeled.split_once('/').filter(|(name, label)| is_valid_name(name) && is_valid_name(label));
        match (names, Uuid::try_parse(id)) {
            (Some(_), Ok(id)) => Ok(MapRunArn { text: text.into(), id }),
            (Some(_) | None, Ok(_) | Err(_)) => Err(InvalidArn::Name(text.to_owned())),
        }
    }

    pub fn id(&self) -> Uuid {
        self.id
    }
}

/// `arn:aws:states:REGION:ACCOUNT:activity:NAME`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActivityArn {
    text: Arc<str>,
}

impl ActivityArn {
    pub fn new(region: &str, account: &str, name: &str) -> Result<ActivityArn, InvalidName> {
        let name = checked(name)?;
        Ok(ActivityArn { text: format!("arn:aws:states:{region}:{account}:activity:{name}").into() })
    }

    pub fn parse(text: &str) -> Result<ActivityArn, InvalidArn> {
        let fields = states_fields(text, "activity")?;
        if is_valid_name(fields.rest) {
            Ok(ActivityArn { text: text.into() })
        } else {
            Err(InvalidArn::Name(text.to_owned()))
        }
    }

    pub fn name(&self) -> &str {
        self.field(6)
    }
}

/// `arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]`: what a module answers to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionArn {
    text: Arc<str>,
}

impl FunctionArn {
    pub fn new(region: &str, account: &str, name: &str) -> Result<FunctionArn, InvalidName> {
        if !is_valid_function_name(name) {
            return Err(InvalidName(name.to_owned()));
        }
        Ok(FunctionArn { text: format!("arn:aws:lambda:{region}:{account}:function:{name}").into() })
    }

    pub fn parse(text: &str) -> Result<FunctionArn, InvalidArn> {
        let Fields { kind, rest, .. } = fields(text, "lambda")?;
        if kind != "function" {
            return Err(InvalidArn::ResourceType(kind.to_owned()));
        }
        let (name, qualifier) =
            rest.split_once(':').map_or((rest, None), |(name, after)| (name, Some(after)));
        if is_valid_function_name(name) && qualifier.is_none_or(is_valid_qualifier) {
            Ok(FunctionArn { text: text.into() })
        } else {
            Err(InvalidArn::Name(text.to_owned()))
        }
    }

    /// Reads what Lambda takes as `FunctionName`: an ARN, `ACCOUNT:function:NAME`, or the name alone; the last
    /// two with or without a qualifier.
    pub fn parse_name(text: &str, region: &str, account: &str) -> Result<FunctionArn, InvalidArn> {
        if text.starts_with("arn:") {
            return FunctionArn::parse(text);
        }
        let full = match text.split_once(":function:") {
            Some((account, rest)) => format!("arn:aws:lambda:{region}:{account}:function:{rest}"),
            None => format!("arn:aws:lambda:{region}:{account}:function:{text}"),
        };
        FunctionArn::parse(&full).map_err(|_| InvalidArn::Name(text.to_owned()))
    }

    pub fn name(&self) -> &str {
        self.field(6)
    }

    /// A version's number, an alias, or `$LATEST`.
    pub fn qualifier(&self) -> Option<&str> {
        self.text.split(':').nth(7)
    }
}

fn is_valid_qualifier(qualifier: &str) -> bool {
    qualifier == "$LATEST" || is_valid_alias(qualifier) || is_valid_function_name(qualifier)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFIX: &str = "arn:aws:states:us-east-1:123456789012";

    fn check_machine(rest: &str, expected: &str) {
        let actual = match StateMachineReference::parse(&format!("{PREFIX}:{rest}")) {
            Ok(StateMachineReference::Machine(machine)) => format!("machine {}", machine.name()),
            Ok(StateMachineReference::Version { machine, version }) => {
                format!("{} version {version}", machine.name())
            }
            Ok(StateMachineReference::Alias { machine, alias }) => {
                format!("{} alias {alias}", machine.name())
            }
            Ok(StateMachineReference::Label { machine, label }) => {
                format!("{} label {label}", machine.name())
            }
            Err(error) => error.to_string().replace(PREFIX, "…"),
        };
        assert_eq!(actual, expected, "{rest}");
    }

    #[test]
    fn a_state_machine_has_four_forms() {
        check_machine("stateMachine:orders", "machine orders");
        check_machine("stateMachine:o.r-d_e+r@s", "machine o.r-d_e+r@s");
        check_machine("stateMachine:orders:12", "orders version 12");
        check_machine("stateMachine:orders:live", "orders alias live");
        check_machine("stateMachine:orders/Map1", "orders label Map1");
        check_machine("stateMachine:", "Invalid Arn: 'Invalid ARN prefix: …:stateMachine:'");
        check_machine("stateMachine:a b", "Invalid Arn: 'Invalid resource name: …:stateMachine:a b'");
        check_machine(
            "stateMachine:orders:1:2",
            "Invalid Arn: 'Invalid resource name: …:stateMachine:orders:1:2'",
        );
        check_machine("activity:orders", "Invalid Arn: 'Resource type not valid in this context: activity'");
    }

    #[test]
    fn what_is_no_arn_gets_the_recorded_text() {
        for text in
            ["invalid_state_machine_arn", "", "arn:aws:states", "arn:aws:sqs:us-east-1:1:stateMachine:a"]
        {
            let expected = format!("Invalid Arn: 'Invalid ARN prefix: {text}'");
            assert_eq!(StateMachineArn::parse(text).unwrap_err().to_string(), expected);
            assert_eq!(ExecutionArn::parse(text).unwrap_err().to_string(), expected);
            assert_eq!(ActivityArn::parse(text).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn an_execution_knows_its_machine() {
        let machine = StateMachineArn::new("us-east-1", "123456789012", "orders").unwrap();
        let execution = machine.execution("run.1").unwrap();
        assert_eq!(execution.as_str(), format!("{PREFIX}:execution:orders:run.1"));
        assert_eq!(ExecutionArn::parse(execution.as_str()).unwrap(), execution);
        assert_eq!((execution.name(), execution.state_machine()), ("run.1", machine.clone()));
        assert_eq!((execution.region(), execution.account()), ("us-east-1", "123456789012"));
        assert_eq!(machine.execution("a:b"), Err(InvalidName("a:b".to_owned())));

        let child = ExecutionArn::parse(&format!("{PREFIX}:execution:orders/Map1:run")).unwrap();
        assert_eq!((child.name(), child.state_machine()), ("run", machine));
    }

    #[test]
    fn an_express_execution_is_refused_by_its_type() {
        let error = ExecutionArn::parse(&format!("{PREFIX}:express:orders:run:id")).unwrap_err();
        assert_eq!(error.to_string(), "Invalid Arn: 'Resource type not valid in this context: express'");
    }

    #[test]
    fn names_follow_the_rule_of_aws() {
        let longest = "a".repeat(80);
        for name in ["activity_name", "ACTIVITY-1", "activity.name", "ä", "a+b=c@d(e)!'", &longest] {
            assert!(is_valid_name(name), "{name:?}");
        }
        let too_long = "a".repeat(81);
        for name in ["", "a b", "a<b", "a{b", "a[b", "a*b", "a\"b", "a#b", "a%b", "a\\b", "a^b", "a|b", "a~b"]
        {
            assert!(!is_valid_name(name), "{name:?}");
        }
        for name in ["a`b", "a$b", "a&b", "a,b", "a;b", "a:b", "a/b", "\0a", "a\u{1f}", "a\u{7f}", &too_long]
        {
            assert!(!is_valid_name(name), "{name:?}");
        }
        assert_eq!(ActivityArn::new("r", "1", "a b").unwrap_err().to_string(), "Invalid Name: 'a b'");
    }

    #[test]
    fn a_function_has_names_and_arns() {
        let check = |text: &str, expected: &str| {
            let actual = match FunctionArn::parse_name(text, "us-east-1", "123456789012") {
                Ok(arn) => format!("{} {:?}", arn.name(), arn.qualifier()),
                Err(error) => error.to_string(),
            };
            assert_eq!(actual, expected, "{text}");
        };
        check("charge", "charge None");
        check("charge:3", r#"charge Some("3")"#);
        check("123456789012:function:charge", "charge None");
        check("arn:aws:lambda:us-east-1:123456789012:function:charge:$LATEST", r#"charge Some("$LATEST")"#);
        check("arn:aws:lambda:us-east-1:123456789012:function:charge", "charge None");
        check("a b", "Invalid Arn: 'Invalid resource name: a b'");
        check(
            "arn:aws:lambda:us-east-1:1:layer:x",
            "Invalid Arn: 'Resource type not valid in this context: layer'",
        );
    }
}
