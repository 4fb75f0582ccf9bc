//! Reads the text of a path. The names, quirks and refusals are those of Jayway, which AWS uses.

use super::ast::{Path, Root, Route, Segment};
use super::cursor::{Cursor, PathError};
use super::filter_parser;

/// Ours: bytes in the text of one path. The longest in the collected definitions has 75.
pub(super) const PATH_BYTES_MAX: usize = 10_000;

impl Path {
    pub fn parse(text: &str) -> Result<Path, PathError> {
        let (path, end) = Path::parse_prefix(text)?;
        // Jayway takes a path with blanks after it.
        if text.get(end..).is_some_and(|rest| rest.trim_end().is_empty()) {
            return Ok(path);
        }
        let found = text.get(end..).and_then(|rest| rest.chars().next()).unwrap_or(' ');
        let message = if found.is_whitespace() {
            "Use bracket notation ['my prop'] if your property contains blank characters".to_owned()
        } else {
            format!("Unexpected character '{found}'")
        };
        Err(PathError { message, offset: end })
    }

    /// Reads the path at the start of a text, and tells where it ends.
    pub(crate) fn parse_prefix(text: &str) -> Result<(Path, usize), PathError> {
        let mut cursor = Cursor::new(text);
        if !cursor.take("$") {
            return Err(cursor.error("A path must start with '$'"));
        }
        let root = if cursor.take("$") {
            Root::Context
        } else {
            match cursor.identifier() {
                "" => Root::Input,
                name => Root::Variable(name.to_owned()),
            }
        };
        let route = route(&mut cursor)?;
        let source = text.get(..cursor.at()).unwrap_or(text).to_owned();
        if source.len() > PATH_BYTES_MAX {
            return Err(cursor.error(format!("A path must not be longer than {PATH_BYTES_MAX} bytes")));
        }
        Ok((Path { source, root, route }, cursor.at()))
    }
}

/// Reads the segments after `$`, `$$`, `$name` or `@`, up to the first character that cannot follow.
pub(super) fn route(cursor: &mut Cursor<'_>) -> Result<Route, PathError> {
    let mut segments = Vec::new();
    loop {
        if cursor.at() > PATH_BYTES_MAX {
            return Err(cursor.error(format!("A path must not be longer than {PATH_BYTES_MAX} bytes")));
        }
        match cursor.peek() {
            Some('[') => segments.push(bracket(cursor)?),
            Some('.') => {
                cursor.next();
                if cursor.take(".") {
                    segments.push(Segment::Descend);
                }
                match cursor.peek() {
                    // AWS's own samples write `$.[0]` and `$.a.['b c']`.
                    Some('[') => segments.push(bracket(cursor)?),
                    Some('*') => {
                        cursor.next();
                        segments.push(Segment::Wildcard);
                    }
                    Some(character) if is_name(character) => {
                        let name = cursor.take_while(is_name);
                        if cursor.peek() == Some('(') {
                            function(cursor, name)?;
                            return Ok(Route::new(segments, true));
                        }
                        segments.push(Segment::Property(name.to_owned()));
                    }
                    None => return Err(cursor.error("Path must not end with a '.' or '..'")),
                    Some(other) => {
                        return Err(cursor.error(format!("Expected a property name but found '{other}'")));
                    }
                }
            }
            Some(_) | None => return Ok(Route::new(segments, false)),
        }
    }
}

/// Whether a character may stand in a name without quotes. Hyphens may: `$.detail-type` is common.
fn is_name(character: char) -> bool {
    !character.is_whitespace()
        && !character.is_control()
        && !matches!(
            character,
            '.' | '['
                | ']'
                | '('
                | ')'
                | '\''
                | '"'
                | '*'
                | '?'
                | ','
                | '\\'
                | '='
                | '<'
                | '>'
                | '!'
                | '&'
                | '|'
        )
}

fn function(cursor: &mut Cursor<'_>, name: &str) -> Result<(), PathError> {
    if name != "length" {
        return Err(cursor.error(format!("The function '{name}()' is not supported in a path")));
    }
    cursor.expect("(")?;
    cursor.skip_blanks();
    cursor.expect(")")?;
    if matches!(cursor.peek(), Some('.' | '[')) {
        return Err(cursor.error("Nothing may follow 'length()' in a path"));
    }
    Ok(())
}

