//! Manifests as they are written, and the law that nobody gets more than both sides said.

use std::time::Duration;

use super::*;
use crate::call::Limits;

const WHOLE: &str = r#"
[limits]
fuel = 10_000_000_000
memory = "128 MiB"
timeout = "60 s"
concurrency = 10
output = "256 KiB"
log = "64 KiB"

[grants]
environment = { MODE = "test" }
secrets = ["payment-key"]
scratch = "64 MiB"
clocks = "real"
randomness = "deterministic"

[[grants.directory]]
guest = "/data"
access = "read-write"
quota = "1 GiB"

[[grants.http]]
scheme = "https"
host = "*.Example.com."
methods = ["POST", "GET"]

[[grants.http]]
scheme = "http"
host = "[2001:DB8::1]"
port = 8080
methods = ["*"]
"#;

fn defaults() -> Defaults {
    Defaults::new(Limits::default(), 256 << 20, 1_000)
}

#[test]
fn a_manifest_says_what_a_module_asks_for() {
    let manifest = Manifest::parse(WHOLE).unwrap();
    let LimitSettings { fuel, memory_bytes, timeout, concurrency, output_bytes, log_bytes } = manifest.limits;
    assert_eq!(
        (fuel, memory_bytes, timeout),
        (Some(10_000_000_000), Some(128 << 20), Some(Duration::from_secs(60)))
    );
    assert_eq!((concurrency, output_bytes, log_bytes), (Some(10), Some(256 << 10), Some(64 << 10)));
    let grants = manifest.grants;
    assert_eq!(grants.environment.unwrap()["MODE"], "test");
    assert!(grants.secrets.unwrap().contains("payment-key"));
    assert_eq!((grants.scratch_bytes, grants.clocks), (Some(64 << 20), Some(Source::Real)));
    assert_eq!(grants.randomness, Some(Source::Deterministic));
    let guest = "/data".to_owned();
    let directory =
        DirectoryRule { guest, access: Access::ReadWrite, host: None, quota_bytes: Some(1 << 30) };
    assert_eq!(grants.directories, Some(vec![directory]));
    let rules: Vec<_> = grants.http.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(
        rules,
        [
            r#"{ scheme = "https", host = "*.example.com", port = 443, methods = ["GET", "POST"] }"#,
            r#"{ scheme = "http", host = "2001:db8::1", port = 8080, methods = ["*"] }"#,
        ]
    );
    assert_eq!(Manifest::parse("").unwrap(), Manifest::default());
}

#[test]
fn what_is_printed_is_a_manifest_without_the_values_of_variables() {
    let manifest = Manifest::parse(WHOLE).unwrap();
    let printed = manifest.to_string();
    assert!(!printed.contains("test"), "{printed}");
    let mut again = Manifest::parse(&printed).unwrap();
    again.grants.environment.clone_from(&manifest.grants.environment);
    assert_eq!(again, manifest);
    assert_eq!(Manifest::default().to_string(), "");
    let effective = effective(None, &Allowed::default(), &defaults());
    assert!(
        effective
            .settings()
            .to_string()
            .contains("[grants]\nenvironment = {}\nsecrets = []\nscratch = \"0 B\"")
    );
}

