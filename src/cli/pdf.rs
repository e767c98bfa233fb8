//! Printing a page as PDF: by the Chromium of this machine, which brings the fonts for Vietnamese.

use std::{
    path::Path,
    process::{Command, Stdio},
};

/// Lets the machine's Chromium print a page of ours into a file that does not exist yet.
pub(super) fn print(out: &Path, html: &str) -> Result<(), String> {
    if out.exists() {
        return Err(format!("{}: it exists already; name a file that does not exist yet", out.display()));
    }
    const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let found = |name: &&str| {
        let paths = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&paths).any(|folder| folder.join(name).is_file())
    };
    let browser = NAMES.iter().find(|name| found(name)).ok_or(
        "a PDF needs Chromium or Chrome on this machine (apt install chromium); or take --format html and print it",
    )?;
    let folder = std::env::temp_dir().join(format!("camhealth-print-{}", std::process::id()));
    let told = |error: std::io::Error| format!("{}: {error}", folder.display());
    std::fs::create_dir(&folder).map_err(told)?;
    let page = folder.join("page.html");
    let printed = std::fs::write(&page, html).map_err(told).and_then(|()| {
        let mut print = Command::new(browser);
        print.args(["--headless", "--disable-gpu", "--no-first-run", "--no-pdf-header-footer"]);
        // Chromium's sandbox refuses to work for root. The page is ours and has no script.
        if rustix::process::getuid().is_root() {
            print.arg("--no-sandbox");
        }
        print.arg(format!("--user-data-dir={}", folder.join("profile").display()));
        print.arg(format!("--print-to-pdf={}", out.display())).arg(format!("file://{}", page.display()));
        let done = print.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        match done {
            Ok(status) if status.success() && out.exists() => Ok(()),
            Ok(status) => Err(format!("{browser} printed nothing ({status}); take --format html and print it")),
            Err(error) => Err(format!("{browser}: {error}")),
        }
    });
    if let Err(error) = std::fs::remove_dir_all(&folder) {
        eprintln!("{}: {error}; it may be deleted", folder.display());
    }
    printed?;
    eprintln!("written to {}", out.display());
    Ok(())
}
