//! `States.StringSplit`, `States.Hash`, the Base64 functions and `States.UUID`.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use md5::Md5;
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::evaluate::{Arguments, Source};

/// AWS: characters that `States.Base64Encode`, `States.Base64Decode` and `States.Hash` take.
const CHARACTERS_MAX: usize = 10_000;

/// Java's decoder does without the padding, and without a look at the bits that are left over.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Splits at every character of the second string; recorded: nothing between two of them is left out.
pub(super) fn split(arguments: &Arguments) -> Result<Value, String> {
    let text = arguments.string(0)?;
    let mut delimiters: Vec<char> = arguments.string(1)?.chars().collect();
    delimiters.sort_unstable();
    let parts = text.split(|character: char| delimiters.binary_search(&character).is_ok());
    Ok(Value::Array(parts.filter(|part| !part.is_empty()).map(Value::from).collect()))
}

pub(super) fn base64_encode(arguments: &Arguments) -> Result<Value, String> {
    let text = limited(arguments.string(0)?)?;
    Ok(Value::String(BASE64.encode(text)))
}

/// Bytes that are no UTF-8 become the replacement character, as in Java.
pub(super) fn base64_decode(arguments: &Arguments) -> Result<Value, String> {
    let text = limited(arguments.string(0)?)?;
    let bytes = BASE64.decode(text).map_err(|error| format!("Invalid Base64: {error}"))?;
    Ok(Value::String(String::from_utf8_lossy(&bytes).into_owned()))
}

/// The hash in hexadecimal digits. What is no string is hashed as compact JSON.
pub(super) fn hash(arguments: &Arguments) -> Result<Value, String> {
    let json;
    let text = match arguments.value(0) {
        Value::String(text) => text,
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            json = other.to_string();
            &json
        }
    };
    let text = limited(text)?;
    let algorithm = arguments.string(1)?;
    digest(algorithm, text).map(Value::String).ok_or_else(|| {
        format!("The algorithm must be MD5, SHA-1, SHA-256, SHA-384 or SHA-512 but was: {algorithm}")
    })
}

/// A hash in hexadecimal digits, if there is such an algorithm.
pub(crate) fn digest(algorithm: &str, text: &str) -> Option<String> {
    let digest = match algorithm {
        "MD5" => Md5::digest(text).to_vec(),
        "SHA-1" => Sha1::digest(text).to_vec(),
        "SHA-256" => Sha256::digest(text).to_vec(),
        "SHA-384" => Sha384::digest(text).to_vec(),
        "SHA-512" => Sha512::digest(text).to_vec(),
        _other => return None,
    };
    Some(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn limited(text: &str) -> Result<&str, String> {
    if text.chars().nth(CHARACTERS_MAX).is_some() {
        return Err(format!("The data must not have more than {CHARACTERS_MAX} characters"));
    }
    Ok(text)
}

/// A version 4 UUID.
pub(super) fn uuid(source: &mut dyn Source) -> Value {
    let (high, low) = (source.random_u64(), source.random_u64());
    Value::String(uuid_text(high, low))
}

/// A version 4 UUID out of 128 random bits.
pub(crate) fn uuid_text(high: u64, low: u64) -> String {
    let random = (u128::from(high) << 64) | u128::from(low);
    let versioned = (random & !(0xf << 76)) | (0x4 << 76);
    let variant = (versioned & !(0x3 << 62)) | (0x2 << 62);
    let mut text = format!("{variant:032x}");
    for at in [20, 16, 12, 8] {
        text.insert(at, '-');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::evaluate::tests::check;

    #[test]
    fn splits_at_any_of_the_characters() {
        let row = |text: &str, delimiters: &str, expected: &str| {
            let input = serde_json::json!({"t": text, "d": delimiters}).to_string();
            check("States.StringSplit($.t, $.d)", &input, expected);
        };
        row(" ", ",", r#"[" "]"#);
        row(" , ", ",", r#"[" "," "]"#);
        row(", , ,", ",", r#"[" "," "]"#);
        row(",,,,", ",", "[]");
        row("1,2,3,4,5", ",", r#"["1","2","3","4","5"]"#);
        row("This.is+a,test=string", ".+,=", r#"["This","is","a","test","string"]"#);
        row("split on T and \nnew line", "T\n", r#"["split on "," and ","new line"]"#);
        row("AWS::Lambda::Function", "::", r#"["AWS","Lambda","Function"]"#);
        row("abc", "", r#"["abc"]"#);
        row("", ",", "[]");
        row("aéb", "é", r#"["a","b"]"#);
    }

    #[test]
    fn hashes() {
        let row = |algorithm: &str, expected: &str| {
            check(&format!("States.Hash($, '{algorithm}')"), r#""input data""#, &format!("{expected:?}"));
        };
        row("MD5", "812f45842bc6d66ee14572ce20db8e86");
        row("SHA-1", "aaff4a450a104cd177d28d18d74485e8cae074b7");
        row("SHA-256", "b4a697a057313163aee33cd8d40c66e9f0f177e00cac2de32475ffff6169c3e3");
        row(
            "SHA-384",
            "d28a7d5cf25a74f11a50a18452b75e04bb3d70c9dd0510d6123aa008c756511b87525bdc835ebb27e1fb9e9374a15562",
        );
        row(
            "SHA-512",
            "6ce4adb348546d4f449c4d25aad9a7c9cb711d9e91982d3f0b29ca2f3f47d4ce\
             2deba23bf2954f0f1d593fc50283731a533d30d425402d4f91316d871303aac4",
        );
        check("States.Hash($, 'MD5')", r#"{"a": 1}"#, r#""bb6cb5c68df4652941caf652a366f2d8""#);
        check(
            "States.Hash('a', 'md5')",
            "{}",
            "IntrinsicFailure: The algorithm must be MD5, SHA-1, SHA-256, SHA-384 or SHA-512 but was: md5",
        );
    }

    #[test]
    fn encodes_and_decodes() {
        check("States.Base64Encode('')", "{}", r#""""#);
        check("States.Base64Encode('Data to encode')", "{}", r#""RGF0YSB0byBlbmNvZGU=""#);
        check("States.Base64Decode('RGF0YSB0byBlbmNvZGU=')", "{}", r#""Data to encode""#);
        check("States.Base64Decode('RGF0YSB0byBlbmNvZGU')", "{}", r#""Data to encode""#);
        check("States.Base64Decode('')", "{}", r#""""#);
        check(
            "States.Base64Decode('_w==')",
            "{}",
            "IntrinsicFailure: Invalid Base64: Invalid symbol 95, offset 0.",
        );
        check("States.Base64Decode('/w==')", "{}", "\"\u{fffd}\"");
    }

    #[test]
    fn takes_ten_thousand_characters() {
        const MESSAGE: &str = "IntrinsicFailure: The data must not have more than 10000 characters";
        let text = |characters: usize| format!("{:?}", "é".repeat(characters));
        for call in ["States.Base64Encode($)", "States.Base64Decode($)", "States.Hash($, 'MD5')"] {
            check(call, &text(10_001), MESSAGE);
        }
        check("States.ArrayLength(States.Array(States.Base64Encode($)))", &text(10_000), "1");
    }

    #[test]
    fn makes_uuids_of_version_4() {
        check("States.UUID()", "{}", r#""01234567-89ab-4def-8246-8acf13579bde""#);
    }
}
