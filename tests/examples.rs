//! The shipped example: it loads, it is the commune that it promises, and its tuning shows the real defaults.

use camhealth::{config, health, model::Kind, probe, schedule, web};
use std::path::Path;

fn example() -> config::Config {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/camhealth.toml");
    let environment = |name: &str| name.starts_with("CAMHEALTH_").then(|| "secret".to_owned());
    config::load_with(&path, &environment).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn the_example_is_a_commune_of_240_cameras() {
    let plan = example();
    let count = |kind| plan.fleet.cameras.values().filter(|camera| camera.kind == kind).count();
    assert_eq!((count(Kind::Public), count(Kind::Household)), (40, 200));
    assert!(plan.fleet.sites.len() >= 12);
    assert!(plan.fleet.sites.values().all(|site| site.views.len() >= 2));
    assert!(plan.alert.rotations.len() == 1 && plan.alert.people.len() == 4);
    assert!(plan.fleet.links.values().filter(|link| link.parent.is_some()).count() >= 6);
}

#[test]
fn the_example_shows_the_defaults() {
    let plan = example();
    assert_eq!(plan.health, health::Settings::default());
    assert_eq!(plan.schedule, schedule::Settings::default());
    assert_eq!(plan.probe, probe::Settings::default());
    assert_eq!(plan.web, web::Settings::default());
}

#[test]
fn passwords_show_nowhere() {
    let text = format!("{:?}", example());
    assert!(text.contains("Login(…)") && !text.contains("secret\""), "a password is shown");
}