/// What stands in brackets.
fn bracket(cursor: &mut Cursor<'_>) -> Result<Segment, PathError> {
    cursor.expect("[")?;
    cursor.skip_blanks();
    let segment = match cursor.peek() {
        Some('\'' | '"') => names(cursor)?,
        Some('*') => {
            cursor.next();
            Segment::Wildcard
        }
        Some('?') => {
            cursor.next();
            cursor.skip_blanks();
            Segment::Filter(cursor.nested(filter_parser::parenthesised)?)
        }
        Some('(') => return Err(cursor.error("Script expressions '[( )]' are not supported in a path")),
        Some(character) if character.is_ascii_digit() || matches!(character, '-' | ':') => indices(cursor)?,
        Some(_) | None => {
            return Err(
                cursor.error("Expected a quoted name, an index, a slice, '*' or a filter in brackets")
            );
        }
    };
    cursor.skip_blanks();
    cursor.expect("]")?;
    Ok(segment)
}

fn names(cursor: &mut Cursor<'_>) -> Result<Segment, PathError> {
    let first = cursor.quoted()?;
    let mut names = vec![first];
    cursor.skip_blanks();
    while cursor.take(",") {
        cursor.skip_blanks();
        if !matches!(cursor.peek(), Some('\'' | '"')) {
            return Err(cursor.error("Expected a quoted name"));
        }
        names.push(cursor.quoted()?);
        cursor.skip_blanks();
    }
    Ok(match (names.pop(), names.is_empty()) {
        (Some(only), true) => Segment::Property(only),
        (last, _) => Segment::Properties(names.into_iter().chain(last).collect()),
    })
}

/// An index, several of them, or a slice.
fn indices(cursor: &mut Cursor<'_>) -> Result<Segment, PathError> {
    let first = integer(cursor)?;
    cursor.skip_blanks();
    if cursor.peek() == Some(':') {
        return slice(cursor, first);
    }
    let Some(first) = first else {
        return Err(cursor.error("Expected an index"));
    };
    if cursor.peek() != Some(',') {
        return Ok(Segment::Index(first));
    }
    let mut indices = vec![first];
    while cursor.take(",") {
        cursor.skip_blanks();
        let Some(index) = integer(cursor)? else {
            return Err(cursor.error("Expected an index"));
        };
        indices.push(index);
        cursor.skip_blanks();
    }
    Ok(Segment::Indices(indices))
}

fn slice(cursor: &mut Cursor<'_>, start: Option<i64>) -> Result<Segment, PathError> {
    cursor.expect(":")?;
    cursor.skip_blanks();
    let end = integer(cursor)?;
    cursor.skip_blanks();
    let mut step = 1;
    if cursor.take(":") {
        cursor.skip_blanks();
        let given = integer(cursor)?.unwrap_or(1);
        step = match usize::try_from(given) {
            Ok(step) if step > 0 => step,
            Ok(_) | Err(_) => return Err(cursor.error("The step of a slice must be positive")),
        };
    }
    Ok(Segment::Slice { start, end, step })
}

