//! Where the names of hamlets stand on the map: near the middle of their sites, and on nothing else that is written or
//! drawn there.

/// A box on the drawing: left, top, right and bottom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Area {
    /// What a text takes that is centred on `x` and stands on the line `y`, in letters of a size. Letters are taken to be
    /// as wide as those of the widest fonts that draw them.
    pub(super) fn of_text(text: &str, size: f64, (x, y): (f64, f64)) -> Self {
        let half = text.chars().count() as f64 * size * 0.62 / 2.0;
        Self { left: x - half, top: y - size * 0.95, right: x + half, bottom: y + size * 0.3 }
    }

    /// What a mark takes.
    pub(super) fn of_mark((x, y): (f64, f64), radius: f64) -> Self {
        Self { left: x - radius, top: y - radius, right: x + radius, bottom: y + radius }
    }

    fn shared_with(&self, other: &Self) -> f64 {
        let width = self.right.min(other.right) - self.left.max(other.left);
        let height = self.bottom.min(other.bottom) - self.top.max(other.top);
        width.max(0.0) * height.max(0.0)
    }

    fn is_within(&self, (width, height): (f64, f64)) -> bool {
        self.left >= 0.0 && self.top >= 0.0 && self.right <= width && self.bottom <= height
    }
}

/// Steps by which a name moves away from where it would stand.
const STEP: f64 = 14.0;
/// How many of them it may move: further away nobody would know whose name it is.
const STEPS: i32 = 14;

/// Places for names of this size that would stand at these points, on a drawing of which some is taken. `None` for a name
/// that has no place where it covers nothing.
pub(super) fn places(
    names: &[(&str, (f64, f64))],
    size: f64,
    mut taken: Vec<Area>,
    drawing: (f64, f64),
) -> Vec<Option<(f64, f64)>> {
    let mut moves: Vec<(f64, f64)> = (-STEPS..=STEPS)
        .flat_map(|down| (-STEPS..=STEPS).map(move |right| (f64::from(right) * STEP, f64::from(down) * STEP)))
        .collect();
    moves.sort_by(|a, b| a.0.hypot(a.1).total_cmp(&b.0.hypot(b.1)));
    let mut placed = Vec::with_capacity(names.len());
    for (name, (x, y)) in names {
        let free = moves.iter().find_map(|(right, down)| {
            let at = (x + right, y + down);
            let area = Area::of_text(name, size, at);
            let covers = taken.iter().any(|other| area.shared_with(other) > 0.0);
            (area.is_within(drawing) && !covers).then_some((at, area))
        });
        taken.extend(free.map(|(_, area)| area));
        placed.push(free.map(|(at, _)| at));
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_name_covers_anything(
            marks in proptest::collection::vec((100.0..900.0, 100.0..600.0), 0..30),
            hamlets in proptest::collection::vec(("[a-zà-ỹ ]{2,14}", 100.0..900.0, 100.0..600.0), 0..8),
        ) {
            let taken: Vec<Area> = marks.iter().flat_map(|at| {
                [Area::of_mark(*at, 20.0), Area::of_text("Ngã tư Chợ", 21.0, (at.0, at.1 + 46.0))]
            }).collect();
            let names: Vec<_> = hamlets.iter().map(|(name, x, y)| (name.as_str(), (*x, *y))).collect();
            let mut covered = taken.clone();
            for ((name, _), place) in names.iter().zip(places(&names, 30.0, taken, (1000.0, 700.0))) {
                let Some(at) = place else { continue };
                let area = Area::of_text(name, 30.0, at);
                let apart = |other: &Area| {
                    let beside = area.right <= other.left || other.right <= area.left;
                    beside || area.bottom <= other.top || other.bottom <= area.top
                };
                prop_assert!(covered.iter().all(apart));
                prop_assert!(area.left >= 0.0 && area.right <= 1000.0 && area.top >= 0.0 && area.bottom <= 700.0);
                covered.push(area);
            }
        }
    }

    #[test]
    fn one_that_covers_nothing_stays_where_it_is() {
        let placed = places(&[("Thôn Đông", (500.0, 300.0))], 30.0, Vec::new(), (1000.0, 700.0));
        assert_eq!(placed, [Some((500.0, 300.0))]);
        let everything = Area { left: 0.0, top: 0.0, right: 1000.0, bottom: 700.0 };
        assert_eq!(places(&[("Đông", (500.0, 300.0))], 30.0, vec![everything], (1000.0, 700.0)), [None]);
    }
}
