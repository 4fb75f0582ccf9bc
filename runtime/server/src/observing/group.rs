//! The file that stands for a log group.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// Longest name that is kept as it is; file systems take 255 bytes, and rotation adds to them.
const NAME_BYTES_MAX: usize = 200;
/// What is kept of a longer one.
const NAME_BYTES_KEPT: usize = 160;

/// The name of the file for the ARN of a log group, without its ending. The names of groups have letters, digits and
/// `_ - / . #`; a `+` stands for the slash, so that no two groups share a file.
pub(super) fn file_name(group_arn: &str) -> String {
    let name = group_arn.split_once(":log-group:").map_or(group_arn, |(_, name)| name);
    let name = name.strip_suffix(":*").unwrap_or(name);
    let mut file = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'/' => file.push('+'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b'#' => {
                file.push(char::from(byte))
            }
            other => write!(file, "%{other:02X}").expect("writing to a text cannot fail"),
        }
    }
    if file.len() > NAME_BYTES_MAX {
        let digest = hex::encode(&Sha256::digest(name)[..8]);
        file.truncate(NAME_BYTES_KEPT);
        file.push_str(&format!("-{digest}"));
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_has_a_file_of_its_own() {
        let check = |group: &str, expected: &str| {
            assert_eq!(
                file_name(&format!("arn:aws:logs:us-east-1:123456789012:log-group:{group}")),
                expected
            );
        };
        check("orders:*", "orders");
        check("orders", "orders");
        check("/aws/vendedlogs/states/orders:*", "+aws+vendedlogs+states+orders");
        check("a#b.c_d-e:*", "a#b.c_d-e");
        check("a+b ä:*", "a%2Bb%20%C3%A4");
        check("..:*", "..");
        assert_eq!(file_name("../../etc"), "..+..+etc");
        let long = |end: &str| file_name(&format!("arn:aws:logs:r:1:log-group:{}{end}", "g".repeat(300)));
        assert_ne!(long("a"), long("b"));
        assert_eq!(long("a").len(), NAME_BYTES_KEPT + 17);
    }
}
