//! What people answer by SMS: the folder into which gammu-smsd puts what the modem receives.
//!
//! A file is named after its time and its sender (`IN20261126_101112_00_+84900000001_00.txt`) and holds the text, in UTF-16
//! with a mark at its beginning (`InboxFormat = unicode`) or in the letters of the daemon's locale. Anybody may write to the
//! modem: nothing is believed of a file but what its name says of the sender, which the network vouches for. What is no
//! answer is left where it lies; what was answered is moved into a folder beside.

use super::numbers::dialled;
use crate::model::elapsed;
use encoding_rs::{Encoding, UTF_8};
use jiff::Timestamp;
use std::{
    collections::BTreeSet,
    fs::{self, OpenOptions},
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

/// Where what was answered is moved to, within the inbox.
const ANSWERED: &str = "camhealth";
/// So many are kept there.
const KEPT: usize = 200;
/// Names that are looked at in one go; a folder with more is somebody's archive.
const NAMES: usize = 10_000;
/// Files that are read in one go.
const READ: usize = 64;
/// Bytes of a file that are read: an answer has ten letters.
const LONGEST: u64 = 1024;
/// An answer is to what is open now. One that lay about for longer is none: its number may be another's by now.
const FRESH: Duration = Duration::from_secs(12 * 3600);

/// A message that lies in the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The name of its file.
    pub file: String,
    /// The sender's number, as [`dialled`] has it.
    pub from: String,
    /// What it says.
    pub text: String,
}

/// The folder of one gammu-smsd.
#[derive(Debug)]
pub struct Inbox {
    folder: PathBuf,
    /// Files that were read and are none of ours, or cannot be moved.
    seen: BTreeSet<String>,
}

impl Inbox {
    /// The inbox in a folder.
    pub fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), seen: BTreeSet::new() }
    }

    /// The first few messages that were not looked at before, the oldest first. Blocks.
    pub fn look(&mut self, now: Timestamp) -> io::Result<Vec<Written>> {
        let names =
            fs::read_dir(&self.folder)?.take(NAMES).filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let names: BTreeSet<String> = names.filter(|name| sender(name).is_some()).collect();
        // What somebody took away is forgotten.
        self.seen.retain(|name| names.contains(name));
        let mut found = Vec::new();
        for file in names.into_iter().filter(|name| !self.seen.contains(name)).take(READ).collect::<Vec<_>>() {
            let read = read(&self.folder.join(&file), now);
            self.seen.insert(file.clone());
            if let (Some(text), Some(from)) = (read, sender(&file)) {
                found.push(Written { file, from, text });
            }
        }
        Ok(found)
    }

    /// Puts aside what was answered, so that no later run answers it again. Blocks.
    pub fn put_aside(&self, file: &str) -> io::Result<()> {
        let aside = self.folder.join(ANSWERED);
        match fs::create_dir(&aside) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        fs::rename(self.folder.join(file), aside.join(file))?;
        // So that it is so after a power cut too.
        fs::File::open(&self.folder)?.sync_all()?;
        let names = fs::read_dir(&aside)?.take(NAMES).filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let names: BTreeSet<String> = names.filter(|name| sender(name).is_some()).collect();
        let old = names.len().saturating_sub(KEPT);
        names.into_iter().take(old).try_for_each(|name| fs::remove_file(aside.join(name)))
    }
}

/// Who sent what lies in a file of this name; `None` for files that are no message's.
fn sender(file: &str) -> Option<String> {
    let rest = file.strip_prefix("IN")?.strip_suffix(".txt")?;
    let parts: Vec<&str> = rest.split('_').collect();
    let [date, time, serial, number, part] = parts[..] else { return None };
    let digits = |text: &str, count: usize| text.len() >= count && text.bytes().all(|byte| byte.is_ascii_digit());
    let named = digits(date, 8) && digits(time, 6) && digits(serial, 2) && digits(part, 2) && file.len() < 100;
    named.then(|| dialled(number)).flatten()
}

/// The beginning of a file that was written lately; nothing of what is no plain file.
fn read(path: &Path, now: Timestamp) -> Option<String> {
    let is_fresh = |file: &fs::Metadata| {
        let written = file.modified().ok().and_then(|written| Timestamp::try_from(written).ok());
        file.is_file() && written.is_some_and(|written| elapsed(now, written) < FRESH)
    };
    // A link may lead anywhere, and a pipe makes whoever opens it wait.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
    file.metadata().ok().filter(is_fresh)?;
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes).ok()?;
    Some(decoded(&bytes))
}