#[test]
fn mistakes_are_told_with_line_and_field() {
    for (text, expected) in [
        ("[limits\n", "line 1: "),
        ("[grant]", "line 1: grant: there is no such field; there are limits, grants"),
        ("[limits]\nfuell = 1", "line 2: limits.fuell: there is no such field; there are fuel, memory"),
        ("[limits]\nfuel = 0", "line 2: limits.fuel: it must be a number above zero"),
        ("[limits]\nfuel = \"1\"", "line 2: limits.fuel: it must be a whole number, not a text"),
        ("[limits]\nconcurrency = 5_000_000_000", "line 2: limits.concurrency: it must be a number"),
        ("[limits]\nmemory = 128", "line 2: limits.memory: it must be a text, not a whole number"),
        ("[limits]\nmemory = \"128\"", "line 2: limits.memory: it must be a size above zero with its unit"),
        ("[limits]\ntimeout = \"1 day\"", "line 2: limits.timeout: it must be a time above zero"),
        ("grants = 1", "line 1: grants: it must be a table, not a whole number"),
        ("[grants]\nsecrets = [\"a\", \"a b\"]", "line 2: grants.secrets[1]: the name of a secret"),
        ("[grants]\nclocks = \"fast\"", "line 2: grants.clocks: it must be \"real\" or \"deterministic\""),
        ("[grants.environment]\n\"A=B\" = \"\"", "line 2: grants.environment.A=B: a variable has a name"),
        (
            "[[grants.directory]]\naccess = \"read\"",
            "line 1: grants.directory[0].guest: it is missing: write",
        ),
        (
            "[[grants.directory]]\nguest = \"/d\"\naccess = \"read\"\nquota = \"1 GiB\"",
            "line 4: grants.directory[0].quota: it bounds what is written: it needs access = \"read-write\"",
        ),
        (
            "[[grants.directory]]\nguest = \"/d\"\naccess = \"read-write\"\nquota = 5",
            "line 4: grants.directory[0].quota: it must be a text, not a whole number",
        ),
        (
            "[[grants.directory]]\nguest = \"/d\"\naccess = \"read\"\nhost = \"/\"",
            "line 4: grants.directory[0].host: folders of the machine are the operator's",
        ),
        (
            "[[grants.http]]\nscheme = \"ftp\"\nhost = \"a.example\"\nmethods = [\"GET\"]",
            "line 2: grants.http[0].scheme: it must be \"https\" or \"http\"",
        ),
        ("[[grants.http]]\nscheme = \"http\"\nhost = \"a\"", "line 1: grants.http[0].methods: it is missing"),
    ] {
        let error = Manifest::parse(text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{text:?}: {error}");
    }
    let flood = format!("[grants.environment]\nA = \"{}\"", "x".repeat(limits::ENVIRONMENT_BYTES_MAX));
    assert!(Manifest::parse(&flood).unwrap_err().why.contains("are the most"));
    assert!(Manifest::parse(&"#".repeat(limits::MANIFEST_BYTES_MAX + 1)).is_err());
}

#[test]
fn folders_have_plain_names() {
    for guest in ["", "data", "/", "/a/", "/a//b", "/a/../b", "/./a", "/scratch", "/scratch/x", "/a\\u0000"] {
        let text = format!("[[grants.directory]]\nguest = \"{guest}\"\naccess = \"read\"");
        let error = Manifest::parse(&text).unwrap_err();
        assert!(error.why.starts_with("it must be an absolute name"), "{guest}: {error}");
    }
    for guest in ["/a", "/a/b", "/scratches", "/.a"] {
        let text = format!("[[grants.directory]]\nguest = \"{guest}\"\naccess = \"read\"");
        assert!(Manifest::parse(&text).is_ok(), "{guest}");
    }
}

#[test]
fn hosts_that_only_look_like_names_are_refused() {
    for host in [
        "",
        "a b",
        "a/b",
        "a:80",
        "u@a",
        "a..b",
        ".a",
        "*",
        "*.*.a",
        "a.*",
        "127.1",
        "0x7f.1",
        "2130706433",
        "*.0.0.1",
        "[::1",
        "a\\r\\nb",
    ] {
        let text = format!("[[grants.http]]\nscheme = \"http\"\nhost = \"{host}\"\nmethods = [\"GET\"]");
        assert_eq!(Manifest::parse(&text).is_ok(), host == "*", "{host}");
    }
}

fn rule(scheme: &str, host: &str, port: u16, methods: &[&str]) -> HttpRule {
    let text = format!(
        "[[grants.http]]\nscheme = \"{scheme}\"\nhost = \"{host}\"\nport = {port}\nmethods = {methods:?}"
    );
    Manifest::parse(&text).unwrap().grants.http.unwrap().remove(0)
}

#[test]
fn a_rule_covers_its_requests_and_no_others() {
    let suffix = rule("https", "*.example.com", 443, &["GET"]);
    assert!(suffix.covers("https", "A.b.Example.com.", None, "GET"));
    for (scheme, host, port, method) in [
        ("https", "example.com", None, "GET"),
        ("https", "badexample.com", None, "GET"),
        ("http", "a.example.com", Some(443), "GET"),
        ("https", "a.example.com", Some(444), "GET"),
        ("https", "a.example.com", None, "POST"),
        ("https", "a.example.com", None, "get"),
        ("ftp", "a.example.com", Some(443), "GET"),
    ] {
        assert!(!suffix.covers(scheme, host, port, method), "{scheme}://{host} {port:?} {method}");
    }
    let address = rule("http", "::1", 80, &["*"]);
    assert!(
        address.covers("http", "[0:0::1]", None, "DELETE") && !address.covers("http", "::2", None, "GET")
    );
}

#[test]
fn without_a_policy_a_module_gets_what_is_its_own_affair() {
    let manifest = Manifest::parse(WHOLE).unwrap();
    let effective = effective(Some(&manifest), &Allowed::default(), &defaults());
    assert_eq!(effective.limits.concurrency, 10);
    assert_eq!(effective.grants.environment["MODE"], "test");
    assert_eq!(effective.grants.scratch_bytes, 64 << 20);
    assert_eq!(effective.grants.http, manifest.grants.http.unwrap());
    assert_eq!(effective.grants.directories, []);
    assert_eq!(
        effective.withheld,
        [r#"grants.directory has no { guest = "/data", access = "read-write" } in the policy"#]
    );
}

#[test]
fn a_module_cannot_raise_its_limits_above_those_of_the_server() {
    let text = "[limits]\nfuel = 9_000_000_000_000\nmemory = \"1 GiB\"\ntimeout = \"2 h\"\nconcurrency = 5_000\n\
                output = \"1 MiB\"\nlog = \"1 GiB\"\n[grants]\nscratch = \"1 GiB\"";
    let manifest = Manifest::parse(text).unwrap();
    let narrow = effective(Some(&manifest), &Allowed::default(), &defaults());
    assert_eq!(narrow.limits, defaults().limits_max);
    assert_eq!(narrow.grants.scratch_bytes, limits::SCRATCH_BYTES_MAX_DEFAULT);
    assert_eq!(narrow.withheld.len(), 7);
    let policy =
        Policy::parse(&text.replace("[limits]", "[default.limits]").replace("[grants]", "[default.grants]"));
    let wide = effective(Some(&manifest), &policy.unwrap().for_module("m"), &defaults());
    assert_eq!((wide.limits.fuel, wide.grants.scratch_bytes), (9_000_000_000_000, 1 << 30));
    assert_eq!(wide.withheld, [""; 0]);
}

#[test]
fn the_smaller_quota_of_a_folder_holds() {
    let check = |asked: &str, allowed: &str, expected: Option<u64>, withheld: usize| {
        let rule = |quota: &str| format!("guest = \"/d\"\naccess = \"read-write\"\n{quota}\n");
        let manifest = Manifest::parse(&format!("[[grants.directory]]\n{}", rule(asked))).unwrap();
        let policy = format!("[[default.grants.directory]]\nhost = \"/srv\"\n{}", rule(allowed));
        let policy = Policy::parse(&policy).unwrap();
        let given = effective(Some(&manifest), &policy.for_module("m"), &defaults());
        assert_eq!(given.grants.directories[0].quota_bytes, expected, "{asked} {allowed}");
        assert_eq!(given.withheld.len(), withheld, "{:?}", given.withheld);
        let printed = given.settings().to_string();
        assert_eq!(
            printed.contains("access = \"read-write\", quota = \"1 MiB\" }"),
            expected.is_some(),
            "{printed}"
        );
    };
    let (small, large) = ("quota = \"1 MiB\"", "quota = \"2 MiB\"");
    check("", "", None, 0);
    check(small, "", Some(1 << 20), 0);
    check("", small, Some(1 << 20), 0);
    check(small, large, Some(1 << 20), 0);
    check(large, small, Some(1 << 20), 1);
}

#[test]
fn a_module_without_a_manifest_gets_what_its_own_section_gives() {
    let policy = Policy::parse(
        "[default.grants]\nenvironment = { A = \"1\" }\nscratch = \"1 MiB\"\n[modules.m.grants]\nsecrets = [\"s\"]\n\
         [[modules.m.grants.directory]]\nhost = \"/srv\"\nguest = \"/d\"\naccess = \"read\"",
    )
    .unwrap();
    let named = effective(None, &policy.for_module("m"), &defaults());
    assert!(named.grants.secrets.contains("s") && named.grants.directories.len() == 1);
    assert!(named.grants.environment.is_empty() && named.grants.scratch_bytes == 0);
    let other = effective(None, &policy.for_module("other"), &defaults());
    assert_eq!(other.grants, crate::call::Grants::default());
}

/// A generator of Marsaglia's: the same cases each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Random) -> T) -> Option<T> {
        (self.below(4) > 0).then(|| make(self))
    }

    fn some<T: Clone>(&mut self, all: &[T]) -> Vec<T> {
        all.iter().filter(|_| self.below(2) == 0).cloned().collect()
    }

    fn number(&mut self) -> usize {
        1 + self.below(5)
    }

    fn source(&mut self) -> Source {
        [Source::Real, Source::Deterministic][self.below(2)]
    }

    fn settings(&mut self, host: Option<&str>) -> Manifest {
        let names = ["a", "b", "c"].map(str::to_owned);
        let rules = [
            rule("https", "*", 443, &["GET"]),
            rule("https", "*.a.example", 443, &["GET", "PUT"]),
            rule("https", "*.b.a.example", 443, &["*"]),
            rule("https", "c.b.a.example", 443, &["PUT"]),
            rule("https", "192.0.2.1", 443, &["*"]),
            rule("https", "*.a.example", 80, &["*"]),
            rule("http", "c.b.a.example", 80, &["GET"]),
        ];
        let directory = |random: &mut Random, guest: String| {
            let access = [Access::ReadOnly, Access::ReadWrite][random.below(2)];
            let quota_bytes = random.maybe(|random| random.number() as u64);
            DirectoryRule {
                guest: format!("/{guest}"),
                access,
                host: host.map(Into::into),
                quota_bytes: quota_bytes.filter(|_| access == Access::ReadWrite),
            }
        };
        Manifest {
            limits: LimitSettings {
                fuel: self.maybe(|random| random.number() as u64),
                memory_bytes: self.maybe(Random::number),
                timeout: self.maybe(|random| Duration::from_secs(random.number() as u64)),
                concurrency: self.maybe(|random| random.number().try_into().unwrap()),
                output_bytes: self.maybe(Random::number),
                log_bytes: self.maybe(Random::number),
            },
            grants: GrantSettings {
                environment: self.maybe(|random| {
                    let value = random.number().to_string();
                    random.some(&names).into_iter().map(|name| (name, value.clone())).collect()
                }),
                secrets: self.maybe(|random| random.some(&names).into_iter().collect()),
                scratch_bytes: self.maybe(|random| random.number() as u64),
                clocks: self.maybe(Random::source),
                randomness: self.maybe(Random::source),
                directories: self.maybe(|random| {
                    random.some(&names).into_iter().map(|guest| directory(random, guest)).collect()
                }),
                http: self.maybe(|random| random.some(&rules)),
            },
        }
    }
}