fn integer(cursor: &mut Cursor<'_>) -> Result<Option<i64>, PathError> {
    let start = cursor.at();
    cursor.take("-");
    cursor.take_while(|character| character.is_ascii_digit());
    match cursor.since(start) {
        "" => Ok(None),
        // Java's indices are 32 bits wide.
        digits => match digits.parse::<i32>() {
            Ok(index) => Ok(Some(i64::from(index))),
            Err(_) => Err(PathError { message: format!("Invalid index '{digits}'"), offset: start }),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The canonical spelling of a path, or why it is none.
    fn check(text: &str, expected: &str) {
        let actual = match Path::parse(text) {
            Ok(path) => {
                let root = match path.root() {
                    Root::Input => String::new(),
                    Root::Context => "context ".to_owned(),
                    Root::Variable(name) => format!("variable {name} "),
                };
                format!("{root}{}", path.route.canonical(usize::MAX))
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(actual, expected, "{text:?}");
    }

    #[test]
    fn reads_names_as_people_write_them() {
        check("$.delivery-partner", "$['delivery-partner']");
        check("$.detail.Tags.auto-maintain", "$['detail']['Tags']['auto-maintain']");
        check("$.abc.['def ghi']", "$['abc']['def ghi']");
        check(r#"$["abc"]["def ghi"]"#, "$['abc']['def ghi']");
        check("$['a.b']['it\\'s']['\\u00e9']", "$['a.b']['it's']['é']");
        check("$.$metadata.@type.aws:name", "$['$metadata']['@type']['aws:name']");
        check("$.ünïcode", "$['ünïcode']");
        check("$.[*].['bucket', 'key']", "$[*]['bucket','key']");
        check("$.a ", "$['a']");
    }

    #[test]
    fn reads_indices_and_slices() {
        check("$.[0]", "$[0]");
        check("$.Snapshots.[0].State", "$['Snapshots'][0]['State']");
        check("$[ -1 ]", "$[-1]");
        check("$[0, 2,-1]", "$[0,2,-1]");
        check("$[1:]", "$[1:]");
        check("$[:1]", "$[:1]");
        check("$[:]", "$[:]");
        check("$[ 0 : -1 : 3 ]", "$[0:-1:3]");
        check("$[*][*]", "$[*][*]");
        check("$..*", "$..[*]");
        check("$..['a']", "$..['a']");
    }

    #[test]
    fn reads_roots() {
        check("$", "$");
        check("$$", "context $");
        check("$$.Map.Item.Value", "context $['Map']['Item']['Value']");
        check("$PokemonList", "variable PokemonList $");
        check("$größe_1.a[0]", "variable größe_1 $['a'][0]");
    }

    #[test]
    fn reads_filters_as_people_write_them() {
        check("$.users[?(@.status == 0)]", "$['users'][?]");
        check("$.[?(@.OU > 0)]", "$[?]");
        check("$.Labels[?(@.Name==Receipt)]", "$['Labels'][?]");
        check("$[?(@.TargetLanguageCode==es)].TranslatedText", "$[?]['TranslatedText']");
        check("$.a[?(@.workerId == $.agent_id)].approach", "$['a'][?]['approach']");
        check("$.F[0].S[?(@.Type.Text==AMOUNT_PAID)].V.Text", "$['F'][0]['S'][?]['V']['Text']");
    }

    #[test]
    fn rejects_what_is_no_path() {
        check("", "A path must start with '$' at offset 0");
        check("a.b", "A path must start with '$' at offset 0");
        check("$.", "Path must not end with a '.' or '..' at offset 2");
        check("$..", "Path must not end with a '.' or '..' at offset 3");
        check("$...a", "Expected a property name but found '.' at offset 3");
        check(
            "$.a b",
            "Use bracket notation ['my prop'] if your property contains blank characters at offset 3",
        );
        check("$.a]", "Unexpected character ']' at offset 3");
        check("$['a", "Unclosed quote at offset 2");
        check("$['a'", "Expected ']' at offset 5");
        check("$['a',]", "Expected a quoted name at offset 6");
        check("$[a]", "Expected a quoted name, an index, a slice, '*' or a filter in brackets at offset 2");
        check("$[]", "Expected a quoted name, an index, a slice, '*' or a filter in brackets at offset 2");
        check("$[0,]", "Expected an index at offset 4");
        check("$[-]", "Invalid index '-' at offset 2");
        check("$[99999999999]", "Invalid index '99999999999' at offset 2");
        check("$[0:1:0]", "The step of a slice must be positive at offset 7");
        check("$[0:1:-1]", "The step of a slice must be positive at offset 8");
        check("$[(@.length-1)]", "Script expressions '[( )]' are not supported in a path at offset 2");
        check("$.a.sum()", "The function 'sum()' is not supported in a path at offset 7");
        check("$.a.length().b", "Nothing may follow 'length()' in a path at offset 12");
        check("$['\\u12']", "Expected four hexadecimal digits of a character after '\\u' at offset 5");
    }

    #[test]
    fn stops_where_a_path_ends_inside_a_call() {
        let (path, end) = Path::parse_prefix("$.a['x, y'][?(@.b == 'c)')], 2)").unwrap();
        assert_eq!((path.source(), end), ("$.a['x, y'][?(@.b == 'c)')]", 27));
    }
}
