//! Each illness of a machine is found, named in both languages, and comes with a remedy; a well machine has none.

use super::{
    facts::{Camera, Channel, Clock, Disk, Facts, File, Gateway, Icmp, Journal, Port, Workers},
    judge::{Check, Finding, Weight, judge},
    *,
};
use crate::model::{FailureKind, Verdict};

/// A machine on which all is well.
fn well() -> Facts {
    Facts {
        problems: None,
        clock: Clock { follows: Some(true), behind_journal: None },
        names: vec![("ntfy.example.vn".into(), None)],
        gateway: Gateway { address: Some([10, 20, 0, 1].into()), answers: Some(true), is_needed: true },
        icmp: Icmp { is_needed: true, is_refused: false },
        beacons: vec![("icmp://10.20.0.1".into(), Some(true))],
        listen: Some(("127.0.0.1:9740".into(), Port::Free)),
        files: vec![File { path: "/etc/camhealth/camhealth.toml".into(), mode: 0o100_640 }],
        disk: Some(Disk { folder: "/var/lib/camhealth".into(), free: 50_000_000_000, wanted: 2_000_000_000 }),
        journal: Journal::There { path: "/var/lib/camhealth/journal.sqlite3".into(), is_held: false, is_open: false },
        channels: vec![Channel { id: "hook".into(), place: "ntfy.example.vn:443".into(), trouble: None }],
        workers: Workers { missing: Vec::new(), were_asked: true },
        cameras: vec![camera(Verdict::Up, None, Some(0.2))],
    }
}

fn camera(verdict: Verdict, cause: Option<FailureKind>, clock: Option<f64>) -> Camera {
    Camera { id: "cho-1".into(), link: Some("tu-mang".into()), verdict, cause, clock }
}

/// What is found to be amiss once a fact is another.
fn amiss(change: impl Fn(&mut Facts)) -> Vec<(Check, Weight)> {
    let mut facts = well();
    change(&mut facts);
    let [english, vietnamese] = ["en", "vi"].map(|lang| judge(&facts, lang.parse().expect("a language")));
    let of = |findings: &[Finding]| {
        let bad = findings.iter().filter(|finding| finding.weight != Weight::Good);
        bad.map(|finding| (finding.check, finding.weight)).collect::<Vec<_>>()
    };
    assert_eq!(of(&english), of(&vietnamese));
    for finding in english.iter().chain(&vietnamese) {
        assert_eq!(finding.remedy.is_some(), finding.weight != Weight::Good, "{finding:?}");
        assert!(!finding.told.is_empty());
    }
    of(&english)
}

#[test]
fn a_well_machine_has_nothing_amiss_and_all_of_it_is_shown() {
    assert_eq!(amiss(|_| ()), []);
    let findings = judge(&well(), Language::OF_PROGRAMS);
    let shown: Vec<Check> = findings.iter().map(|finding| finding.check).collect();
    let all = [
        Check::Configuration,
        Check::Clock,
        Check::Files,
        Check::Disk,
        Check::Journal,
        Check::Port,
        Check::Workers,
        Check::Gateway,
        Check::Names,
        Check::Beacons,
        Check::Channels,
        Check::Cameras,
    ];
    assert_eq!(shown, all);
}

