//! What is said of files that a guest was refused.

use crate::manifest::{Access, SCRATCH, size_text};

/// A path under no granted folder.
pub(super) fn no_grant(path: &str, is_change: bool) -> String {
    let path = format!("/{}", path.trim_start_matches("./").trim_start_matches('/'));
    let (act, access) = if is_change { ("changing", "read-write") } else { ("reading", "read") };
    if matches!(path.as_str(), "/" | "/.") {
        return "reading /: there is nothing in it; a [[grants.directory]] stands under its own name"
            .to_owned();
    }
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let folder = if folder.is_empty() { path.as_str() } else { folder };
    format!(
        "{act} {path}: it needs [[grants.directory]] with guest = \"{folder}\" and access = \"{access}\", or \
         grants.scratch for files under /scratch"
    )
}

/// A change under a folder that is granted for reading, or a way out of the folder.
pub(super) fn not_permitted(folder: &str, access: Access, path: &str, is_change: bool) -> String {
    if is_change && access == Access::ReadOnly {
        return format!(
            "changing {path} in {folder}: it needs [[grants.directory]] with guest = \"{folder}\" and access = \
             \"read-write\""
        );
    }
    format!("{path} in {folder}: it leads out of the granted folder, or this machine does not permit it")
}

/// A call whose module may not have more of the disk.
pub(super) fn disk_is_full(folder: &str) -> String {
    format!(
        "more room in {folder}: the calls of this module have as much of the server's disk as they may together"
    )
}

/// A folder with a quota that has no room left.
pub(super) fn is_full(folder: &str, bytes_max: u64) -> String {
    let size = size_text(bytes_max);
    if folder == SCRATCH {
        return format!("more room in {SCRATCH}: it needs a grants.scratch above \"{size}\"");
    }
    format!(
        "more room in {folder}: it needs [[grants.directory]] with guest = \"{folder}\" and a quota above \"{size}\""
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_without_a_grant_names_the_folder_above_it() {
        let text = no_grant("etc/passwd", false);
        assert!(text.starts_with("reading /etc/passwd: ") && text.contains(r#"guest = "/etc""#), "{text}");
        assert!(no_grant(".", false).starts_with("reading /: there is nothing in it"));
        assert!(no_grant("./data", true).contains(r#"guest = "/data" and access = "read-write""#));
    }
}
