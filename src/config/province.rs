//! `[province]`: the file of a machine that shares a province's communes with others.

use super::{context::Context, entry::Entry, ids::member, journal::server, problem::Problems, reading, tables};
use crate::{
    model::{Language, MemberId},
    province::Settings,
};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

/// Where the roll lies unless somebody says otherwise.
const SCHEMA: &str = "camhealth_province";
/// The port at which a member says which commune is where, unless somebody says otherwise.
const PORT: u16 = 9739;

/// Reads a province's file; `machine` is this machine's name.
pub fn province(path: &Path, machine: &str) -> Result<Settings, Problems> {
    province_with(path, machine, &|name| std::env::var(name).ok())
}

fn province_with(
    path: &Path,
    machine: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Settings, Problems> {
    let context = Context::new(environment);
    let Some(main) = reading::main(path, &context) else { return Err(context.problems([])) };
    let trees = [(&main, reading::parse(&main, &context))];
    let tables = tables::collect(&trees, &context);
    let settings = match tables.one("province") {
        Some(table) => settings(table, machine),
        None => {
            let remedy = "write [province] with name, url, address and communes; see docs/province.md";
            context.missing("there is no [province]: this is no file of a province", remedy);
            None
        }
    };
    tables.refuse_unread();
    // Where something is missing that was told of.
    let problems = context.problems([&main]);
    settings.filter(|_| problems.0.is_empty()).ok_or(problems)
}

fn settings(table: &Entry<'_>, machine: &str) -> Option<Settings> {
    let name = table.required("name", "Tỉnh Nghệ An");
    let own = || Some(MemberId::from(machine));
    let member = table.text("member").map_or_else(own, |name| member(table, "member", &name));
    let address = table.parsed::<IpAddr>("address", "IP address", "10.0.0.1").map(|address| address.value);
    let listen = table.parsed::<SocketAddr>("listen", "address with a port", "127.0.0.1:9739");
    let listen = listen.map(|listen| listen.value);
    if !table.has("address") {
        let remedy = "write address = \"10.0.0.1\": where the other machines and Prometheus reach this one";
        table.problem("address", table.span(), "is missing".into(), remedy);
    }
    if !table.has("url") {
        let remedy = "write url = \"postgres://camhealth@HOST/DATABASE\"";
        table.problem("url", table.span(), "is missing".into(), remedy);
    }
    let server = server(table, SCHEMA);
    let communes = communes(table);
    let address = address?;
    Some(Settings {
        name: name?.value,
        language: table.word("language", &Language::NAMES).unwrap_or_default(),
        member: member?,
        address,
        listen: listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, PORT))),
        server: server?,
        communes,
    })
}

/// The main files of all communes, by patterns from the folder of the province's file.
fn communes(table: &Entry<'_>) -> Vec<PathBuf> {
    let remedy = "write communes = [\"communes/*/camhealth.toml\"]: the main file of each commune's configuration";
    if table.texts("communes").is_empty() {
        table.problem("communes", table.place("communes"), "names no file".into(), remedy);
    }
    reading::matched(table, "communes", [remedy, remedy])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn read(text: &str) -> Result<Settings, String> {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("communes/a")).expect("a disk");
        fs::write(folder.path().join("communes/a/camhealth.toml"), "").expect("a disk");
        let path = folder.path().join("province.toml");
        fs::write(&path, text).expect("a disk");
        province_with(&path, "may-1", &|_| Some("geheim".to_owned())).map_err(|problems| problems.render(false))
    }

    const GOOD: &str = "[province]\nname = \"Tỉnh Thử\"\nurl = \"postgres://camhealth@db.tinh.vn/camhealth\"\n\
                        password = \"${DB}\"\naddress = \"10.0.0.1\"\ncommunes = [\"communes/*/camhealth.toml\"]\n";

    #[test]
    fn a_file_says_who_shares_what_with_whom() {
        let settings = read(GOOD).expect("it is good");
        assert_eq!((settings.name.as_str(), settings.member.as_str()), ("Tỉnh Thử", "may-1"));
        assert_eq!((settings.communes.len(), settings.listen.to_string().as_str()), (1, "127.0.0.1:9739"));
        assert_eq!(settings.server.told(), "postgres://db.tinh.vn:5432/camhealth (schema camhealth_province)");
        assert!(!format!("{settings:?}").contains("geheim"));
        let named = read(&format!("{GOOD}member = \"may-hai\"\nlisten = \"10.0.0.1:9000\"\nschema = \"tinh\"\n"));
        let named = named.expect("it is good");
        assert_eq!((named.member.as_str(), named.listen.port()), ("may-hai", 9000));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_remedy() {
        for (from, to, wanted) in [
            ("[province]", "[provinz]", "there is no [province]"),
            ("name = \"Tỉnh Thử\"\n", "", "add name = \"Tỉnh Nghệ An\""),
            ("address = \"10.0.0.1\"\n", "", "where the other machines and Prometheus reach this one"),
            ("10.0.0.1", "đây", "is no IP address"),
            ("communes/*/camhealth.toml", "xa/*.toml", "matches no file"),
            ("communes = [\"communes/*/camhealth.toml\"]\n", "", "names no file"),
            ("url = \"postgres://camhealth@db.tinh.vn/camhealth\"\n", "", "write url = \"postgres://camhealth@HOST"),
            ("postgres://camhealth@", "postgres://camhealth:geheim@", "take it out of url"),
            ("address", "adress = 1\naddress", "there is no such key"),
            ("name =", "member = \"máy một\"\nname =", "cannot be a machine's name"),
            ("name =", "schema = \"Tỉnh\"\nname =", "is no name of a schema"),
        ] {
            let told = read(&GOOD.replacen(from, to, 1)).expect_err(wanted);
            assert!(told.contains(wanted) && told.contains("province.toml"), "{wanted}: {told}");
            assert!(!told.contains("geheim"), "{told}");
        }
    }
}
