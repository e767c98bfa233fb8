//! The coverage of many sites as a sum that follows each change of one of them.

use crate::model::{Coverage, ViewState, ViewStatus};

/// Parts of a weight that are counted: whole numbers, since a sum of fractions to which something is added and taken
/// away again is not what it was.
const PARTS: f64 = 1e6;

/// Views of many sites, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    total: usize,
    covered: usize,
    lost: usize,
    weight_total: u64,
    weight_covered: u64,
}

impl Sum {
    /// A site has these views now, and had those before.
    pub fn replace(&mut self, before: &[ViewStatus], now: &[ViewStatus]) {
        let (before, now) = (Self::of(before), Self::of(now));
        self.total = self.total + now.total - before.total;
        self.covered = self.covered + now.covered - before.covered;
        self.lost = self.lost + now.lost - before.lost;
        self.weight_total = self.weight_total + now.weight_total - before.weight_total;
        self.weight_covered = self.weight_covered + now.weight_covered - before.weight_covered;
    }

    /// As it is shown.
    pub fn coverage(&self) -> Coverage {
        Coverage {
            covered: self.covered,
            lost: self.lost,
            total: self.total,
            weight_covered: self.weight_covered as f64 / PARTS,
            weight_total: self.weight_total as f64 / PARTS,
        }
    }

    fn of(views: &[ViewStatus]) -> Self {
        let mut sum = Self { total: views.len(), ..Self::default() };
        for view in views {
            // A weight is worth something, however little.
            let weight = (view.weight * PARTS).round().clamp(1.0, 1e12) as u64;
            sum.weight_total += weight;
            match view.state {
                ViewState::Covered => {
                    sum.covered += 1;
                    sum.weight_covered += weight;
                }
                ViewState::Lost => sum.lost += 1,
                ViewState::Unknown => {}
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coverage::total;
    use proptest::prelude::*;

    fn views() -> impl Strategy<Value = Vec<ViewStatus>> {
        let state = proptest::sample::select(vec![ViewState::Covered, ViewState::Lost, ViewState::Unknown]);
        let view = (state, 1u32..5000).prop_map(|(state, weight)| ViewStatus {
            name: "cổng chợ".into(),
            state,
            seeing: 0,
            needs: 1,
            weight: f64::from(weight) / 1000.0,
        });
        proptest::collection::vec(view, 0..4)
    }

    proptest! {
        /// After any changes of single sites the sum is what a recount of all of them gives.
        #[test]
        fn it_is_what_a_recount_gives(changes in proptest::collection::vec((0usize..6, views()), 0..40)) {
            let mut sites: Vec<Vec<ViewStatus>> = vec![Vec::new(); 6];
            let mut sum = Sum::default();
            for (site, views) in changes {
                sum.replace(&sites[site], &views);
                sites[site] = views;
                let (ours, recount) = (sum.coverage(), total(sites.iter().map(Vec::as_slice)));
                prop_assert_eq!((ours.covered, ours.lost, ours.total), (recount.covered, recount.lost, recount.total));
                prop_assert!((ours.weight_total - recount.weight_total).abs() < 1e-6);
                prop_assert!((ours.weight_covered - recount.weight_covered).abs() < 1e-6);
            }
        }
    }
}