/// Text with a mark at its beginning that says how it is written, or in UTF-8.
fn decoded(bytes: &[u8]) -> String {
    let (encoding, mark) = Encoding::for_bom(bytes).unwrap_or((UTF_8, 0));
    let (text, _) = encoding.decode_without_bom_handling(&bytes[mark..]);
    text.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::fs::symlink;

    /// When a file was written.
    fn written(path: &Path) -> Timestamp {
        let written = fs::metadata(path).and_then(|file| file.modified()).expect("it is there");
        Timestamp::try_from(written).expect("a time")
    }

    fn names(found: &[Written]) -> Vec<&str> {
        found.iter().map(|written| written.file.as_str()).collect()
    }

    #[test]
    fn a_name_tells_the_sender() {
        let from = "IN20261126_101112_00_+84900000001_00.txt";
        assert_eq!(sender(from).as_deref(), Some("84900000001"));
        assert_eq!(sender("IN20261126_101112_00_0900000001_01.txt").as_deref(), Some("84900000001"));
        for name in [
            "IN20261126_101112_00_Viettel_00.txt",
            "IN20261126_101112_00_+84900000001_00.bin",
            "IN20261126_101112_00_../../etc_00.txt",
            "IN20261126_101112_00__00.txt",
            "IN_101112_00_+84900000001_00.txt",
            "OUT20261126_101112_00_+84900000001_00.txt",
            "camhealth",
            "",
        ] {
            assert_eq!(sender(name), None, "{name}");
        }
    }

    #[test]
    fn each_message_is_found_once_and_what_was_answered_never_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &[u8]| fs::write(folder.path().join(name), text).expect("it can be written");
        let (one, other) = ("IN20261126_101112_00_+84900000001_00.txt", "IN20261126_101113_00_+84900000002_00.txt");
        write(one, b"ok 17");
        // UTF-16, as with InboxFormat = unicode.
        write(other, &[0xfe, 0xff, 0, b'n', 0, b'h', 0x1e, 0xad, 0, b'n', 0, b' ', 0, b'9']);
        let now = written(&folder.path().join(one));
        let mut inbox = Inbox::of(folder.path());
        let found = inbox.look(now).expect("it is read");
        assert_eq!((names(&found), found[1].text.as_str()), (vec![one, other], "nhận 9"));
        assert_eq!(inbox.look(now).expect("it is read"), []);
        inbox.put_aside(one).expect("it is moved");
        assert_eq!(names(&Inbox::of(folder.path()).look(now).expect("it is read")), [other], "by a later run");
        assert!(folder.path().join(ANSWERED).join(one).exists());
        // An answer of yesterday takes nothing on today.
        let later = crate::model::later(now, Duration::from_secs(13 * 3600));
        assert_eq!(Inbox::of(folder.path()).look(later).expect("it is read"), []);
    }

    #[test]
    fn what_is_no_plain_file_is_not_opened_and_what_is_long_not_read_to_its_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let name = |second: u32| folder.path().join(format!("IN20261126_1011{second:02}_00_+84900000001_00.txt"));
        fs::write(folder.path().join("elsewhere"), "ok 1").expect("it can be written");
        symlink(folder.path().join("elsewhere"), name(1)).expect("a link");
        fs::create_dir(name(2)).expect("a folder");
        rustix::fs::mkfifoat(rustix::fs::CWD, name(3), rustix::fs::Mode::RUSR).expect("a pipe");
        fs::write(name(4), "ok 17 ".repeat(100_000)).expect("it can be written");
        fs::write(name(5), b"\xff\xfe\x00\xd8ok\x80\xff 17").expect("it can be written");
        let now = written(&name(4));
        let found = Inbox::of(folder.path()).look(now).expect("it is read");
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].text.len() as u64 <= LONGEST);
        assert!(Inbox::of(&folder.path().join("nowhere")).look(now).is_err());
    }

    #[test]
    fn only_so_much_of_what_was_answered_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let name = |number: usize| format!("IN20261126_{number:06}_00_+84900000001_00.txt");
        for number in 0..KEPT + 5 {
            fs::write(folder.path().join(name(number)), "ok 1").expect("it can be written");
            Inbox::of(folder.path()).put_aside(&name(number)).expect("it is moved");
        }
        let kept = fs::read_dir(folder.path().join(ANSWERED)).expect("a folder").count();
        assert_eq!(kept, KEPT);
        assert!(!folder.path().join(ANSWERED).join(name(0)).exists(), "the oldest goes");
    }

    proptest! {
        #[test]
        fn whatever_lies_there_is_read_without_harm(name in "IN[0-9_+./a-z]{0,60}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = sender(&name);
            let _ = super::super::replies::takes_on(&decoded(&bytes));
        }
    }
}
