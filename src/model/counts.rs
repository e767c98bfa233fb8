//! How many cameras are in each state and how many sites at each level: of a fleet, kept up to date change by change, or of
//! an area.

use super::{Kind, Level, State};

/// Counts over a fleet or a part of it.
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

    /// All sites.
    pub fn all_sites(&self) -> usize {
        self.sites.iter().sum()
    }

    /// All cameras.
    pub fn all_cameras(&self) -> usize {
        self.cameras.iter().flatten().sum()
    }

    /// Cameras of all kinds that are in a state.
    pub fn cameras_in(&self, state: State) -> usize {
        self.cameras.iter().map(|states| states[state as usize]).sum()
    }

    /// Adds another part's.
    pub fn add(&mut self, other: &Self) {
        self.sites.iter_mut().zip(other.sites).for_each(|(sum, count)| *sum += count);
        let all = self.cameras.iter_mut().flatten();
        all.zip(other.cameras.iter().flatten()).for_each(|(sum, count)| *sum += count);
    }

    /// The worst level that any site has; `None` without sites, and `unknown` only where all are.
    pub fn worst(&self) -> Option<Level> {
        Level::ALL.into_iter().filter(|level| self.sites(*level) > 0).max_by_key(|level| level.severity())
    }
}
