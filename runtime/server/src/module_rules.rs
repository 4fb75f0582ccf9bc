//! What each module may use and reach: its manifest, the operator's policy, and the narrower of both.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use asl::Data;
use serde_json::{Value, json};
use wasm_host::limits::POLICY_BYTES_MAX;
use wasm_host::{
    Allowed, Defaults, Effective, Limits, Manifest, ManifestError, ModuleInfo, Policy, effective,
};

/// What the operator lets modules have.
#[derive(Debug)]
pub struct ModuleRules {
    policy: Policy,
    defaults: Defaults,
}

/// Those of a server without a policy.
impl Default for ModuleRules {
    fn default() -> ModuleRules {
        let host = wasm_host::Options::default();
        ModuleRules::new(
            Policy::default(),
            Defaults::new(Limits::default(), host.memory_bytes_max, host.slots),
        )
    }
}

/// Why a policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PolicyError {
    #[error("the module policy {path} cannot be read: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the module policy {path} has more than {POLICY_BYTES_MAX} bytes")]
    TooLarge { path: PathBuf },
    #[error("the module policy {path}, {error}")]
    Wrong { path: PathBuf, error: ManifestError },
}

impl ModuleRules {
    pub fn new(policy: Policy, defaults: Defaults) -> ModuleRules {
        ModuleRules { policy, defaults }
    }

    /// Reads the policy of `--module-policy`; without one modules get what nobody but they is concerned with.
    pub(crate) fn read(path: Option<&Path>, defaults: Defaults) -> Result<ModuleRules, PolicyError> {
        let Some(path) = path.filter(|path| !path.as_os_str().is_empty()) else {
            return Ok(ModuleRules::new(Policy::default(), defaults));
        };
        let read_error = |source| PolicyError::Read { path: path.to_owned(), source };
        if std::fs::metadata(path).map_err(read_error)?.len() > POLICY_BYTES_MAX as u64 {
            return Err(PolicyError::TooLarge { path: path.to_owned() });
        }
        let text = std::fs::read_to_string(path).map_err(read_error)?;
        let policy = Policy::parse(&text);
        let policy = policy.map_err(|error| PolicyError::Wrong { path: path.to_owned(), error })?;
        Ok(ModuleRules::new(policy, defaults))
    }

    /// What a module gets with a manifest and with what the Lambda API was told.
    pub(crate) fn of_manifest(
        &self,
        name: &str,
        manifest: Option<&str>,
        told: &Told,
    ) -> Result<Effective, ManifestError> {
        let allowed = self.policy.for_module(name);
        let asked = asked(&allowed, manifest, &told.environment)?;
        Ok(self.given(asked.as_ref(), &allowed, told))
    }

    /// What a module asks for, may have and gets, each as TOML.
    pub(crate) fn shown(&self, name: &str, manifest: Option<&str>, told: &Told) -> Value {
        let allowed = self.policy.for_module(name);
        let asked = match asked(&allowed, manifest, &told.environment) {
            Ok(asked) => asked,
            Err(error) => return json!({"error": format!("the manifest cannot be read: {error}")}),
        };
        let effective = self.given(asked.as_ref(), &allowed, told);
        json!({
            "requested": asked.map(|asked| asked.to_string()),
            "allowed": allowed.bounds.to_string(),
            "effective": effective.settings().to_string(),
            "withheld": effective.withheld,
        })
    }

    fn given(&self, asked: Option<&Manifest>, allowed: &Allowed, told: &Told) -> Effective {
        let mut effective = effective(asked, allowed, &self.defaults);
        told.lower(&mut effective.limits);
        effective
    }
}

/// What a manifest asks for, and beside it the variables that the Lambda API was told. A module without a manifest asks for
/// what the operator says of it.
fn asked(
    allowed: &Allowed,
    manifest: Option<&str>,
    environment: &BTreeMap<String, String>,
) -> Result<Option<Manifest>, ManifestError> {
    let mut asked = manifest.map(Manifest::parse).transpose()?;
    if !environment.is_empty() {
        let asked = asked.get_or_insert_with(|| allowed.own.clone().unwrap_or_default());
        asked.grants.environment.get_or_insert_default().extend(environment.clone());
    }
    Ok(asked)
}

/// What counts of what the Lambda API was told of a function.
#[derive(Debug, Default)]
pub(crate) struct Told {
    environment: BTreeMap<String, String>,
    timeout: Option<Duration>,
    memory_bytes: Option<usize>,
}

