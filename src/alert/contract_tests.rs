//! The contractor's answer, and terms that an incident outlasts: noted once, told to nobody, and kept where incidents meet.

use super::*;
use crate::model::{Duty, Overdue};

fn world_with_contractor() -> World {
    let mut settings = settings();
    settings.contractors = ["dung".into()].into();
    World::new(settings)
}

fn ack(second: i64, by: &str) -> Ack {
    Ack { by: by.into(), via: "page".into(), at: at(second) }
}

fn responded(world: &World, number: &str) -> Option<String> {
    world.book.named(number)?.responded.as_ref().map(|ack| ack.by.clone())
}

#[test]
fn the_contractors_answer_is_noted_and_stops_no_escalation() {
    let mut world = world_with_contractor();
    world.lost(0, "cho", Blind);
    world.book.respond("1", &ack(60, "Hưng"));
    world.book.respond("1", &ack(70, "Thảo"));
    world.settle(70);
    world.pass(300);
    assert_eq!(responded(&world, "1").as_deref(), Some("Hưng"), "the first answer counts");
    assert_eq!(world.happened(), ["0 1 opened blind", "60 1 responded (Hưng (on a page))", "300 1 escalated"]);
    assert!(world.told.iter().any(|told| told.starts_with("300 1 escalated")), "{:?}", world.told);
}

#[test]
fn somebody_of_the_contractors_who_takes_it_on_has_answered_and_others_have_not() {
    let mut world = world_with_contractor();
    world.lost(0, "cho", Blind);
    world.ack(10, "1");
    assert_eq!(responded(&world, "1"), None, "an officer answers for nobody else");
    // A name that is typed on a page is nobody's word; a link in a message is one person's.
    world.lost(20, "cang", Blind);
    world.book.acknowledge("2", ack(30, "dung"), &world.settings);
    world.settle(30);
    assert_eq!(responded(&world, "2"), None);
    world.lost(40, "dinh", Blind);
    world.book.acknowledge("3", Ack { via: "link".into(), ..ack(50, "dung") }, &world.settings);
    world.settle(50);
    assert_eq!(responded(&world, "3").as_deref(), Some("dung"));
}

#[test]
fn an_answer_goes_with_what_the_incident_becomes_a_part_of_and_with_what_goes_on() {
    let mut world = world_with_contractor();
    world.lost(0, "cho", Blind);
    world.book.respond("1", &ack(5, "Hưng"));
    world.link_lost(30, &["cang"]);
    let cut = |cause: Cause| Cut { cause, since: at(10) };
    world.book.root_found(at(40), &"cho".into(), cut(Cause::Link("tu-dong".into())));
    world.settle(40);
    assert_eq!(responded(&world, "2").as_deref(), Some("Hưng"));
    let part = world.book.incidents().find(|one| one.number == 1).expect("it is remembered");
    assert_eq!((part.part_of, part.closed.is_some()), (Some(2), true));
    world.book.root_found(at(300), &"cho".into(), cut(Cause::Site("cho".into())));
    world.settle(300);
    assert_eq!(
        (responded(&world, "3").as_deref(), world.book.named("3").and_then(|one| one.part_of)),
        (Some("Hưng"), None)
    );
}

#[test]
fn a_term_that_was_outlasted_is_noted_once_and_taken_back_where_it_was_not() {
    let mut world = world_with_contractor();
    world.lost(0, "cho", Blind);
    let id = world.book.named("1").expect("it is open").id.clone();
    let late = Overdue { duty: Duty::Respond, level: Blind, at: at(100) };
    for second in [120, 150] {
        world.book.overdue(at(second), &id, std::slice::from_ref(&late));
        world.settle(second);
    }
    // What became known since moves the moment, and later takes it away.
    let moved = Overdue { at: at(110), ..late.clone() };
    world.book.overdue(at(160), &id, std::slice::from_ref(&moved));
    assert_eq!(world.book.get(&id).map(|incident| incident.overdue.clone()), Some(vec![moved]));
    world.book.overdue(at(200), &id, &[]);
    world.settle(200);
    assert_eq!(
        world.happened(),
        [
            "0 1 opened blind",
            "100 1 overdue blind (the contractor had not answered in time)",
            "200 1 overdue blind (reckoned anew: answered in time)",
        ]
    );
    assert_eq!(world.told.len(), 1, "nobody is told: {:?}", world.told);
}
