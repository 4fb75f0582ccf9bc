//! How deep components are within each other, seen from the lengths of their sections alone.

/// Magic, version and layer, with which each component begins.
const PREAMBLE_BYTES: usize = 8;
/// The section that holds a component.
const COMPONENT_SECTION: u8 = 4;

/// Looks no further than the first section that is not what it says: whoever reads all of it will say more.
pub(crate) fn is_deeper_than(depth_max: usize, bytes: &[u8]) -> bool {
    let mut at = PREAMBLE_BYTES;
    // Where each component ends in which the place is.
    let mut ends = vec![bytes.len()];
    while let Some(end) = ends.last() {
        if at >= *end {
            ends.pop();
            continue;
        }
        let Some((length, begin)) = length(bytes, at + 1) else { return false };
        let Some(end) = begin.checked_add(length).filter(|after| after <= end) else { return false };
        if bytes[at] != COMPONENT_SECTION {
            at = end;
            continue;
        }
        if ends.len() > depth_max {
            return true;
        }
        ends.push(end);
        at = begin + PREAMBLE_BYTES;
    }
    false
}

/// A number of seven bits in each byte, and the place after it.
fn length(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let mut length = 0;
    for (index, byte) in bytes.get(at..)?.iter().take(5).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((length, at + index + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::is_deeper_than;

    #[test]
    fn components_in_components_are_counted() {
        let one = "(component $a (component $b (component)) (core module)) (component)";
        let bytes = wat::parse_str(format!("(component {one})")).unwrap();
        let depths: Vec<_> = (0..5).map(|depth| is_deeper_than(depth, &bytes)).collect();
        assert_eq!(depths, [true, true, true, false, false]);
    }

    #[test]
    fn what_cannot_be_read_is_not_deep() {
        let bytes = wat::parse_str("(component (component (component)))").unwrap();
        for length in 0..bytes.len() {
            is_deeper_than(0, &bytes[..length]);
        }
        assert!(!is_deeper_than(0, b"\0asm\x0d\0\x01\0\x04\xff\xff\xff\xff\xff"));
        assert!(!is_deeper_than(0, b"\0asm\x0d\0\x01\0\x04\x7f"));
    }
}
