//! What only a server can do to a journal: its session ends, its answer to a commit is lost, somebody else takes the journal
//! over. They have nothing to do where tests have no server (`tests.rs`).

use super::{
    sql::values,
    tests::{at, block, closed, due, for_once, incident, notice, on_server, recipient, transition},
    *,
};
use crate::model::{Happening, State};
use proptest::prelude::*;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::atomic::AtomicUsize,
    time::{Duration, Instant},
};

/// Ends all sessions of a journal, as a restart of the server does.
fn end_sessions(settings: &Settings) {
    let server = settings.server.as_ref().expect("a server");
    let connection = held::reader(server).expect("it answers").expect("a journal");
    connection.execute(&held::end_of_holder("AND pid <> pg_backend_pid()"), values![]).expect("they end");
}

fn batch(number: u32) -> Batch {
    let second = i64::from(number);
    Batch {
        transitions: vec![transition("a", State::Down, second)],
        incidents: vec![incident(1).into()],
        notices: vec![(notice(number, second), vec![recipient("an", &["zalo"])])],
        ..Batch::default()
    }
}

/// Commits as the event loop does: what is in doubt is handed over as it was.
async fn commit(journal: &Journal, batch: impl Into<Arc<Batch>>) {
    let batch = batch.into();
    for _ in 0..200 {
        match journal.commit(batch.clone()).await {
            Ok(()) => return,
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
    panic!("it is written within 20 s");
}

#[tokio::test]
async fn a_session_that_ends_is_followed_by_another_and_nothing_is_lost() {
    if !on_server() {
        return;
    }
    let settings = for_once();
    let (journal, _) = Journal::open(&settings, at(0)).expect("a journal");
    commit(&journal, batch(1)).await;
    end_sessions(&settings);
    let batch = Arc::new(batch(2));
    let failed = journal.commit(batch.clone()).await.expect_err("the session is gone");
    assert!(journal.condition().borrow().impaired.is_some(), "it is told: {failed}");
    commit(&journal, batch).await;
    assert_eq!(journal.condition().borrow().impaired, None);
    let history = journal.history(at(0), at(9)).await.expect("history");
    assert_eq!(history.transitions, [transition("a", State::Down, 1), transition("a", State::Down, 2)]);
    assert_eq!(history.runs.len(), 1, "it is the same run");
}

#[tokio::test]
async fn what_became_of_a_message_is_owed_and_nobody_is_told_meanwhile() {
    if !on_server() {
        return;
    }
    let settings = for_once();
    let (journal, _) = Journal::open(&settings, at(0)).expect("a journal");
    commit(&journal, batch(1)).await;
    let (head, newest) = due(&journal, 2).await.swap_remove(0);
    end_sessions(&settings);
    // The message is out: that is noted, whatever the server does.
    let sent = Mark::Sent { id: newest.id, receipt: Some("m1".into()) };
    journal.mark(vec![sent], at(3)).await.expect("it is owed");
    let mut heads = journal.heads(at(3)).await;
    for _ in 0..100 {
        match heads {
            Ok(_) => break,
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
        heads = journal.heads(at(3)).await;
    }
    assert_eq!(heads.expect("it is read"), [], "{head:?} was told, and is not told again");
    let (_, happened) = journal.incident("1".into()).await.expect("it is read").expect("it is there");
    let sent = happened.iter().filter(|entry| entry.what == Happening::Sent).count();
    assert_eq!(sent, 0, "the incident of the tests is another's");
}

#[tokio::test]
async fn two_daemons_do_not_hold_one_journal_and_whoever_was_cut_off_is_refused() {
    if !on_server() {
        return;
    }
    let settings = for_once();
    let (first, _) = Journal::open(&settings, at(0)).expect("a journal");
    commit(&first, batch(1)).await;
    let other = settings.clone();
    let refused = tokio::task::spawn_blocking(move || Journal::open(&other, at(1))).await.expect("it ends");
    let refused = refused.expect_err("it is held").to_string();
    let process = format!("process {}", std::process::id());
    assert!(refused.contains("is used by another camhealth") && refused.contains(&process), "{refused}");
    // The first loses its session, and another is quicker to take the journal.
    end_sessions(&settings);
    let other = settings.clone();
    let opened = tokio::task::spawn_blocking(move || Journal::open(&other, at(2))).await.expect("it ends");
    let (second, restored) = opened.expect("a journal");
    assert_eq!(restored.cameras, [transition("a", State::Down, 1)]);
    commit(&second, batch(2)).await;
    for _ in 0..15 {
        assert!(first.commit(batch(3)).await.is_err());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // When the second lets go, the first may not go on with what it knows: a start anew knows more.
    closed(second).await;
    let mut condition = first.condition();
    for _ in 0..100 {
        let _ = first.commit(batch(3)).await;
        if condition.borrow_and_update().outdated {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(condition.borrow().outdated);
    closed(first).await;
    let (third, _) = Journal::open(&settings, at(9)).expect("a journal");
    let history = third.history(at(0), at(9)).await.expect("history");
    assert_eq!(history.transitions, [transition("a", State::Down, 1), transition("a", State::Down, 2)]);
}

#[tokio::test]
async fn only_a_holder_that_renews_its_turn_can_lose_it() {
    if !on_server() {
        return;
    }
    for renews in [false, true] {
        let alone = for_once();
        let holder = Settings { standby: renews, ..alone.clone() };
        let (journal, _) = Journal::open(&holder, at(0)).expect("a journal");
        commit(&journal, batch(1)).await;
        // As if nothing had been heard of it for an hour, by the server's clock.
        let old = "UPDATE holder SET seen = seen - interval '1 hour'";
        journal.with(move |store| store.connection().execute(old, values![])).await.expect("it is written");
        let server = alone.server.clone().expect("a server");
        let expected = if renews { Turn::Ours } else { Turn::Others(String::new()) };
        let found = tokio::task::spawn_blocking(move || turn(&server)).await.expect("it ends").expect("it answers");
        assert_eq!(std::mem::discriminant(&found), std::mem::discriminant(&expected), "{found:?}");
        let other = Settings { standby: true, ..alone };
        let opened = tokio::task::spawn_blocking(move || Journal::open(&other, at(9))).await.expect("it ends");
        assert_eq!(opened.is_ok(), renews, "{:?}", opened.err());
    }
}

#[test]
fn a_server_that_is_not_there_is_told_and_looked_for() {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr()).expect("a port");
    let url = format!("postgres://camhealth@{free}/camhealth");
    let server = Server::new(&url, None, None, "camhealth").expect("an address");
    let settings = Settings { path: None, server: Some(Arc::new(server)), ..Settings::default() };
    let (journal, restored) = Journal::open(&settings, at(0)).expect("the daemon starts");
    assert_eq!(restored, Restored::default());
    let why = journal.condition().borrow().impaired.clone().expect("it is told");
    assert!(why.contains("cannot be asked") && why.contains("see that PostgreSQL runs there"), "{why}");
    block(async {
        assert!(journal.commit(batch(1)).await.is_err());
        assert!(journal.heads(at(0)).await.is_err(), "nobody is told what is not durable");
        assert!(journal.history(at(0), at(1)).await.is_err(), "a page says why rather than show nothing");
    });
}

/// A way to the server that breaks after so many bytes in one direction, now and then.
struct Way {
    address: SocketAddr,
    left: Arc<AtomicUsize>,
}

impl Way {
    fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let (address, left) = (listener.local_addr().expect("a port"), Arc::new(AtomicUsize::new(usize::MAX)));
        let counted = left.clone();
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(target) else { continue };
                let (near_in, far_in) = (near.try_clone().expect("a socket"), far.try_clone().expect("a socket"));
                std::thread::spawn(move || pass(near_in, far, None));
                let counted = counted.clone();
                // What the server answers is what gets lost.
                std::thread::spawn(move || pass(far_in, near, Some(counted)));
            }
        });
        Self { address, left }
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, left: Option<Arc<AtomicUsize>>) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let may = left.as_ref().map_or(length, |left| {
            let take = |known: usize| Some(known.saturating_sub(length));
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).unwrap_or(0).min(length)
        });
        if to.write_all(&buffer[..may]).is_err() || may < length {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
    let _ = from.shutdown(std::net::Shutdown::Both);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    /// Wherever an answer is cut off, in the middle of a commit above all: each batch is there once, in order.
    #[test]
    fn a_batch_whose_answer_is_lost_is_written_once(cuts in prop::collection::vec(0..400usize, 1..5)) {
        if !on_server() {
            return Ok(());
        }
        let direct = for_once();
        let url = std::env::var("CAMHEALTH_TEST_POSTGRES").expect("an address");
        let (before, rest) = url.split_once('@').expect("a user");
        let (host, database) = rest.split_once('/').expect("a database");
        let way = Way::to(host.parse().expect("an address"));
        let schema = direct.server.as_ref().expect("a server").schema().to_owned();
        let server = Server::new(&format!("{before}@{}/{database}", way.address), None, None, &schema);
        let settings = Settings { server: Some(Arc::new(server.expect("an address"))), ..direct.clone() };
        let (journal, _) = Journal::open(&settings, at(0)).expect("a journal");
        block(async {
            for (number, cut) in (1..).zip(&cuts) {
                way.left.store(*cut, Ordering::Relaxed);
                let batch = Arc::new(batch(number));
                let began = Instant::now();
                while journal.commit(batch.clone()).await.is_err() {
                    // What is cut is whole again, after at least one try.
                    way.left.store(usize::MAX, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    assert!(began.elapsed() < Duration::from_secs(30), "it is written");
                }
                way.left.store(usize::MAX, Ordering::Relaxed);
            }
            let history = journal.history(at(0), at(99)).await.expect("history");
            let there: Vec<_> = history.transitions.iter().map(|row| row.decided).collect();
            let wanted: Vec<_> = (1..).zip(&cuts).map(|(number, _)| at(number)).collect();
            assert_eq!(there, wanted);
            assert_eq!(journal.waiting().await.expect("it is read"), cuts.len());
            closed(journal).await;
        });
    }
}