#[test]
fn each_illness_is_found_alone() {
    let broken = |check| vec![(check, Weight::Broken)];
    let fair = |check| vec![(check, Weight::Fair)];
    assert_eq!(amiss(|it| it.problems = Some("3 problems".into())), broken(Check::Configuration));
    assert_eq!(amiss(|it| it.clock.follows = Some(false)), fair(Check::Clock));
    assert_eq!(amiss(|it| it.clock.follows = None), fair(Check::Clock));
    assert_eq!(amiss(|it| it.clock.behind_journal = Some(86_400)), broken(Check::Clock));
    assert_eq!(amiss(|it| it.files[0].mode = 0o100_666), broken(Check::Files));
    assert_eq!(amiss(|it| it.files[0].mode = 0o100_644), fair(Check::Files));
    let free = |free: u64| amiss(move |it| it.disk.as_mut().expect("a disk").free = free);
    assert_eq!(free(1_000_000), broken(Check::Disk));
    assert_eq!(free(1_000_000_000), fair(Check::Disk));
    let path = || PathBuf::from("/j");
    let journal = |journal: Journal| amiss(move |it| it.journal = journal.clone());
    assert_eq!(journal(Journal::There { path: path(), is_held: true, is_open: false }), []);
    assert_eq!(journal(Journal::There { path: path(), is_held: true, is_open: true }), fair(Check::Journal));
    assert_eq!(journal(Journal::New(path())), []);
    for forbidden in [true, false] {
        assert_eq!(journal(Journal::Unread { path: path(), why: "no".into(), forbidden }), broken(Check::Journal));
    }
    assert_eq!(amiss(|it| it.listen = Some(("[::1]:80".into(), Port::Ours))), []);
    let taken = |it: &mut Facts| it.listen = Some(("[::1]:80".into(), Port::Taken("in use".into())));
    assert_eq!(amiss(taken), broken(Check::Port));
    assert_eq!(amiss(|it| it.workers.missing = vec!["scopes"]), fair(Check::Workers));
    assert_eq!(amiss(|it| it.gateway.answers = Some(false)), fair(Check::Gateway));
    assert_eq!(amiss(|it| it.gateway.address = None), fair(Check::Gateway));
    let alone = |it: &mut Facts| it.gateway = Gateway::default();
    assert_eq!(amiss(alone), [], "a machine that speaks to nobody needs no way out");
    assert_eq!(amiss(|it| it.names[0].1 = Some("not known".into())), broken(Check::Names));
    assert_eq!(amiss(|it| it.icmp.is_refused = true), broken(Check::Beacons));
    assert_eq!(amiss(|it| it.icmp = Icmp { is_needed: false, is_refused: true }), []);
    assert_eq!(amiss(|it| it.beacons[0].1 = Some(false)), broken(Check::Beacons));
    assert_eq!(amiss(|it| it.beacons[0].1 = None), fair(Check::Beacons));
    assert_eq!(amiss(|it| it.channels[0].trouble = Some("refused".into())), broken(Check::Channels));
    let cause = |verdict, cause: FailureKind| amiss(move |it| it.cameras = vec![camera(verdict, Some(cause), None)]);
    assert_eq!(cause(Verdict::Down, FailureKind::Refused), broken(Check::Cameras));
    assert_eq!(cause(Verdict::Unproven, FailureKind::Auth), fair(Check::Cameras));
}

#[test]
fn one_camera_with_a_wrong_clock_is_its_own_fault_and_all_of_them_are_ours() {
    let clocks =
        |clocks: [f64; 2]| amiss(move |it| it.cameras = clocks.map(|off| camera(Verdict::Up, None, Some(off))).into());
    assert_eq!(clocks([0.1, 7200.0]), []);
    assert_eq!(clocks([7201.0, 7200.0]), [(Check::Clock, Weight::Fair)]);
}

#[test]
fn the_table_stands_in_columns_and_ends_with_a_sum() {
    let mut facts = well();
    facts.channels[0].trouble = Some("connection refused".into());
    facts.files[0].mode = 0o100_644;
    let lang = |lang: &str| {
        let language = lang.parse().expect("a language");
        table(&judge(&facts, language), language, Paint::off())
    };
    let (english, vietnamese) = (lang("en"), lang("vi"));
    assert!(english.contains("✗ channels       hook: ntfy.example.vn:443: connection refused\n"), "{english}");
    assert!(english.contains("\n                 → chmod o-r /etc/camhealth/camhealth.toml\n"), "{english}");
    assert!(english.ends_with("\n1 broken, 1 to be looked at\n"), "{english}");
    assert!(
        vietnamese.contains("✗ kênh báo        hook") && vietnamese.ends_with("\n1 hỏng, 1 nên xem lại\n"),
        "{vietnamese}"
    );
}
