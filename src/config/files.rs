//! The files as they were read: edits are laid over them without reading them again, since they may be half of something
//! new.

use super::source::Source;
use secrecy::{ExposeSecret, SecretString};
use std::{path::PathBuf, sync::Arc};

/// All files of a configuration, the main one first. What they hold may be a secret, so `Debug` shows none of it.
#[derive(Debug, Clone, Default)]
pub struct Files(Arc<Vec<File>>);

#[derive(Debug)]
struct File {
    name: String,
    folder: PathBuf,
    text: SecretString,
}

impl Files {
    /// The files that were read.
    pub(super) fn of<'s>(sources: impl IntoIterator<Item = &'s Source>) -> Self {
        let file = |source: &Source| File {
            name: source.name.clone(),
            folder: source.folder.clone(),
            text: source.text.clone().into(),
        };
        Self(Arc::new(sources.into_iter().map(file).collect()))
    }

    /// Whether there are none: the configuration was made by the program itself.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether these were read in the same reading.
    pub fn are(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// What they hold.
    pub(super) fn texts(&self) -> Vec<&str> {
        self.0.iter().map(|file| file.text.expose_secret()).collect()
    }

    /// Their names, as they were named to us, and where they lie.
    pub(super) fn places(&self) -> impl Iterator<Item = (&str, &PathBuf)> {
        self.0.iter().map(|file| (file.name.as_str(), &file.folder))
    }

    /// The same files with other texts.
    pub(super) fn sources(&self, texts: Vec<String>) -> Vec<Source> {
        let source = |(file, text): (&File, String)| Source::new(file.name.clone(), file.folder.clone(), text);
        self.0.iter().zip(texts).map(source).collect()
    }
}
