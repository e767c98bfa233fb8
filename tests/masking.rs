//! Secrets that people put in the wrong place of a configuration are shown by no message about it.

use crate::support::fixture;
use camhealth::config;
use proptest::prelude::*;
use std::{fs, path::Path};

/// Ways to put a secret where it does not belong, each a few lines; `SECRET` stands for it.
const PLACES: &[&str] = &[
    "pw = \"SECRET\"",
    "matkhau = 'SECRET'",
    "mật_khẩu = \"SECRET\"",
    "\"mật khẩu\" = \"SECRET\"",
    "api_key = \"SECRET\"",
    "token = \"SECRET\"",
    "password = SECRET",
    "password = \"SECRET",
    "password = 'SECRET",
    "password \"SECRET\"",
    "password: SECRET",
    "password == \"SECRET\"",
    "password = \"SECRET\" # SECRET",
    "password = \"${SECRET}\"",
    "password = \"${NAME}SECRET\"",
    "password = \"x\" SECRET",
    "password_file = \"SECRET\"",
    "password = \"\"\"\nSECRET\n\"\"\"",
    "password = \"\"\"\nSECRET",
    "password = '''\nx = 1\nSECRET\nname = 2'''",
    "name = \"\"\"\npassword = \"SECRET\"\n\"\"\"",
    "name = \"\"\"x\npassword = \"SECRET\"",
    "name = \"x\npassword = \"SECRET\"",
    "name = 'x, password = \"SECRET\"'",
    "name = \"x, password = \"SECRET\"\"",
    "reason = \"mật khẩu: SECRET\"",
    "keys = [\"a\", \"SECRET\"]",
    "keys = [\n  \"a\",\n  \"SECRET\",\n]",
    "channels = \"SECRET\"",
    "include = \"SECRET\"",
    "x = { password = \"SECRET\" }",
    "login = { user = \"a\", password = \"SECRET\" }",
    "login.cam = { username = \"SECRET\", password = \"SECRET\" }",
    "login = [{ password = \"SECRET\" }]",
    "login = \"SECRET\"",
    "camera = \"SECRET\"",
    "rtsp = \"rtsp://admin:SECRET@10.20.1.7/sub\"",
    "rtsp = \"rstp://admin:SECRET@10.20.1.7/sub\"",
    "rtsp = \"rtsp:/admin:SECRET@10.20.1.7/sub\"",
    "rtsp = \"rtsp://SECRET@10.20.1.7/sub\"",
    "rtsp = \"SECRET://10.20.1.7/sub\"",
    "rtsp = \"admin:SECRET@10.20.1.7\"",
    "rtsp = \"rtsp://10.20.1.7/user=admin&password=SECRET&channel=1\"",
    "rtsp = \"rtsp://10.20.1.7/SECRET\"",
    "rtsp = \"rtsp://SECRET/sub\"",
    "onvif = \"http://admin:SECRET@10.20.1.7/\"",
    "url = \"https://example.vn/hook/SECRET\"",
    "urls = [\"https://a:SECRET@example.vn\"]",
    "anchors = [\"icmp://admin:SECRET@10.20.0.1\"]",
    "probe = \"tcp://admin:SECRET@10.20.0.1:80\"",
    "page = \"http://admin:SECRET@10.20.0.1/\"",
    "topic = \"SECRET\"",
    "# mật khẩu: SECRET",
    "name = \"x\" # password SECRET",
    "SECRET",
    "SECRET = 1",
    "\"SECRET\" = 1",
    "SECRET@10.20.1.7",
    "= \"SECRET\"",
    "'SECRET'",
    "[SECRET]",
    "[[SECRET]]",
    "[\"SECRET\"]",
    "[\"SECRET\"]\npw = \"SECRET\"",
    "[[keys]]\nid = \"SECRET\"",
    "[web.SECRET]",
    "[login.\"SECRET\"]",
    "[login]\nSECRET = \"x\"",
    "[login]\ngiamsat = \"SECRET\"",
    "[login.giamsat]\npassword = \"SECRET\"",
    "[login.giamsat]\nusername = \"SECRET\"\npassword_file = \"SECRET\"",
    "[login.giamsat] # SECRET",
    "[login.giamsat] SECRET",
    "[login.giamsat\npassword = \"SECRET\"",
    "[web]\npassword = \"SECRET\"",
    "[web]\npasswort = \"SECRET\"",
    "[[channel]]\nid = \"a\"\ntype = \"ntfy\"\nurl = \"http://SECRET\"\ntopic = \"SECRET\"\ntoken = \"SECRET\"",
    "[[channel]]\nid = \"b\"\ntype = \"email\"\npassword = \"SECRET\"\nfrom = \"SECRET\"\nto = \"SECRET\"",
    "[[channel]]\nid = \"c\"\ntype = \"sms_http\"\nurl = \"ftp://x\"\nphone = \"SECRET\"\nbody = \"SECRET\"",
    "[[channel]]\nid = \"d\"\ntype = \"zalo\"\ntoken = \"SECRET\"\nchat = \"SECRET\"",
    "x = 2026-11-02SECRET",
    "x = 12SECRET",
    "x = \"\\xSECRET\"",
    "x = \"\\u{SECRET}\"",
];

