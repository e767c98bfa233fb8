//! Files with edits laid over them, as a configuration. An edit with which it would not be valid is set aside, and said so;
//! it harms nothing.

use super::{Config, build, context::Context, lay, reading};
use crate::edits::{Edit, Edits, Item, Standing};
use std::{collections::BTreeMap, sync::Arc};

/// How often it is tried to find which edits do not fit: each takes as long as reading the files.
const TRIES: usize = 200;

impl Config {
    /// The same files with these edits; each of them is known to stand in the configuration's sheet, with whether it holds.
    pub fn edited(&self, edits: &Edits) -> Result<Self, String> {
        self.edited_with(edits, &|name| std::env::var(name).ok())
    }

    /// The same configuration where edits cannot be laid over its files at all: those that hold already do, the others are
    /// kept and do not.
    #[must_use]
    pub fn with_idle(&self, edits: &Edits, why: &str) -> Self {
        let known = |item: &Item| self.sheet.line(item).filter(|line| line.edit.as_ref() == edits.get(item));
        let idle = || Standing::Unfit(why.to_owned());
        let sheet = self.sheet.with(edits, |item| known(item).map_or_else(idle, |line| line.standing.clone()));
        Self { sheet: Arc::new(sheet), ..self.clone() }
    }

    /// The same with an environment of the caller's.
    pub fn edited_with(&self, edits: &Edits, environment: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        if self.files.is_empty() {
            return Err("this configuration was made by the program itself: nothing of it can be edited".to_owned());
        }
        let mut trial = Trial { files: self, environment, tries: 0, good: Vec::new(), standing: BTreeMap::new() };
        let mut all: Vec<&Edit> = edits.iter().map(|(_, edit)| &**edit).collect();
        // Of two that do not go together the later one is at fault.
        all.sort_by_key(|edit| edit.version);
        let mut config = trial.fit(&all);
        if config.is_none() {
            config = Some(trial.read(&trial.good.clone())?);
        }
        let mut config = config.unwrap_or_else(|| self.clone());
        let standing = |item: &Item| trial.standing.get(item).cloned().unwrap_or(Standing::Edited);
        config.sheet = Arc::new(self.sheet.with(edits, standing));
        config.files = self.files.clone();
        Ok(config)
    }
}

/// What fits so far.
struct Trial<'t> {
    files: &'t Config,
    environment: &'t dyn Fn(&str) -> Option<String>,
    tries: usize,
    good: Vec<&'t Edit>,
    standing: BTreeMap<Item, Standing>,
}

impl<'t> Trial<'t> {
    /// Adds those that fit to the good ones; the configuration with all of these, where it was read last.
    fn fit(&mut self, edits: &[&'t Edit]) -> Option<Config> {
        let together: Vec<&Edit> = self.good.iter().chain(edits).copied().collect();
        match self.read(&together) {
            Ok(config) => {
                self.good = together;
                Some(config)
            }
            Err(why) if edits.len() <= 1 || self.tries >= TRIES => {
                let unfit = edits.iter().map(|edit| (edit.item.clone(), Standing::Unfit(why.clone())));
                self.standing.extend(unfit);
                None
            }
            Err(_) => {
                let (first, second) = edits.split_at(edits.len() / 2);
                self.fit(first);
                self.fit(second)
            }
        }
    }

    /// The configuration with these edits, or the first thing that is wrong with it.
    fn read(&mut self, edits: &[&Edit]) -> Result<Config, String> {
        self.tries += 1;
        let laid = lay::lay(&self.files.files.texts(), edits.iter().copied());
        self.standing.extend(laid.orphans.into_iter().map(|item| (item, Standing::Orphan)));
        let context = Context::new(self.environment);
        let sources = self.files.files.sources(laid.texts);
        let trees: Vec<_> = sources.iter().map(|source| (source, reading::parse(source, &context))).collect();
        build(&context, &trees, Some(&self.files.sheet)).map_err(|problems| {
            let first = problems.iter().next();
            first.map(|problem| format!("{problem}; {}", problem.remedy)).unwrap_or_default()
        })
    }
}

#[cfg(test)]
#[path = "edited_tests.rs"]
mod tests;
