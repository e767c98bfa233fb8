//! A value for some depths of a look. Each camera of a province has several of these, and a map takes a page for one.

use super::Check;

/// Something of each depth, as far as there is any.
#[derive(Debug, Clone, PartialEq)]
pub struct ByCheck<T>([Option<T>; Check::ALL.len()]);

impl<T> Default for ByCheck<T> {
    fn default() -> Self {
        Self([const { None }; Check::ALL.len()])
    }
}

impl<T> ByCheck<T> {
    /// That of one depth.
    pub fn get(&self, check: &Check) -> Option<&T> {
        self.0[*check as usize].as_ref()
    }

    /// The same, to change it.
    pub fn get_mut(&mut self, check: &Check) -> Option<&mut T> {
        self.0[*check as usize].as_mut()
    }

    /// Takes the place of what stood there.
    pub fn insert(&mut self, check: Check, value: T) {
        self.0[check as usize] = Some(value);
    }

    /// All that there are, the shallowest first.
    pub fn iter(&self) -> impl Iterator<Item = (Check, &T)> {
        Check::ALL.into_iter().zip(&self.0).filter_map(|(check, value)| Some((check, value.as_ref()?)))
    }

    /// The same without their depths.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flatten()
    }
}

impl<T, const N: usize> From<[(Check, T); N]> for ByCheck<T> {
    fn from(values: [(Check, T); N]) -> Self {
        let mut all = Self::default();
        values.into_iter().for_each(|(check, value)| all.insert(check, value));
        all
    }
}
