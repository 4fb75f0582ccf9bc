//! Follows a path through a value. Nothing recurses, and the work is bounded whatever the path and the value.

use std::cell::Cell;

use serde_json::Value;

use super::ast::{Path, Route, Segment};
use super::spread::{choose, element, length, spread};
use super::values::{self, Budget, Exhausted};

/// Ours: values that one evaluation may look at. A payload of 256 KiB holds at most 131,072 of them.
const VISITS_MAX: usize = 4_000_000;

/// What a path gives.
#[derive(Debug, Clone, PartialEq)]
pub enum Found<'a> {
    /// The value that a definite path names.
    One(&'a Value),
    /// The values of a path that is not definite, which stand for an array.
    Many(Vec<&'a Value>),
    /// A value that is not part of the root: chosen properties, or a length.
    Owned(Value),
}

impl Found<'_> {
    pub fn to_value(&self) -> Value {
        match self {
            Found::One(value) => (*value).clone(),
            Found::Many(values) => Value::Array(values.iter().copied().cloned().collect()),
            Found::Owned(value) => value.clone(),
        }
    }

    pub fn into_value(self) -> Value {
        match self {
            Found::One(_) | Found::Many(_) => self.to_value(),
            Found::Owned(value) => value,
        }
    }
}

/// Why a path gives nothing. The texts are Jayway's, which AWS passes on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    #[error("No results for path: {path}")]
    NoResults { path: String },
    #[error("Missing property in path {path}")]
    MissingProperty { path: String },
    #[error("Expected to find an object with property {property} in path {path} but found '{found}'.")]
    NotAnObject { property: String, path: String, found: &'static str },
    #[error("The path {path} is null")]
    Null { path: String },
    #[error("Filter: {segment} can only be applied to arrays. Current context is: {found}")]
    NotAnArray { segment: String, found: &'static str },
    #[error("Paths look at too many values")]
    TooMuchWork,
    #[error("The path gives a value that nests more than {} levels deep", values::DEPTH_MAX)]
    TooDeep,
}

impl Path {
    /// Follows the path from the value that the caller picked for its root.
    pub fn find<'a>(&self, root: &'a Value) -> Result<Found<'a>, NotFound> {
        self.find_within(root, &Cell::new(VISITS_MAX))
    }

    /// The same, where several evaluations share what they may look at.
    pub(crate) fn find_within<'a>(
        &self,
        root: &'a Value,
        visits: &Cell<usize>,
    ) -> Result<Found<'a>, NotFound> {
        let allowed = visits.get().min(VISITS_MAX);
        let mut budget = Budget::new(allowed);
        let found = follow(&self.route, root, root, &mut budget);
        visits.set(visits.get() - (allowed - budget.left()));
        found.map_err(|missing| missing.describe(&self.route))
    }
}

/// Why a route gives nothing, without the texts: a filter asks often and shows none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// There is no such property or element, at this segment.
    Absent {
        segment: usize,
    },
    /// The value has the wrong type for this segment.
    Type {
        segment: usize,
        found: &'static str,
    },
    TooMuchWork,
    TooDeep,
}

impl From<Exhausted> for Missing {
    fn from(Exhausted: Exhausted) -> Missing {
        Missing::TooMuchWork
    }
}

impl Missing {
    fn describe(self, route: &Route) -> NotFound {
        let last = route.segments.len().saturating_sub(1);
        match self {
            Missing::TooMuchWork => NotFound::TooMuchWork,
            Missing::TooDeep => NotFound::TooDeep,
            // Jayway misses an element only at the end, but a property where it stands.
            Missing::Absent { segment } => match route.segments.get(segment) {
                Some(Segment::Property(_)) if segment < last || route.length => {
                    NotFound::MissingProperty { path: route.canonical(segment + 1) }
                }
                Some(_) | None => NotFound::NoResults { path: route.canonical(usize::MAX) },
            },
            Missing::Type { segment: at, found } => {
                let path = route.canonical(at);
                let segment = route.segments.get(at).map_or_else(String::new, Segment::to_string);
                match route.segments.get(at) {
                    Some(Segment::Property(_) | Segment::Properties(_)) => {
                        NotFound::NotAnObject { property: segment, path, found }
                    }
                    Some(_) | None if found == "null" => NotFound::Null { path },
                    Some(_) | None => NotFound::NotAnArray { segment, found },
                }
            }
        }
    }
}