/// All that can be seen of what is wrong with a configuration.
fn seen(path: &Path) -> Option<String> {
    let problems = config::load_with(path, &|_| None).err()?;
    Some(format!("{problems}\n{problems:?}\n{}\n{}", problems.render(true), problems.render(false)))
}

/// Writes the example with some lines put in after a line of one of its files. What comes after them is wrong, so that
/// a message shows them.
fn write(folder: &Path, file: usize, after: usize, lines: &str) {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let mut names: Vec<_> =
        fs::read_dir(example).expect("it is there").map(|entry| entry.expect("a file").path()).collect();
    names.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    names.sort();
    for (number, path) in names.iter().enumerate() {
        let mut text = fs::read_to_string(path).expect("it can be read");
        if path.to_string_lossy().contains("household") {
            // Two hundred of a kind take long.
            text = text.split_inclusive("\n\n").take(12).collect();
        }
        if number == file % names.len() {
            let breaks: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
            let at = breaks[after % breaks.len()];
            text.insert_str(at, &format!("{lines}\nmistake = 1\n"));
        }
        fs::write(folder.join(path.file_name().expect("a name")), text).expect("it can be written");
    }
}

/// Parts of a secret that would tell something of it: five characters with three letters among them.
fn parts(secret: &str) -> Vec<String> {
    let letters: Vec<char> = secret.chars().collect();
    let tells = |part: &&[char]| part.iter().filter(|c| c.is_alphanumeric()).count() >= 3;
    letters.windows(5).filter(tells).map(|part| part.iter().collect()).collect()
}

fn check(folder: &Path, secret: &str, place: &str) {
    let Some(seen) = seen(&folder.join("camhealth.toml")) else { panic!("{place:?} is accepted") };
    for part in parts(secret) {
        assert!(!seen.contains(&part), "{place:?} shows {part:?} of {secret:?}:\n{seen}");
    }
}

#[test]
fn no_place_shows_a_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    // In each file: at its beginning, outside of any table, and in the middle of its entries.
    for (number, place) in PLACES.iter().enumerate() {
        for (file, after) in [(2, 0), (2, 20), (number, 7 * number + 40)] {
            let secret = "QXzjkv7Wq";
            write(folder.path(), file, after, &place.replace("SECRET", secret));
            check(folder.path(), secret, place);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever it is made of, and wherever it stands.
    #[test]
    fn no_secret_is_shown_in_any_place(
        secret in "[QXZJKVW][qxzjkv][QXZJKVWqxzjkv7Đậ][QXZJKVWqxzjkv7Đậ@#/?=:_%!{}$&*(.,+~^|-]{3,13}",
        place in 0..PLACES.len(),
        file in 0..8usize,
        after in 0..2000usize,
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path(), file, after, &PLACES[place].replace("SECRET", &secret));
        check(folder.path(), &secret, PLACES[place]);
    }
}

/// What helps to find a mistake stays: places, keys, ids, names and values of keys that hold no secrets.
#[test]
fn what_is_no_secret_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("camhealth.toml");
    let text = fixture("harmless.toml", &[]);
    fs::write(&path, text).expect("it can be written");
    let seen = seen(&path).expect("it is wrong");
    for part in [
        "language = \"fr\"",
        "\"fr\" is not known here",
        "name = \"Chợ\" #*****",
        "camera \"cho-01\": kind: \"publik\" is not known here",
        "rtsp = \"rtsp://10.20.1.1:554****\"",
        "there is no login \"publik\"",
        "[login.public]: password: the environment has no variable CAM_1",
        "username = \"*******\"",
        "password = \"${CAM_1}\"",
        "camhealth.toml:8:8",
    ] {
        assert!(seen.contains(part), "{part:?} is missing in\n{seen}");
    }
}
