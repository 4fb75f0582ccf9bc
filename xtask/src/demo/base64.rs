//! Decodes base64, so that the renditions can be looked at as files.

use anyhow::Context;

pub(super) fn decode(text: &str) -> anyhow::Result<Vec<u8>> {
    let (mut bytes, mut bits, mut count) = (Vec::with_capacity(text.len() / 4 * 3), 0_u32, 0_u32);
    for symbol in text.trim_end_matches('=').bytes() {
        let value = value(symbol).context("this is not base64")?;
        bits = (bits << 6 | value) & 0xff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(bits.checked_shr(count).unwrap_or_default().to_be_bytes()[3]);
        }
    }
    Ok(bytes)
}

fn value(symbol: u8) -> Option<u32> {
    let value = match symbol {
        b'A'..=b'Z' => symbol - b'A',
        b'a'..=b'z' => symbol - b'a' + 26,
        b'0'..=b'9' => symbol - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _other => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn text_becomes_bytes() {
        for (text, bytes) in
            [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYmFy", "foobar")]
        {
            assert_eq!(decode(text).unwrap(), bytes.as_bytes(), "{text}");
        }
        assert_eq!(decode("+/8=").unwrap(), [0xfb, 0xff]);
        assert!(decode("a b").is_err());
    }
}