/// Follows a route from `start`. `root` is what `$` means inside filters.
pub(super) fn follow<'a>(
    route: &Route,
    start: &'a Value,
    root: &'a Value,
    budget: &mut Budget,
) -> Result<Found<'a>, Missing> {
    let single = |segment: &Segment| matches!(segment, Segment::Property(_) | Segment::Index(_));
    let lead = route.segments.iter().take_while(|segment| single(segment)).count();
    let Some(rest) = route.segments.get(lead..).filter(|rest| !rest.is_empty()) else {
        let value = descend(&route.segments, start, budget)?;
        return Ok(if route.length { Found::Owned(length(value)) } else { Found::One(value) });
    };
    if let ([Segment::Properties(names)], true) = (rest, route.definite) {
        let value = descend(route.segments.get(..lead).unwrap_or_default(), start, budget)?;
        let Value::Object(fields) = value else {
            return Err(Missing::Type { segment: lead, found: values::type_name(value) });
        };
        let chosen = choose(fields, names, budget)?;
        return Ok(Found::Owned(if route.length { length(&chosen) } else { chosen }));
    }
    check_root(route, start)?;
    // Recorded: where the way to them is missing, there are simply no values.
    let found = match descend(route.segments.get(..lead).unwrap_or_default(), start, budget) {
        Ok(value) => spread(rest, value, root, budget)?,
        Err(Missing::Absent { .. } | Missing::Type { .. }) => Found::Many(Vec::new()),
        Err(limit @ (Missing::TooMuchWork | Missing::TooDeep)) => return Err(limit),
    };
    Ok(match found {
        Found::Many(values) if route.length => Found::Owned(Value::from(values.len())),
        Found::Owned(value) if route.length => Found::Owned(length(&value)),
        found @ (Found::One(_) | Found::Many(_) | Found::Owned(_)) => found,
    })
}

/// AWS fails on a slice of a root that is no array, though a slice of anything else that is none is empty.
fn check_root(route: &Route, start: &Value) -> Result<(), Missing> {
    let cuts = matches!(route.segments.first(), Some(Segment::Slice { .. } | Segment::Indices(_)));
    if cuts && !start.is_array() {
        return Err(Missing::Type { segment: 0, found: values::type_name(start) });
    }
    Ok(())
}