fn at_most<T: Ord + Copy + std::fmt::Debug>(given: T, sides: [Option<T>; 2]) {
    for side in sides.into_iter().flatten() {
        assert!(given <= side, "{given:?} is more than {side:?}");
    }
}

fn covers(rules: &[HttpRule], request: (&str, &str, u16, &str)) -> bool {
    let (scheme, host, port, method) = request;
    rules.iter().any(|rule| rule.covers(scheme, host, Some(port), method))
}

fn check_http(given: &[HttpRule], asked: &[HttpRule], allowed: Option<&[HttpRule]>) {
    for scheme in ["http", "https"] {
        for host in [
            "a.example",
            "b.a.example",
            "c.b.a.example",
            "d.b.a.example",
            "x.example",
            "192.0.2.1",
            "192.0.2.2",
        ] {
            for port in [80, 443] {
                for method in ["GET", "PUT", "POST"] {
                    let request = (scheme, host, port, method);
                    let both = covers(asked, request) && allowed.is_none_or(|rules| covers(rules, request));
                    assert_eq!(covers(given, request), both, "{request:?} of {asked:?} and {allowed:?}");
                }
            }
        }
    }
}

fn check_grants(given: &crate::call::Grants, asked: &GrantSettings, allowed: &GrantSettings) {
    let variables = asked.environment.clone().unwrap_or_default();
    for (name, value) in &given.environment {
        assert!(variables.contains_key(name));
        assert!(allowed.environment.as_ref().is_none_or(|allowed| allowed.get(name) == Some(value)));
    }
    for name in &given.secrets {
        assert!(asked.secrets.as_ref().unwrap().contains(name));
        assert!(allowed.secrets.as_ref().is_none_or(|allowed| allowed.contains(name)));
    }
    at_most(given.scratch_bytes, [asked.scratch_bytes.or(Some(0)), allowed.scratch_bytes]);
    for (given, sides) in [
        (given.clocks, [asked.clocks, allowed.clocks]),
        (given.randomness, [asked.randomness, allowed.randomness]),
    ] {
        assert_eq!(given == Source::Deterministic, sides.contains(&Some(Source::Deterministic)));
    }
    for grant in &given.directories {
        let side = |settings: &GrantSettings| {
            settings.directories.iter().flatten().find(|rule| rule.guest == grant.guest).cloned().unwrap()
        };
        at_most(grant.access, [Some(side(asked).access), Some(side(allowed).access)]);
        assert_eq!(Some(&grant.host), side(allowed).host.as_ref());
        let quotas = [side(asked).quota_bytes, side(allowed).quota_bytes];
        let smaller = quotas.into_iter().flatten().min();
        assert_eq!(grant.quota_bytes, smaller.filter(|_| grant.access == Access::ReadWrite));
    }
    check_http(&given.http, asked.http.as_deref().unwrap_or_default(), allowed.http.as_deref());
}

#[test]
fn nobody_gets_more_than_both_sides_said() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..2_000 {
        let manifest = random.maybe(|random| random.settings(None));
        let allowed = Allowed {
            bounds: random.settings(Some("/srv")),
            own: random.maybe(|random| random.settings(Some("/own"))),
        };
        let given = effective(manifest.as_ref(), &allowed, &defaults());
        let nothing = Manifest::default();
        let asked = manifest.as_ref().or(allowed.own.as_ref()).unwrap_or(&nothing);
        let (limits, bounds) = (&given.limits, &allowed.bounds.limits);
        at_most(limits.fuel, [asked.limits.fuel, bounds.fuel]);
        at_most(limits.memory_bytes, [asked.limits.memory_bytes, bounds.memory_bytes]);
        at_most(limits.timeout, [asked.limits.timeout, bounds.timeout]);
        at_most(limits.concurrency, [asked.limits.concurrency, bounds.concurrency]);
        at_most(limits.output_bytes, [asked.limits.output_bytes, bounds.output_bytes]);
        at_most(limits.log_bytes, [asked.limits.log_bytes, bounds.log_bytes]);
        check_grants(&given.grants, &asked.grants, &allowed.bounds.grants);
    }
}
