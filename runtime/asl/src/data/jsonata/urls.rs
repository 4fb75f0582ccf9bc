//! URLs as JavaScript's `encodeURI` and `encodeURIComponent` write them, where the engine encodes too little or too
//! much.

/// ASCII that has no place in a URL, and how it is written there. The engine encodes the rest.
const FOREIGN: [(char, &str); 13] = [
    (' ', "%20"),
    ('"', "%22"),
    ('%', "%25"),
    ('<', "%3C"),
    ('>', "%3E"),
    ('[', "%5B"),
    ('\\', "%5C"),
    (']', "%5D"),
    ('^', "%5E"),
    ('`', "%60"),
    ('{', "%7B"),
    ('|', "%7C"),
    ('}', "%7D"),
];

/// What the engine encodes of a part of a URL and `encodeURIComponent` does not.
const KEPT: [(&str, char); 9] = [
    ("21", '!'),
    ("27", '\''),
    ("28", '('),
    ("29", ')'),
    ("2A", '*'),
    ("2D", '-'),
    ("2E", '.'),
    ("5F", '_'),
    ("7E", '~'),
];

/// A text that is about to be encoded as a URL.
pub(super) fn encoded(plain: &str) -> String {
    let mut text = String::with_capacity(plain.len());
    for character in plain.chars() {
        match FOREIGN.iter().find(|(foreign, _)| *foreign == character) {
            Some((_, code)) => text.push_str(code),
            None => text.push(character),
        }
    }
    text
}

/// A part of a URL that has been encoded. Every sign of percent in it begins a code.
pub(super) fn part(encoded: &str) -> String {
    let mut text = String::with_capacity(encoded.len());
    let mut pieces = encoded.split('%');
    text.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let kept = KEPT.iter().find_map(|(code, sign)| Some((*sign, piece.strip_prefix(code)?)));
        match kept {
            Some((sign, rest)) => {
                text.push(sign);
                text.push_str(rest);
            }
            None => {
                text.push('%');
                text.push_str(piece);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::tests::hostile::check;

    #[test]
    fn urls_are_encoded_as_in_java_script() {
        check(
            "$encodeUrl('https://a.b/c d?e=[f]&g=%20#é')",
            r#""https://a.b/c%20d?e=%5Bf%5D&g=%2520#%C3%A9""#,
        );
        check(r#"$encodeUrlComponent("a-b_c.d!~*'() e&f=é%2D")"#, r#""a-b_c.d!~*'()%20e%26f%3D%C3%A9%252D""#);
        check("'a-b c' ~> $encodeUrlComponent", r#""a-b%20c""#);
        check("$map(['a b', 'c-d'], $encodeUrl)", r#"["a%20b","c-d"]"#);
        check("$map(['a b', 'c-d'], $encodeUrlComponent)", r#"["a%20b","c-d"]"#);
        check("$decodeUrl($encodeUrl('a %[b]'))", r#""a %[b]""#);
        check("$decodeUrlComponent($encodeUrlComponent('a %[b]-'))", r#""a %[b]-""#);
        check("$encodeUrl($nothing)", "Undefined");
    }
}
