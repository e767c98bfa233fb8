//! What must not be among the dependencies: whatever could turn a stream into a picture.

use std::fs;

/// Parts of names of crates that decode video or handle images.
const BANNED: &[&str] = &[
    "ffmpeg",
    "openh264",
    "gstreamer",
    "libav",
    "dav1d",
    "rav1e",
    "libvpx",
    "vpx-",
    "x264",
    "x265",
    "libde265",
    "nvdec",
    "vaapi",
    "image",
    "jpeg-",
    "zune-",
    "mozjpeg",
    "turbojpeg",
    "opencv",
    "libwebp",
    "libheif",
    "h264-decoder",
    "less-avc",
];
/// Whole names that are parts of harmless ones.
const BANNED_WHOLE: &[&str] = &["png", "webp", "jpeg", "mp4"];

fn names(lock: &str) -> Vec<&str> {
    lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).collect()
}

fn banned<'n>(names: &[&'n str]) -> Vec<&'n str> {
    let is_banned = |name: &str| BANNED.iter().any(|part| name.contains(part)) || BANNED_WHOLE.contains(&name);
    names.iter().copied().filter(|name| is_banned(name)).collect()
}

#[test]
fn no_decoder_and_no_image_crate() {
    let lock = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock")).expect("it is committed");
    let names = names(&lock);
    assert!(names.contains(&"retina"), "Cargo.lock was not understood");
    let banned = banned(&names);
    assert!(banned.is_empty(), "{banned:?}: camhealth looks at device status only and never decodes a picture");
}

#[test]
fn the_ban_finds_what_it_looks_for() {
    assert_eq!(banned(&["serde", "openh264-sys2", "jpeg-decoder"]), ["openh264-sys2", "jpeg-decoder"]);
}
