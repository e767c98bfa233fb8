//! The journal's files: who may read them, who writes them, and where damaged ones are set aside.

use super::Error;
use jiff::Timestamp;
use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Damaged files that are kept, so that a disk that breaks files does not fill up with them.
const SET_ASIDE: usize = 3;
/// What names of damaged files say.
const DAMAGED: &str = "damaged";
/// What SQLite keeps beside a file.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

/// Where the journal lies.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
}

impl Place {
    /// Refuses what can never be a journal.
    pub(super) fn new(path: &Path) -> Result<Self, Error> {
        let refused = |why| Error::Path { path: path.to_owned(), why };
        // Two names of one file are one journal, with one lock.
        let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        match fs::metadata(path) {
            Ok(known) if known.is_dir() => return Err(refused("it is a folder")),
            Ok(known) if !known.is_file() => return Err(refused("it is no ordinary file")),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return Err(refused("a file lies where its folder should be"));
            }
            _ if path.file_name().is_none() => return Err(refused("it names no file")),
            _ => {}
        }
        Ok(Self { path: path.to_owned() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A file beside the journal, by what follows its name.
    pub(super) fn beside(&self, suffix: &str) -> PathBuf {
        beside(&self.path, suffix)
    }

    pub(super) fn folder(&self) -> &Path {
        folder(&self.path)
    }

    /// Makes the folder if there is none: nobody else's business, as what lies in it.
    pub(super) fn make_folder(&self) -> Result<(), Error> {
        if !self.folder().exists() {
            DirBuilder::new().recursive(true).mode(0o700).create(self.folder())?;
        }
        Ok(())
    }

    /// Warns of a folder in which others may look around or put files.
    pub(super) fn look_at_folder(&self) {
        let Ok(known) = fs::metadata(self.folder()) else { return };
        if known.permissions().mode() & 0o026 != 0 {
            let folder = self.folder().display();
            tracing::warn!(
                "the journal's folder {folder} is open to others; the journal itself is not, but they may see or \
                 replace it: chmod 0750 {folder}, or give the journal a folder of its own by [journal] path"
            );
        }
    }

    /// Makes the file, for its owner alone from the first moment, and narrows one that is open to others: it holds the
    /// key by which links are signed. SQLite gives WAL and SHM the file's rights.
    pub(super) fn make_file(&self) -> Result<(), Error> {
        for path in [self.path.clone()].into_iter().chain(COMPANIONS.map(|suffix| self.beside(suffix))) {
            let Ok(known) = fs::metadata(&path) else { continue };
            if known.permissions().mode() & 0o077 != 0 {
                fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
                tracing::warn!("{} was open to others and is now its owner's alone (0600)", path.display());
            }
        }
        private().create(true).truncate(false).open(&self.path)?;
        Ok(())
    }

    /// Takes the journal for this process, and waits a little for one that is just being closed.
    pub(super) fn lock(&self, patience: Duration) -> Result<File, Error> {
        let path = self.beside(".lock");
        let mut file = private().create(true).truncate(false).open(&path)?;
        let deadline = Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(TryLockError::WouldBlock) => {
                    let mut text = String::new();
                    let read = Read::by_ref(&mut file).take(20).read_to_string(&mut text);
                    let holder = read.ok().and_then(|_| text.trim().parse().ok());
                    return Err(Error::Locked { path: self.path.clone(), holder });
                }
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                    tracing::warn!(
                        "{} cannot be locked on this file system: see that only one camhealth uses it",
                        path.display()
                    );
                    break;
                }
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
        }
        // For whoever finds it locked; a full disk cannot take it, and the lock holds nevertheless.
        let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
        Ok(file)
    }

    /// Sets the damaged journal aside whole and puts the one that was made of it, at `fresh`, in its place.
    pub(super) fn exchange(&self, fresh: &Path, now: Timestamp) -> Result<PathBuf, Error> {
        let aside = self.aside(DAMAGED, now);
        self.forget_oldest();
        self.set_aside(&aside)?;
        self.put(fresh)?;
        Ok(aside)
    }

