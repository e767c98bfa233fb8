//! How many cameras are in each state and how many sites at each level, kept up to date change by change.

use super::{Kind, Level, State};

/// Counts over the whole fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    cameras: [[usize; State::ALL.len()]; Kind::ALL.len()],
    sites: [usize; Level::ALL.len()],
}

impl Counts {
    /// A camera moved from one state to another; from none if it is new.
    pub fn camera(&mut self, kind: Kind, from: Option<State>, to: State) {
        let states = &mut self.cameras[kind as usize];
        if let Some(from) = from {
            states[from as usize] -= 1;
        }
        states[to as usize] += 1;
    }

    /// A site moved from one level to another; from none if it is new.
    pub fn site(&mut self, from: Option<Level>, to: Level) {
        if let Some(from) = from {
            self.sites[from as usize] -= 1;
        }
        self.sites[to as usize] += 1;
    }

    /// Cameras of a kind that are in a state.
    pub fn cameras(&self, kind: Kind, state: State) -> usize {
        self.cameras[kind as usize][state as usize]
    }

    /// Sites at a level.
    pub fn sites(&self, level: Level) -> usize {
        self.sites[level as usize]
    }

    /// The worst level that any site has; `None` without sites, and `unknown` only where all are.
    pub fn worst(&self) -> Option<Level> {
        Level::ALL.into_iter().filter(|level| self.sites(*level) > 0).max_by_key(|level| level.severity())
    }
}
