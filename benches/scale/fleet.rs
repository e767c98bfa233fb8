//! The configuration of a fleet of any size: a sixth of the cameras is public, each third of those has a site with one
//! view, each hundred cameras a link.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

/// A folder for a fleet's files.
pub fn folder(size: usize) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("camhealth-scale-{}-{size}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Addresses at which nobody is asked.
pub fn urls(size: usize) -> Vec<String> {
    let addresses = camhealth::sim::fleet_addresses(size).into_iter();
    addresses.map(|(rtsp, _)| format!("rtsp://{rtsp}/sub")).collect()
}

/// Writes the configuration of cameras at these addresses; where it lies.
pub fn written(folder: &Path, urls: &[String], address: &str) -> PathBuf {
    let path = folder.join("camhealth.toml");
    std::fs::write(&path, configuration(urls, address)).expect("it can be written");
    path
}

fn configuration(urls: &[String], address: &str) -> String {
    let public = urls.len() / 6;
    let mut text = format!(
        "[commune]\nname = \"Tỉnh Đo\"\n[web]\nlisten = \"{address}\"\nsign_in = false\n[journal]\npath = \"journal.sqlite3\"\n\
         [monitor]\nanchors = [\"tcp://127.0.0.1:9\"]\n"
    );
    for number in 0..urls.len().div_ceil(100) {
        let _ = writeln!(text, "[[link]]\nid = \"l{number}\"\nname = \"Cáp quang {number}\"\nkind = \"uplink\"");
    }
    for (number, url) in urls.iter().enumerate() {
        // Public cameras are spread over all links.
        let kind = if number % 6 == 0 { "public\"" } else { "household\"\nconsent = \"2026-01-01\"" };
        let link = number / 100;
        let _ = writeln!(
            text,
            "[[camera]]\nid = \"c{number}\"\nname = \"Camera {number}\"\nrtsp = \"{url}\"\nlink = \"l{link}\"\nkind = \"{kind}"
        );
    }
    for site in 0..public.div_ceil(3) {
        let cameras: Vec<String> =
            (3 * site..(3 * site + 3).min(public)).map(|one| format!("\"c{}\"", 6 * one)).collect();
        let _ = writeln!(
            text,
            "[[site]]\nid = \"s{site}\"\nname = \"Điểm {site}\"\nhamlet = \"Thôn {}\"\n[[site.view]]\nname = \"đường vào\"\ncameras = [{}]",
            site / 8,
            cameras.join(", ")
        );
    }
    text
}
