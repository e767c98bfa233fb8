//! `camhealth manual`: the pages of the manual and the shells' completions, from the same declarations as `--help`.

use super::{FAILED, fail};
use clap::{CommandFactory, builder::StyledStr};
use clap_complete::Shell;
use clap_mangen::{
    Man,
    roff::{Roff, bold, roman},
};
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

#[derive(Debug, clap::Args)]
#[group(required = true)]
pub(super) struct Arguments {
    /// Write a page for each command into this folder.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Print what this shell needs to complete commands and options.
    #[arg(long, value_name = "SHELL", conflicts_with = "out")]
    completions: Option<Shell>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let written = match (&arguments.out, arguments.completions) {
        (Some(folder), _) => write(folder),
        (None, Some(shell)) => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut visible(command()), "camhealth", &mut text);
            io::stdout().write_all(&text)
        }
        (None, None) => Ok(()),
    };
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(FAILED, &format!("the manual cannot be written: {error}")),
    }
}

fn command() -> clap::Command {
    super::Arguments::command().disable_help_subcommand(true)
}

/// The same without the commands that nobody types; a completion would offer them.
fn visible(command: clap::Command) -> clap::Command {
    let shown: Vec<clap::Command> = command.get_subcommands().filter(|one| !one.is_hide_set()).cloned().collect();
    let bare = clap::Command::new("camhealth").version(env!("CARGO_PKG_VERSION")).disable_help_subcommand(true);
    let about = command.get_about().cloned().unwrap_or_else(StyledStr::new);
    bare.about(about).subcommands(shown)
}

/// One file for the program and one for each command, as `camhealth-users-add.1`.
fn write(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    // Full names and inherited options are known only once it is built.
    let mut command = visible(command());
    command.build();
    page(&command, "camhealth", folder)?;
    below(&command, "camhealth", folder)
}

fn below(command: &clap::Command, name: &str, folder: &Path) -> io::Result<()> {
    for command in command.get_subcommands() {
        let name = format!("{name}-{}", command.get_name());
        page(command, &name, folder)?;
        below(command, &name, folder)?;
    }
    Ok(())
}

fn page(command: &clap::Command, name: &str, folder: &Path) -> io::Result<()> {
    let is_whole = name == "camhealth";
    let man = Man::new(command.clone()).title(name.to_uppercase()).section("1").manual("camhealth");
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
    }
    if is_whole {
        more(&mut text)?;
    }
    fs::write(folder.join(format!("{name}.1")), text)
}

/// What `--help` has no room for: what the exit codes mean, where things lie, and a summary in Vietnamese.
fn more(text: &mut Vec<u8>) -> io::Result<()> {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in [
        ("0", "done, or up"),
        ("1", "degraded; some of it was left out"),
        ("2", "wrong usage or configuration"),
        ("3", "down, or failed"),
        ("4", "somebody answers, and whether video would come could not be seen"),
        (
            "70",
            "a part of the daemon ended that must not: a fault of the program, after which it is to be started anew",
        ),
    ] {
        roff.control("TP", []).text([bold(code)]).text([roman(meaning)]);
    }
    roff.control("SH", ["FILES"]);
    for (file, meaning) in [
        ("/etc/camhealth/camhealth.toml", "the main configuration file of a package; it includes the others"),
        ("config/camhealth.toml", "taken before it where the folder at hand has it"),
        ("/var/lib/camhealth/journal.sqlite3", "the journal of a package"),
    ] {
        roff.control("TP", []).text([bold(file)]).text([roman(meaning)]);
    }
    roff.control("SH", ["TIẾNG VIỆT"]);
    roff.text([roman(
        "camhealth theo dõi tình trạng camera của xã qua RTSP và ONVIF: camera nào còn hoạt động, nút giao nào còn quan \
         sát được, và báo cho cán bộ trực khi một nút giao bị mù. Chương trình chỉ kiểm tra tình trạng thiết bị, không \
         giải mã, không lưu, không hiển thị hình ảnh.",
    )]);
    for (command, meaning) in [
        ("camhealth check", "kiểm tra tệp cấu hình, không dùng mạng"),
        ("camhealth doctor", "kiểm tra máy này và nói cần làm gì"),
        ("camhealth probe ĐỊA_CHỈ", "xem thử một camera, từng bước"),
        ("camhealth run", "chạy dịch vụ theo dõi"),
        ("camhealth users add TÊN --role administrator", "tạo tài khoản và in liên kết để đặt mật khẩu"),
        ("camhealth backup", "sao lưu nhật ký trong khi dịch vụ đang chạy"),
    ] {
        roff.control("TP", []).text([bold(command)]).text([roman(meaning)]);
    }
    roff.to_writer(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_that_people_type_has_a_page() {
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path()).expect("it can be written");
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(read("camhealth.1").contains("không lưu") && read("camhealth.1").contains("EXIT STATUS"));
        assert!(read("camhealth-users-add.1").contains("\\-\\-role"));
        for command in command().get_subcommands() {
            let is_there = folder.path().join(format!("camhealth-{}.1", command.get_name())).exists();
            assert_eq!(is_there, !command.is_hide_set(), "{}", command.get_name());
        }
    }

    #[test]
    fn completions_offer_no_internal_command() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut visible(command()), "camhealth", &mut text);
            let text = String::from_utf8(text).expect("text");
            assert!(text.contains("silence") && !text.contains(super::super::WORKER_ARGUMENT), "{shell}");
        }
    }
}