impl Told {
    pub(crate) fn of(configuration: Option<&Data>) -> Told {
        let told = |member: &str| configuration.map(|told| &told.value()[member]);
        let number = |member: &str| told(member).and_then(Value::as_u64);
        let mebibytes = number("MemorySize").and_then(|mebibytes| usize::try_from(mebibytes).ok());
        let variables = told("Environment").and_then(|environment| environment["Variables"].as_object());
        let variable = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
        Told {
            environment: variables.into_iter().flatten().filter_map(variable).collect(),
            timeout: number("Timeout").map(Duration::from_secs),
            memory_bytes: mebibytes.map(|mebibytes| mebibytes.saturating_mul(1 << 20)),
        }
    }

    /// More than the operator gives is not to be had by asking for it.
    fn lower(&self, limits: &mut Limits) {
        limits.timeout = limits.timeout.min(self.timeout.unwrap_or(Duration::MAX));
        limits.memory_bytes = limits.memory_bytes.min(self.memory_bytes.unwrap_or(usize::MAX));
    }
}

/// What whoever uploads a module may want to know: what it asks for in vain, and what it imports without a grant.
pub(crate) fn warnings(rules: &Effective, info: &ModuleInfo) -> Vec<String> {
    let imports = |interface: &str| info.imports.iter().any(|import| import.starts_with(interface));
    let mut warnings = rules.withheld.clone();
    if imports("wasi:http/outgoing-handler") && rules.grants.http.is_empty() {
        warnings.push(
            "it imports wasi:http/outgoing-handler, and no grants.http lets it make a request".to_owned(),
        );
    }
    if imports("stepwell:task/secrets") && rules.grants.secrets.is_empty() {
        warnings
            .push("it imports stepwell:task/secrets, and grants.secrets names no secret for it".to_owned());
    }
    if info.memory_bytes_min > rules.limits.memory_bytes as u64 {
        warnings.push(format!(
            "it begins with {} bytes of memory, and limits.memory gives it {}: no call will start",
            info.memory_bytes_min, rules.limits.memory_bytes
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defaults() -> Defaults {
        Defaults::new(Limits::default(), 256 << 20, 1_000)
    }

    #[test]
    fn variables_of_the_lambda_api_are_asked_for_and_the_policy_holds() {
        let variables = |texts: &[(&str, &str)]| -> BTreeMap<String, String> {
            texts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let told = variables(&[("MODE", "told"), ("OWN", "1")]);
        let gets = |policy: &str, manifest: Option<&str>| {
            let rules = ModuleRules::new(Policy::parse(policy).unwrap(), defaults());
            let told = Told { environment: told.clone(), ..Told::default() };
            rules.of_manifest("m", manifest, &told).unwrap().grants.environment
        };
        assert_eq!(gets("", None), told);
        let manifest = "[grants]\nenvironment = { MODE = \"manifest\", OTHER = \"2\" }";
        let both = variables(&[("MODE", "told"), ("OTHER", "2"), ("OWN", "1")]);
        assert_eq!(gets("", Some(manifest)), both);
        let policy = "[default.grants]\nenvironment = { MODE = \"policy\" }";
        assert_eq!(gets(policy, Some(manifest)), variables(&[("MODE", "policy")]));

        let rules = ModuleRules::new(Policy::parse(policy).unwrap(), defaults());
        let of_lambda = Data::parse(
            r#"{"Timeout": 7, "MemorySize": 10240, "Environment": {"Variables": {"MODE": "told", "OWN": "1"}}}"#,
        );
        let of_lambda = Told::of(Some(&of_lambda.unwrap()));
        assert_eq!(of_lambda.environment, told);
        let shown = rules.shown("m", Some(manifest), &of_lambda);
        let text = |name: &str| shown[name].as_str().unwrap();
        // Values may be secrets.
        let named = "environment = { \"MODE\" = \"…\", \"OTHER\" = \"…\", \"OWN\" = \"…\" }";
        assert!(text("requested").contains(named), "{shown}");
        assert!(text("effective").contains("environment = { \"MODE\" = \"…\" }"), "{shown}");
        assert!(text("effective").contains("memory = \"128 MiB\"\ntimeout = \"7 s\""), "{shown}");
        let shown = rules.shown("m", None, &of_lambda);
        assert!(shown["requested"].as_str().unwrap().contains("OWN"), "{shown}");
    }

    #[test]
    fn a_policy_that_cannot_be_used_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.toml");
        let error = |path: &Path| ModuleRules::read(Some(path), defaults()).unwrap_err().to_string();
        assert!(error(&path).contains("policy.toml cannot be read"));
        std::fs::write(&path, "[default.limits]\nfuel = \"much\"").unwrap();
        assert!(
            error(&path)
                .ends_with("policy.toml, line 2: default.limits.fuel: it must be a whole number, not a text")
        );
        std::fs::write(&path, "[default.limits]\nfuel = 9").unwrap();
        let rules = ModuleRules::read(Some(&path), defaults()).unwrap();
        assert_eq!(rules.of_manifest("m", None, &Told::default()).unwrap().limits.fuel, 9);
    }
}
