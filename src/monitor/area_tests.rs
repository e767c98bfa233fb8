//! Coverage by area: whatever happens, it is the sum of what lies in it and in its parts.

use super::{
    tests::{World, at, fleet},
    *,
};
use crate::model::{Area, Coverage, Site};
use proptest::prelude::*;

/// Six sites: 0 to 4 in an area each (4 in that of 0), 5 in none; area 2 and 3 are parts of 1, area 1 of 0.
fn parted() -> Arc<Fleet> {
    let mut plan = (*fleet(6)).clone();
    for (area, parent) in [("a0", None), ("a1", Some("a0")), ("a2", Some("a1")), ("a3", Some("a1")), ("empty", None)] {
        plan.areas.insert(area.into(), Area { name: area.into(), parent: parent.map(Into::into) });
    }
    for (site, area) in [("site-0", "a0"), ("site-1", "a1"), ("site-2", "a2"), ("site-3", "a3"), ("site-4", "a0")] {
        let site: &mut Site = Arc::make_mut(plan.sites.get_mut(site).expect("it is there"));
        site.area = Some(area.into());
    }
    Arc::new(plan)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn an_area_is_the_sum_of_its_sites_and_parts(looks in proptest::collection::vec((0..6usize, any::<bool>(), any::<bool>()), 0..60)) {
        let mut world = World::of(parted(), Settings::default(), Restored::default(), 0);
        world.all_up(0);
        let within = [("a0", &[0, 1, 2, 3, 4][..]), ("a1", &[1, 2, 3]), ("a2", &[2]), ("a3", &[3]), ("empty", &[])];
        for (number, (site, north, good)) in looks.into_iter().enumerate() {
            let second = 3 * number as i64;
            let camera = format!("{site}-{}", if north { "north" } else { "south" });
            world.probe(second, &camera, (!good).then_some(FailureKind::Refused));
            let snapshot = world.monitor.snapshot(at(second));
            prop_assert_eq!(snapshot.areas.len(), within.len());
            for (area, sites) in &within {
                let views = sites.iter().flat_map(|site| &snapshot.sites[format!("site-{site}").as_str()].views);
                let mut sum = Coverage::default();
                views.for_each(|view| sum.add(view.state, view.weight));
                prop_assert_eq!(snapshot.areas[*area], sum, "{}", area);
            }
        }
    }
}
