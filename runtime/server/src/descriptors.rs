//! File descriptors: every connection takes one, and a shell often grants no more than 1,024.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::limits::DESCRIPTORS_NEEDED;

/// Takes as many as the system grants this process, and says so where they are too few.
pub(crate) fn take_all() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let mut granted = current;
    if current != maximum {
        match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
            Ok(()) => granted = maximum,
            Err(error) => tracing::warn!(%error, "the limit of open files could not be raised"),
        }
    }
    // None is no limit at all.
    if let Some(granted) = granted.filter(|granted| *granted < DESCRIPTORS_NEEDED) {
        let needed = DESCRIPTORS_NEEDED;
        tracing::warn!(granted, needed, "few files may be open at once; raise the limit with `ulimit -Hn`");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_granted_is_taken() {
        let before = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: Some(64), maximum: before.maximum }).unwrap();
        take_all();
        assert_eq!(getrlimit(Resource::Nofile), Rlimit { current: before.maximum, maximum: before.maximum });
    }
}
