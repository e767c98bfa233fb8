//! What happens to incidents is noted where it is decided: in order, once, and with its reason.

use super::*;

#[test]
fn what_happens_to_an_incident_is_noted_in_order() {
    let mut world = World::new(settings());
    world.lost(0, "cho", Critical);
    world.pass(300);
    world.site(310, "cho", Change::Worse(OpenAlert { since: at(310), worst: Blind }), Cause::Site("cho".into()));
    world.settle(310);
    world.ack(400, "1");
    let expires = 400 + i64::try_from(world.settings.ack_expires.as_secs()).expect("hours");
    world.pass(expires);
    world.restored(99_999, "cho");
    assert_eq!(
        world.happened(),
        [
            "0 1 opened critical",
            "300 1 escalated",
            "310 1 worse blind",
            "400 1 taken_on (An (in answer))",
            "29200 1 ack_expired (An had taken it on)",
            "99999 1 ended",
        ]
    );
    assert_eq!(world.happened(), Vec::<String>::new(), "it is told once");

    // What a link leaves behind, and what turns out to be part of it.
    let mut world = World::new(settings());
    world.lost(0, "cho", Blind);
    world.link_lost(30, &["cang"]);
    let cut = |cause: Cause| Cut { cause, since: at(10) };
    world.book.root_found(at(40), &"cho".into(), cut(Cause::Link("tu-dong".into())));
    world.settle(40);
    world.book.root_found(at(300), &"cho".into(), cut(Cause::Site("cho".into())));
    world.settle(300);
    assert_eq!(
        world.happened(),
        ["0 1 opened blind", "30 2 opened blind", "40 1 merged (part of #2)", "300 3 opened blind (goes on after #2)",]
    );
}

#[test]
fn what_is_kept_back_says_by_what_and_until_when() {
    let quiet = Quiet { hours: "22:00-06:00".parse().expect("hours"), except: Blind };
    let mut world = World::new(Settings { quiet: Some(quiet), ..settings() });
    let night = 15 * 3600;
    world.lost(night, "cho", Critical);
    world.pass(night + 8 * 3600);
    assert_eq!(
        world.happened()[..3],
        ["54000 1 opened critical", "54000 1 kept_back until 79200 (quiet hours)", "79200 1 released"]
    );
    // Maintenance is noted once, however often it is looked at.
    let mut world = World::new(settings());
    world.lost(0, "cho", Blind);
    for second in [300, 360, 420] {
        world.book.tick(at(second), &world.settings, |_| true);
        world.settle(second);
    }
    world.book.tick(at(480), &world.settings, |_| false);
    world.settle(480);
    assert_eq!(world.happened(), ["0 1 opened blind", "300 1 kept_back", "480 1 escalated"]);
}
