//! The configurations of a province's communes, as far as a member must know them.

use super::settings::Settings;
use crate::{
    config::{self, Config},
    journal::Listed,
    model::CommuneId,
};
use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

/// A commune that this machine may watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commune {
    /// What the roll says of it.
    pub listed: Listed,
    /// The main file of its configuration.
    pub path: PathBuf,
    /// Where its pages are served on this machine.
    pub listen: SocketAddr,
    /// Whether they are encrypted.
    pub is_encrypted: bool,
    /// Where its journal lies, for people.
    journal: String,
}

/// Where a commune's pages are served on a machine: at the port that its configuration says, and at the machine's own address where
/// that says no more than one address.
pub fn here(listen: SocketAddr, address: IpAddr) -> SocketAddr {
    if listen.ip().is_unspecified() { listen } else { SocketAddr::new(address, listen.port()) }
}

/// Reads the configuration of each commune; what is wrong with some of them harms none of the others.
pub fn read(settings: &Settings) -> (Vec<Commune>, Vec<String>) {
    let (mut communes, mut problems) = (Vec::new(), Vec::new());
    for path in &settings.communes {
        let read = config::load(path).map_err(|found| found.render(false));
        match read.and_then(|config| commune(&config, path, settings.address)) {
            Ok(commune) => communes.push(commune),
            Err(problem) => problems.push(problem),
        }
    }
    problems.extend(refuse_twins(&mut communes));
    (communes, problems)
}

fn commune(config: &Config, path: &Path, address: IpAddr) -> Result<Commune, String> {
    let told = |key: &str, what: &str, remedy: &str| Err(format!("{}: {key} {what}; {remedy}\n", path.display()));
    let Some(server) = config.journal.server.as_ref().filter(|_| config.journal.standby) else {
        let remedy =
            "write url = \"postgres://…\", schema and standby = true there: machines take it over from each other";
        return told("[journal]", "is for one machine alone", remedy);
    };
    let listen = config.web.listen;
    if listen.ip().is_loopback() && !address.is_loopback() {
        let remedy =
            format!("write listen = \"0.0.0.0:{}\" with a certificate, so that other machines reach it", listen.port());
        return told("[web] listen", &format!("{listen} is for its own machine alone"), &remedy);
    }
    let cameras = u32::try_from(config.fleet.cameras.len()).unwrap_or(u32::MAX);
    let listed = Listed {
        id: CommuneId::from(server.schema()),
        name: config.fleet.commune.name.clone(),
        cameras,
        port: listen.port(),
        home: config.deliver.channels.values().find_map(|channel| channel.machine.clone()),
    };
    let is_encrypted = config.web.tls.is_some();
    Ok(Commune { listed, path: path.to_owned(), listen: here(listen, address), is_encrypted, journal: server.told() })
}

/// Leaves out what would be mixed up with another: a journal, or a port, of two communes.
fn refuse_twins(communes: &mut Vec<Commune>) -> Vec<String> {
    let (mut ids, mut ports, mut problems) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    communes.retain(|commune| {
        let name = commune.path.display();
        let id = commune.listed.id.clone();
        if let Some(other) = ids.get(&id) {
            let journal = &commune.journal;
            problems.push(format!("{name}: [journal] schema is that of {other} ({journal}); give it one of its own\n"));
            return false;
        }
        let port = commune.listed.port;
        if let Some(other) = ports.get(&port) {
            problems.push(format!("{name}: [web] listen has the port {port} of {other}; give it one of its own\n"));
            return false;
        }
        ids.insert(id, name.to_string());
        ports.insert(port, name.to_string());
        true
    });
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Language, MemberId};
    use std::{fs, sync::Arc};

    fn config(schema: &str, port: u16) -> String {
        format!(
            "[commune]\nname = \"Xã {schema}\"\nbeing_set_up = true\n[web]\nlisten = \"127.0.0.1:{port}\"\n\
             [journal]\nurl = \"postgres://camhealth@127.0.0.1/camhealth\"\nschema = \"{schema}\"\nstandby = true\n"
        )
    }

    fn read_all(files: &[(&str, String)], address: &str) -> (Vec<Commune>, Vec<String>) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        files.iter().for_each(|(name, text)| fs::write(path(name), text).expect("a disk"));
        let server = crate::journal::Server::new("postgres:///x", None, None, "tinh").expect("an address");
        read(&Settings {
            name: "Tỉnh Thử".into(),
            language: Language::default(),
            member: MemberId::from("may-1"),
            address: address.parse().expect("an address"),
            listen: "127.0.0.1:0".parse().expect("an address"),
            server: Arc::new(server),
            communes: files.iter().map(|(name, _)| path(name)).collect(),
        })
    }

    #[test]
    fn what_is_wrong_with_one_commune_harms_no_other() {
        let files = [
            ("a.toml", config("xa_a", 9801)),
            ("b.toml", config("xa_b", 9801)),
            ("c.toml", config("xa_a", 9803)),
            ("d.toml", config("xa_d", 9804).replace("standby = true", "")),
            ("e.toml", "[commune]\nnam = 1\n".into()),
            ("f.toml", config("xa_f", 9806)),
        ];
        let (communes, problems) = read_all(&files, "127.0.1.1");
        let told: Vec<_> =
            communes.iter().map(|commune| (commune.listed.id.as_str(), commune.listen.to_string())).collect();
        assert_eq!(told, [("xa_a", "127.0.1.1:9801".to_owned()), ("xa_f", "127.0.1.1:9806".to_owned())]);
        let all = problems.concat();
        for wanted in [
            "b.toml: [web] listen has the port 9801 of",
            "c.toml: [journal] schema is that of",
            "d.toml: [journal] is for one",
            "e.toml",
        ] {
            assert!(all.contains(wanted), "{wanted}: {all}");
        }
        let (communes, problems) = read_all(&files[..1], "10.0.0.1");
        assert!(communes.is_empty() && problems[0].contains("is for its own machine alone"), "{problems:?}");
    }

    #[test]
    fn a_machines_own_address_takes_the_place_of_another() {
        let at = |text: &str| text.parse::<SocketAddr>().expect("an address");
        let own = "10.0.0.2".parse().expect("an address");
        assert_eq!(here(at("0.0.0.0:9801"), own), at("0.0.0.0:9801"));
        assert_eq!(here(at("10.0.0.1:9801"), own), at("10.0.0.2:9801"));
    }
}
