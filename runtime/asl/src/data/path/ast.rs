//! What a path consists of once it is parsed, and how Jayway writes it in its error texts.

use std::fmt;

use serde_json::Value;

/// A parsed path. It keeps the text it was parsed from.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    pub(super) source: String,
    pub(super) root: Root,
    pub(super) route: Route,
}

/// The value that a path starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    /// `$`: the input of the state, or whatever stands for it in the field.
    Input,
    /// `$$`: the context object.
    Context,
    /// `$name`: a variable.
    Variable(String),
}

/// The way from a root to values below it.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    pub(super) segments: Vec<Segment>,
    /// The path ends in `.length()`.
    pub(super) length: bool,
    pub(super) definite: bool,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq)]
pub enum Segment {
    Property(String),
    Properties(Vec<String>),
    Index(i64),
    Indices(Vec<i64>),
    Slice {
        start: Option<i64>,
        end: Option<i64>,
        step: usize,
    },
    Wildcard,
    /// `..`: the value and everything below it. The next segment chooses among them.
    Descend,
    Filter(Filter),
}

/// The expression inside `[?( )]`.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    Any(Vec<Filter>),
    All(Vec<Filter>),
    Not(Box<Filter>),
    Exists(Operand),
    Compare { left: Operand, comparison: Comparison, right: Operand },
}

#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// `@`: the value that is being filtered.
    Item(Route),
    /// `$`: the value that the whole path starts from.
    Root(Route),
    Literal(Value),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Path {
    /// Whether the path names one value: it is found or missing, and never gives a list of values.
    pub fn is_definite(&self) -> bool {
        self.route.definite
    }

    /// Whether the path may stand where Amazon States Language wants a reference path.
    //= https://states-language.net/spec.html#ref-paths
    //# A Reference Path is a Path with syntax limited in such a way that it can only identify a
    //# single node in a JSON structure
    pub fn is_reference(&self) -> bool {
        let single = |segment: &Segment| match segment {
            Segment::Property(_) | Segment::Index(_) => true,
            Segment::Properties(_)
            | Segment::Indices(_)
            | Segment::Slice { .. }
            | Segment::Wildcard
            | Segment::Descend
            | Segment::Filter(_) => false,
        };
        !self.route.length && self.route.segments.iter().all(single)
    }

    /// The text as its author wrote it.
    pub fn source(&self) -> &str {
        &self.source
    }

    pub fn root(&self) -> &Root {
        &self.root
    }

    pub fn segments(&self) -> &[Segment] {
        &self.route.segments
    }
}

impl Route {
    pub(super) fn new(segments: Vec<Segment>, length: bool) -> Route {
        let last = segments.len().saturating_sub(1);
        let definite = segments.iter().enumerate().all(|(at, segment)| match segment {
            Segment::Property(_) | Segment::Index(_) => true,
            // In the last place it gives one object with these properties, elsewhere several values.
            Segment::Properties(_) => at == last,
            Segment::Indices(_)
            | Segment::Slice { .. }
            | Segment::Wildcard
            | Segment::Descend
            | Segment::Filter(_) => false,
        });
        // A length is one value, however many values it counts.
        Route { definite: definite || length, segments, length }
    }

    /// Jayway's spelling of the first `count` segments. It writes `$` for every root.
    pub(super) fn canonical(&self, count: usize) -> String {
        let mut text = String::from("$");
        for segment in self.segments.iter().take(count) {
            text.push_str(&segment.to_string());
        }
        if self.length && count > self.segments.len() {
            text.push_str(".length()");
        }
        text
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Segment::Property(name) => write!(formatter, "['{name}']"),
            Segment::Properties(names) => {
                let quoted: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
                write!(formatter, "[{}]", quoted.join(","))
            }
            Segment::Index(index) => write!(formatter, "[{index}]"),
            Segment::Indices(indices) => {
                let numbers: Vec<String> = indices.iter().map(i64::to_string).collect();
                write!(formatter, "[{}]", numbers.join(","))
            }
            Segment::Slice { start, end, step } => {
                let bound = |bound: &Option<i64>| bound.map_or_else(String::new, |bound| bound.to_string());
                write!(formatter, "[{}:{}", bound(start), bound(end))?;
                if *step != 1 {
                    write!(formatter, ":{step}")?;
                }
                formatter.write_str("]")
            }
            Segment::Wildcard => formatter.write_str("[*]"),
            Segment::Descend => formatter.write_str(".."),
            Segment::Filter(_) => formatter.write_str("[?]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, kind: &str, canonical: &str) {
        let path = Path::parse(path).unwrap();
        let actual = match (path.is_reference(), path.is_definite()) {
            (true, true) => "reference",
            (false, true) => "definite",
            (false, false) => "list",
            (true, false) => "impossible",
        };
        assert_eq!(actual, kind, "{}", path.source());
        assert_eq!(path.route.canonical(usize::MAX), canonical, "{}", path.source());
    }

    #[test]
    fn knows_what_a_path_can_give() {
        check("$", "reference", "$");
        check("$$", "reference", "$");
        check("$$.Execution.Input", "reference", "$['Execution']['Input']");
        check("$items.a", "reference", "$['a']");
        check("$.a.b[0]['c d']", "reference", "$['a']['b'][0]['c d']");
        check("$.a[-1]", "reference", "$['a'][-1]");
        check("$.a['b','c']", "definite", "$['a']['b','c']");
        check("$.a.length()", "definite", "$['a'].length()");
        check("$.a[*].length()", "definite", "$['a'][*].length()");
        check("$['b','c'].d", "list", "$['b','c']['d']");
        check("$[0,1]", "list", "$[0,1]");
        check("$[0:1].a", "list", "$[0:1]['a']");
        check("$[:-1:2]", "list", "$[:-1:2]");
        check("$.*", "list", "$[*]");
        check("$..a", "list", "$..['a']");
        check("$[?(@.a)].b", "list", "$[?]['b']");
    }
}
