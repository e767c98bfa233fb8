//! `[privacy] owners`: a file of its own that says who lends which camera.
//!
//! It is no part of what the configuration holds: only where it lies is known, and it is read when somebody asks for one
//! household. So its contents are in no snapshot, no export, no backup of the journal and no memory for longer than that.
//! No error of it quotes it.

use crate::model::{CameraId, Owner};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, Read, Seek, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Households of a province take some megabytes.
const LARGEST: u64 = 16 * 1024 * 1024;
/// Where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owners(PathBuf);

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Line {
    name: SecretString,
    phone: SecretString,
    address: SecretString,
    note: SecretString,
}

impl Owners {
    /// A file that is there, is as it should be, and is closed to others.
    pub(super) fn at(path: PathBuf) -> Result<Self, String> {
        let owners = Self(path);
        owners.read().map(|_| owners)
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Who lends a camera, if the file says so. The error is for people, and quotes nothing of the file.
    pub fn of(&self, camera: &CameraId) -> Result<Option<Owner>, String> {
        let owner = |Line { name, phone, address, note }| Owner { name, phone, address, note };
        Ok(self.read()?.remove(camera.as_str()).map(owner))
    }

    /// The cameras that it names.
    pub fn cameras(&self) -> Result<BTreeSet<CameraId>, String> {
        Ok(self.read()?.into_keys().map(|id| id.as_str().into()).collect())
    }

    /// Strikes out who lends a camera; whether anything stood there. What stood there is overwritten.
    pub fn strike(&self, camera: &CameraId) -> Result<bool, String> {
        let told = |what: &str, error: &io::Error| format!("{} cannot be {what}: {error}", self.0.display());
        // It is looked over first: what is no such file is not rewritten.
        if !self.read()?.contains_key(camera.as_str()) {
            return Ok(false);
        }
        let text = SecretString::from(fs::read_to_string(&self.0).map_err(|error| told("read", &error))?);
        let mut document: toml_edit::DocumentMut =
            text.expose_secret().parse().map_err(|_| format!("{} is no TOML", self.0.display()))?;
        document.remove(camera.as_str());
        let mut beside = self.0.clone().into_os_string();
        beside.push(".new");
        let write = || {
            let mut before = File::options().read(true).write(true).open(&self.0)?;
            let _ = fs::remove_file(&beside);
            let mut file = File::options().write(true).create_new(true).mode(0o600).open(&beside)?;
            file.write_all(document.to_string().as_bytes())?;
            // Whoever may read it now is whoever could before: under a service that is not who runs this command.
            let known = before.metadata()?;
            std::os::unix::fs::fchown(
                &file,
                Some(std::os::unix::fs::MetadataExt::uid(&known)),
                Some(std::os::unix::fs::MetadataExt::gid(&known)),
            )?;
            file.sync_all()?;
            fs::rename(&beside, &self.0)?;
            // A power cut must not bring it back, and nothing of it is to stay on the disk as far as we can reach.
            let folder = self.0.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            File::open(folder)?.sync_all()?;
            before.rewind()?;
            before.write_all(&vec![0; usize::try_from(known.len()).unwrap_or(0)])?;
            before.sync_all()
        };
        write().map(|()| true).map_err(|error| told("written", &error))
    }

    fn read(&self) -> Result<BTreeMap<String, Line>, String> {
        let path = self.0.display();
        let mut file = File::open(&self.0).map_err(|error| format!("{path} cannot be read: {error}"))?;
        let known = file.metadata().map_err(|error| format!("{path} cannot be read: {error}"))?;
        if known.permissions().mode() & 0o077 != 0 {
            return Err(format!("{path} can be read by others than camhealth's user"));
        }
        if !known.is_file() || known.len() > LARGEST {
            return Err(format!("{path} is no file of owners"));
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(|_| format!("{path} is no text"))?;
        let text = SecretString::from(text);
        toml::from_str(text.expose_secret()).map_err(|error| {
            // Its own words quote what stands there.
            let before = error.span().map(|span| &text.expose_secret()[..span.start.min(text.expose_secret().len())]);
            let line = before.map_or(1, |before| 1 + before.matches('\n').count());
            format!("{path}, line {line} is not as it must be")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "# Sổ hộ dân\n[ho-1]\nname = \"Nhà bà Quỳnh\"\nphone = \"0901\"\n\n[ho-2]\n# hai\nname = \"Nhà ông Xuyến\"\n";

    fn file(text: &str, mode: u32) -> (tempfile::TempDir, Owners) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("owners.toml");
        fs::write(&path, text).expect("it can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("it is ours");
        (folder, Owners(path))
    }

    #[test]
    fn one_is_read_and_one_is_struck_out() {
        let (folder, owners) = file(TEXT, 0o600);
        let owner = owners.of(&"ho-1".into()).expect("it is read").expect("it is there");
        assert_eq!((owner.name.expose_secret(), owner.phone.expose_secret()), ("Nhà bà Quỳnh", "0901"));
        assert!(!format!("{owner:?} {owners:?}").contains("Quỳnh"));
        assert!(Owners::at(owners.path().to_owned()).is_ok());
        assert!(owners.of(&"ho-3".into()).expect("it is read").is_none());
        let before = File::open(owners.path()).expect("it is there");
        assert_eq!(owners.strike(&"ho-1".into()), Ok(true));
        assert_eq!(owners.strike(&"ho-1".into()), Ok(false));
        let left = fs::read_to_string(owners.path()).expect("it is there");
        assert!(left.contains("[ho-2]\n# hai\n") && !left.contains("Quỳnh") && !left.contains("0901"), "{left}");
        assert_eq!(fs::metadata(owners.path()).expect("a file").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing lies beside it");
        // Nor where it lay on the disk.
        let mut bytes = Vec::new();
        (&before).read_to_end(&mut bytes).expect("it is still held");
        assert!(bytes.len() == TEXT.len() && bytes.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn what_is_wrong_is_told_without_a_word_of_it() {
        for (text, mode, told) in [
            (TEXT, 0o640, "can be read by others"),
            ("[ho-1]\nname = \"Nhà bà Quỳnh\"\nQuỳnh = 1\n", 0o600, "line 3"),
            ("[ho-1]\n\nname = 0901222333\n", 0o600, "line 3"),
            ("Nhà bà Quỳnh 0901222333", 0o600, "line 1"),
        ] {
            let (_folder, owners) = file(text, mode);
            let why = owners.of(&"ho-1".into()).expect_err("it is wrong");
            assert!(why.contains(told) && !why.contains("Quỳnh") && !why.contains("0901"), "{why}");
            assert_eq!(owners.strike(&"ho-1".into()), Err(why), "and it is left as it is");
        }
    }
}
