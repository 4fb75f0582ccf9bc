//! A file with entries of one module one after the other, and where each of them is.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::entry::{Heading, Key};

const EXTENSION: &str = "jsonl";
/// Digits of a number in a file's name, so that files sort by their numbers.
const NUMBER_DIGITS: usize = 12;

/// What is known of a segment. Its file is read without it.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) number: u64,
    pub(super) bytes: u64,
    /// In the order of their offsets, which is that of their numbers.
    pub(super) places: Vec<Place>,
}

/// A segment as it is found, and whose it is: none if entries of several modules are in it, as there were once.
#[derive(Debug)]
pub(super) struct Scanned {
    pub(super) segment: Segment,
    pub(super) module: Option<Arc<str>>,
}

/// Where an entry is in its segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) key: Key,
    /// Counts the entries of all segments.
    pub(super) sequence: u64,
    pub(super) offset: u32,
    pub(super) bytes: u32,
}

impl Segment {
    pub(super) fn new(number: u64) -> Segment {
        Segment { number, bytes: 0, places: Vec::new() }
    }

    /// Finds the entries of a file. What a crash has left of a last line does not count, and neither does a line that is
    /// damaged. An entry without a number comes after all those before it.
    pub(super) fn scan(folder: &Path, number: u64, last_sequence: u64) -> io::Result<Scanned> {
        let mut segment = Segment::new(number);
        let (mut modules, mut last_sequence) = (BTreeSet::new(), last_sequence);
        let mut file = BufReader::new(File::open(path(folder, number))?);
        let mut line = Vec::new();
        while file.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
            let (bytes, offset) = (u32::try_from(line.len()), u32::try_from(segment.bytes));
            if let (Some(heading), Ok(bytes), Ok(offset)) = (Heading::read(&line), bytes, offset) {
                let sequence = heading.sequence.unwrap_or(last_sequence + 1);
                last_sequence = last_sequence.max(sequence);
                segment.places.push(Place { key: heading.key(), sequence, offset, bytes });
                modules.insert(heading.module);
            }
            segment.bytes += line.len() as u64;
            line.clear();
        }
        let module = modules.pop_first().filter(|_| modules.is_empty());
        Ok(Scanned { segment, module: module.map(Arc::from) })
    }
}

/// The numbers of the segments in a folder, the oldest first.
pub(super) fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for file in folder.read_dir()? {
        let path = PathBuf::from(file?.file_name());
        let is_segment = path.extension().is_some_and(|extension| extension == EXTENSION);
        let stem = path.file_stem().and_then(|stem| stem.to_str()).filter(|_| is_segment);
        numbers.extend(stem.and_then(|stem| stem.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// A segment's file, to be written at offsets. Logs are nobody else's business.
pub(super) fn open(folder: &Path, number: u64) -> io::Result<File> {
    OpenOptions::new().create(true).write(true).truncate(false).mode(0o600).open(path(folder, number))
}

/// The bytes of an entry; none if its segment is gone.
pub(super) fn read(folder: &Path, number: u64, place: Place) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path(folder, number)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = vec![0; place.bytes as usize];
    file.read_exact_at(&mut bytes, u64::from(place.offset))?;
    Ok(Some(bytes))
}

pub(super) fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:0NUMBER_DIGITS$}")).with_extension(EXTENSION)
}

#[cfg(test)]
mod tests {
    use super::super::entry::{Entry, tests::attempt};
    use super::*;

    #[test]
    fn whole_lines_are_found_and_a_torn_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let line = |execution| Entry::of(attempt(execution, "A", 0, "x")).to_line();
        let mut bytes = line(1);
        let first = bytes.len();
        bytes.extend(b"damaged\n");
        bytes.extend(line(2));
        let whole = bytes.len();
        bytes.extend(&line(3)[..40]);
        std::fs::write(path(folder.path(), 4), &bytes).unwrap();
        std::fs::write(folder.path().join("notes.txt"), "").unwrap();
        assert_eq!(numbers(folder.path()).unwrap(), [4]);
        let Scanned { segment, module } = Segment::scan(folder.path(), 4, 6).unwrap();
        let offsets: Vec<_> = segment.places.iter().map(|place| place.offset as usize).collect();
        assert_eq!((offsets, segment.bytes), (vec![0, first + 8], whole as u64));
        let sequences: Vec<_> = segment.places.iter().map(|place| place.sequence).collect();
        assert_eq!((sequences, module.as_deref()), (vec![7, 8], Some("charge")));
        let read = read(folder.path(), 4, segment.places[1]).unwrap().unwrap();
        assert_eq!(read, line(2));
        assert_eq!(super::read(folder.path(), 5, segment.places[1]).unwrap(), None);
    }
}