/// Follows properties and indices, which lead to one value.
fn descend<'a>(segments: &[Segment], start: &'a Value, budget: &mut Budget) -> Result<&'a Value, Missing> {
    budget.spend(segments.len() + 1)?;
    let mut value = start;
    for (at, segment) in segments.iter().enumerate() {
        let next = match (segment, value) {
            (Segment::Property(name), Value::Object(fields)) => fields.get(name),
            (Segment::Index(index), Value::Array(items)) => element(items, *index),
            (
                Segment::Property(_)
                | Segment::Index(_)
                | Segment::Properties(_)
                | Segment::Indices(_)
                | Segment::Slice { .. }
                | Segment::Wildcard
                | Segment::Descend
                | Segment::Filter(_),
                other,
            ) => return Err(Missing::Type { segment: at, found: values::type_name(other) }),
        };
        value = next.ok_or(Missing::Absent { segment: at })?;
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORE: &str = r#"{
        "store": {
            "book": [
                {"category": "reference", "author": "Rees", "title": "Sayings", "price": 8.95},
                {"category": "fiction", "author": "Waugh", "title": "Sword", "price": 12.99},
                {"category": "fiction", "author": "Melville", "title": "Moby", "isbn": "0-553", "price": 8.99},
                {"category": "fiction", "author": "Tolkien", "title": "Lord", "isbn": "0-395", "price": 22.99}
            ],
            "bicycle": {"color": "red", "price": 19.95, "gears": null}
        },
        "limit": 10, "wanted": "fiction", "delivery-partner": "UQS", "tags": ["a", "b", 3]
    }"#;

    /// What a path gives in `STORE`, or why it gives nothing.
    fn check(path: &str, expected: &str) {
        check_in(STORE, path, expected);
    }

    fn check_in(root: &str, path: &str, expected: &str) {
        let path = Path::parse(path).unwrap();
        let root: Value = serde_json::from_str(root).unwrap();
        let actual = match path.find(&root) {
            Ok(found) => {
                let value = found.to_value();
                assert_eq!(found.into_value(), value);
                value.to_string()
            }
            Err(missing) => missing.to_string(),
        };
        assert_eq!(actual, expected, "{}", path.source());
    }

    #[test]
    fn a_definite_path_gives_its_value() {
        check("$.limit", "10");
        check("$.delivery-partner", r#""UQS""#);
        check("$.store.book[0].title", r#""Sayings""#);
        check("$.store.book.[-1].title", r#""Lord""#);
        check("$.store.bicycle.gears", "null");
        check("$.store.bicycle['color','price']", r#"{"color":"red","price":19.95}"#);
        check("$.store.bicycle['color','none']", r#"{"color":"red"}"#);
        check("$.store.book.length()", "4");
        check("$.store.length()", "2");
        check("$.limit.length()", "null");
        check_in("[[1,2]]", "$[0][1]", "2");
        check_in("7", "$", "7");
    }

    #[test]
    fn a_definite_path_that_fails_says_why() {
        check("$.NoSuchInputPath", "No results for path: $['NoSuchInputPath']");
        check("$.no.such", "Missing property in path $['no']");
        check("$.store.no['a b'][0]", "Missing property in path $['store']['no']");
        check("$.store.book[10]", "No results for path: $['store']['book'][10]");
        check("$.store.book[10].title", "No results for path: $['store']['book'][10]['title']");
        check("$.no.length()", "Missing property in path $['no']");
        check(
            "$.limit.a",
            "Expected to find an object with property ['a'] in path $['limit'] but found 'number'.",
        );
        check(
            "$.store.bicycle.gears.a",
            "Expected to find an object with property ['a'] in path $['store']['bicycle']['gears'] but found 'null'.",
        );
        check("$.store.bicycle.gears[0]", "The path $['store']['bicycle']['gears'] is null");
        check("$.store[0]", "Filter: [0] can only be applied to arrays. Current context is: object");
        check(
            "$.tags['a','b']",
            "Expected to find an object with property ['a','b'] in path $['tags'] but found 'array'.",
        );
    }

    #[test]
    fn an_indefinite_path_gives_a_list() {
        check("$.store.book[*].author", r#"["Rees","Waugh","Melville","Tolkien"]"#);
        check("$.store.bicycle.*", r#"["red",19.95,null]"#);
        check("$.store.book[0,2].title", r#"["Sayings","Moby"]"#);
        check("$.store.book[0,9].title", r#"["Sayings"]"#);
        check("$.store.book[0:2].title", r#"["Sayings","Sword"]"#);
        check("$.store.book[-1:].title", r#"["Lord"]"#);
        check("$.store.book[:-3].title", r#"["Sayings"]"#);
        check("$.store.book[::2].title", r#"["Sayings","Moby"]"#);
        check("$.store.book[3:1]", "[]");
        check("$.store.book[1:99999999].isbn", r#"["0-553","0-395"]"#);
        check(
            "$.store.book[2:].['title', 'isbn', 'x']",
            r#"[{"title":"Moby","isbn":"0-553"},{"title":"Lord","isbn":"0-395"}]"#,
        );
        check("$.store['bicycle','book'].color", r#"["red"]"#);
        check("$..author", r#"["Rees","Waugh","Melville","Tolkien"]"#);
        check("$..price", "[8.95,12.99,8.99,22.99,19.95]");
        check("$..book[1].title", r#"["Sword"]"#);
        check("$..['color','gears']", r#"[{},{},{},{},{},{},{"color":"red","gears":null}]"#);
        check("$..nope", "[]");
        check("$.tags[*].length()", "3");
        check_in("[[1,2],[3],4]", "$[*][*]", "[1,2,3]");
        check_in(r#"[{"year":1},{"year":2},{}]"#, "$[1,2].year", "[2]");
    }

    #[test]
    fn a_list_is_empty_where_its_source_is_missing() {
        for path in [
            "$[*]",
            "$.items[*]",
            "$.item.items[*]",
            "$.items[*].itemValue",
            "$.items[1:]",
            "$.items[:1]",
            "$.items[1:].itemValue",
            "$.item.items[1:5]",
            "$.item.items[1:5].itemValue",
            "$.items[?(@.a)]",
        ] {
            check_in("{}", path, "[]");
        }
        check_in("{}", "$[1:5]", "Filter: [1:5] can only be applied to arrays. Current context is: object");
        check_in("null", "$[1:]", "The path $ is null");
        check_in("[]", "$[1:5].a", "[]");
    }

    #[test]
    fn filters_keep_what_they_accept() {
        let titles = |condition: &str, expected: &str| {
            check(&format!("$.store.book[?({condition})].title"), expected);
        };
        titles("@.isbn", r#"["Moby","Lord"]"#);
        titles("!@.isbn", r#"["Sayings","Sword"]"#);
        titles("@.price < 10", r#"["Sayings","Moby"]"#);
        titles("@.price <= 8.95", r#"["Sayings"]"#);
        titles("@.price > 12.99", r#"["Lord"]"#);
        titles("@.price >= 12.99 && @.isbn", r#"["Lord"]"#);
        titles("@.price < $.limit", r#"["Sayings","Moby"]"#);
        titles("@.category == $.wanted && !(@.isbn || @.price > 20)", r#"["Sword"]"#);
        titles("@.author == Waugh", r#"["Sword"]"#);
        titles("@.author==\"Waugh\" || 'Rees' == @['author']", r#"["Sayings","Sword"]"#);
        titles("@.author > 'S'", r#"["Sword","Lord"]"#);
        titles("@.author != 'Rees' && @.isbn != '0-395'", r#"["Sword","Moby"]"#);
        titles("@.price == '8.99'", r#"["Moby"]"#);
        titles("@.none == null", "[]");
        titles("@.none < 1 || @.title < 1", "[]");
        titles("@.length() == 5", r#"["Moby","Lord"]"#);
        titles("@.author == @.title", "[]");
        check("$.tags[?(@ == 'b' || @ > 2)]", r#"["b",3]"#);
        check("$.store.book[?(@.price == 0)]", "[]");
        check("$..[?(@.isbn)].title", r#"["Moby","Lord"]"#);
        check("$..book[?(@.isbn)].title", r#"["Moby","Lord"]"#);
        check("$.store[?(@.book[?(@.isbn == '0-553')])].bicycle.color", r#"["red"]"#);
        check("$.limit[?(@.a)]", "[]");
        check_in(
            r#"{"users":[{"year":1997,"status":0},{"year":1998,"status":1}]}"#,
            "$.users[?(@.status == 0)]",
            r#"[{"year":1997,"status":0}]"#,
        );
        check_in(r#"[{"OU":0},{"OU":2},{}]"#, "$.[?(@.OU > 0)]", r#"[{"OU":2}]"#);
        check_in(r#"[{"a":[1,{"b":2}]},{"a":[1]}]"#, "$[?(@.a == $[0].a)]", r#"[{"a":[1,{"b":2}]}]"#);
    }
}