    /// A name that nothing has, under which the journal can be set aside.
    pub(super) fn aside(&self, word: &str, now: Timestamp) -> PathBuf {
        let first = self.beside(&format!(".{word}-{}", stamp(now)));
        let more = (2u32..).map(|number| beside(&first, &format!(".{number}")));
        let free = std::iter::once(first.clone()).chain(more).find(|name| fs::symlink_metadata(name).is_err());
        free.unwrap_or(first)
    }

    /// Gives the journal this name too, and its WAL this name alone; durable when it returns.
    pub(super) fn set_aside(&self, aside: &Path) -> Result<(), Error> {
        // By a second name, so that a journal lies in its place at each moment; some file systems know none.
        match fs::hard_link(&self.path, aside) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => fs::rename(&self.path, aside)?,
            Ok(()) => {}
        }
        // A WAL belongs to its file: beside another it would be played into that.
        for suffix in COMPANIONS {
            match fs::rename(self.beside(suffix), beside(aside, suffix)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        for path in [aside.to_owned(), beside(aside, COMPANIONS[0]), beside(aside, COMPANIONS[1])] {
            // It holds the key as the journal does; where it cannot be narrowed, it is as it was before.
            let _ = fs::set_permissions(path, fs::Permissions::from_mode(0o600));
        }
        sync_folder(self.folder())
    }

    /// Puts a file in the journal's place; durable when it returns.
    pub(super) fn put(&self, fresh: &Path) -> Result<(), Error> {
        fs::rename(fresh, &self.path)?;
        sync_folder(self.folder())
    }

    /// Whether the journal or a WAL of it lies there.
    pub(super) fn is_taken(&self) -> bool {
        ["", COMPANIONS[0]].iter().any(|suffix| self.beside(suffix).exists())
    }

    /// Gives a file that was just made to whoever owns the journal, or else its folder: an administrator who mends it
    /// must not lock the daemon out.
    pub(super) fn hand_over(&self, path: &Path) -> Result<(), Error> {
        let owner = fs::metadata(&self.path).or_else(|_| fs::metadata(self.folder()))?;
        if fs::metadata(path)?.uid() != owner.uid() {
            std::os::unix::fs::chown(path, Some(owner.uid()), Some(owner.gid()))?;
        }
        Ok(())
    }

    /// Makes room for another file that is set aside.
    fn forget_oldest(&self) {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let start = format!("{name}.{DAMAGED}-");
        let mut known: Vec<PathBuf> = fs::read_dir(self.folder())
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.starts_with(&start) && !COMPANIONS.iter().any(|suffix| name.ends_with(suffix))
            })
            .collect();
        known.sort();
        known.truncate(known.len().saturating_sub(SET_ASIDE - 1));
        for oldest in known {
            tracing::warn!("{} is removed: {SET_ASIDE} damaged journals are kept", oldest.display());
            for path in [beside(&oldest, COMPANIONS[0]), beside(&oldest, COMPANIONS[1]), oldest] {
                // A companion need not be there; what cannot be removed is tried again the next time.
                let _ = fs::remove_file(path);
            }
        }
    }
}

/// Refuses what is no file.
pub(super) fn ordinary(path: &Path) -> Result<(), Error> {
    match fs::metadata(path) {
        Ok(known) if known.is_file() => Ok(()),
        Ok(_) => Err(Error::Unfit { path: path.to_owned(), why: "it is no file: name one".to_owned() }),
        Err(error) => Err(Error::File(error).of(path)),
    }
}

/// The folder that a file lies in.
pub(super) fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes names durable: those that came into a folder, and those that went.
pub(super) fn sync_folder(folder: &Path) -> Result<(), Error> {
    Ok(File::open(folder)?.sync_all()?)
}

/// A time as it stands in names of files.
pub(super) fn stamp(now: Timestamp) -> impl std::fmt::Display {
    now.strftime("%Y%m%dT%H%M%SZ")
}

/// Removes a file that SQLite wrote, with what it keeps beside it.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        match fs::remove_file(beside(path, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// A file that is its owner's alone.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}

/// A file beside another, by what follows its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
