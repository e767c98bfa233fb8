//! A part of the configuration for an agent: its own cameras, how often they are looked at, and the logins that they need. It is
//! TOML that is read by the rules by which files are, so that an agent looks at cameras exactly as the daemon would.

use super::{Config, Problems, build, context::Context, lay, made, reading, source::Source};
use crate::{
    edits::{Item, Standing},
    model::{AgentPlan, Camera, CameraId, DeviceId, LinkId, Login, hex},
};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};
use toml_edit::{ArrayOfTables, DocumentMut, Item as Node, Table, TableLike, Value, value};

/// Keys of a camera that nobody needs to look at it.
const NOT_NEEDED: [&str; 3] = ["area", "notes", "name"];

/// A configuration's tables as its files have them, edits laid over them, read once for all agents.
#[derive(Debug, Default)]
pub struct Slices(BTreeMap<&'static str, Vec<Table>>);

/// Tables of which agents are given something.
const TABLES: [&str; 7] = ["schedule", "probe", "health", "link", "recorder", "camera", "site"];

impl Slices {
    /// Those of a configuration.
    pub fn of(config: &Config) -> Self {
        let holds = |item: &Item| config.sheet.line(item).is_some_and(|line| line.standing == Standing::Edited);
        let edits = config.sheet.edits();
        let held = edits.iter().filter(|(item, _)| holds(item)).map(|(_, edit)| &**edit);
        let laid = lay::lay(&config.files.texts(), held);
        let documents: Vec<DocumentMut> = laid.texts.iter().filter_map(|text| text.parse().ok()).collect();
        Self(TABLES.into_iter().map(|name| (name, entries(&documents, name))).collect())
    }

    /// All entries of a table.
    fn all(&self, name: &str) -> impl Iterator<Item = &Table> {
        self.0.get(name).into_iter().flatten()
    }

    /// What an agent is to do; nothing where there is no such agent.
    pub fn slice(&self, config: &Config, agent: &LinkId) -> Option<AgentPlan> {
        config.fleet.agents().find(|(id, _)| *id == agent)?;
        Some(match config.files.is_empty() {
            true => {
                let (plan, secrets) = made::made(config, agent);
                finished(&plan, secrets)
            }
            false => cut(self, config, agent),
        })
    }
}

/// What of the files is an agent's.
fn cut(slices: &Slices, config: &Config, agent: &LinkId) -> AgentPlan {
    let fleet = &config.fleet;
    let theirs = |camera: &&Arc<Camera>| fleet.agent_of(camera).as_ref() == Some(agent);
    let cameras: BTreeMap<&CameraId, &Arc<Camera>> =
        fleet.cameras.values().filter(theirs).map(|camera| (&camera.id, camera)).collect();
    let links: BTreeSet<LinkId> = cameras.values().flat_map(|camera| fleet.links_above(camera)).collect();
    let below: BTreeSet<&LinkId> = links.iter().filter(|id| fleet.up_from(id).any(|one| one == *agent)).collect();
    let devices: BTreeSet<&DeviceId> = cameras.values().map(|camera| &camera.device).collect();

    let mut plan = DocumentMut::new();
    let mut commune = Table::new();
    commune.insert("name", value(fleet.commune.name.as_str()));
    if let Some(zone) = fleet.commune.timezone.iana_name() {
        commune.insert("timezone", value(zone));
    }
    commune.insert("being_set_up", value(true));
    plan.insert("commune", Node::Table(commune));
    for name in ["schedule", "probe", "health"] {
        if let Some(entry) = slices.all(name).next() {
            plan.insert(name, Node::Table(entry.clone()));
        }
    }
    let id = |entry: &Table| entry.get("id").and_then(Node::as_str).unwrap_or_default().to_owned();
    let mut logins: BTreeMap<String, Option<Arc<Login>>> = BTreeMap::new();
    let mut note = |entry: &Table, login: Option<&Arc<Login>>| {
        if let Some(name) = entry.get("login").and_then(Node::as_str) {
            logins.insert(name.to_owned(), login.cloned());
        }
    };
    let of_links = slices.all("link").filter(|entry| below.contains(&LinkId::from(id(entry).as_str())));
    let of_links = of_links.cloned().map(|mut entry| {
        // Whose line it hangs on is the daemon's to judge, and so are beacons.
        let key = id(&entry);
        if key == agent.as_str() {
            entry.remove("parent");
        }
        entry.remove("probe");
        entry
    });
    put(&mut plan, "link", of_links);
    let of_recorders: Vec<&Table> =
        slices.all("recorder").filter(|entry| devices.contains(&DeviceId::from(id(entry).as_str()))).collect();
    for recorder in &of_recorders {
        let device = DeviceId::from(id(recorder).as_str());
        note(
            recorder,
            cameras.values().find(|camera| camera.device == device).and_then(|camera| camera.login.as_ref()),
        );
    }
    put(
        &mut plan,
        "recorder",
        of_recorders.into_iter().cloned().map(|mut entry| {
            entry.remove("notes");
            entry
        }),
    );
    let of_cameras: Vec<&Table> =
        slices.all("camera").filter(|entry| cameras.contains_key(&CameraId::from(id(entry).as_str()))).collect();
    for camera in &of_cameras {
        note(camera, cameras.get(&CameraId::from(id(camera).as_str())).and_then(|camera| camera.login.as_ref()));
    }
    put(
        &mut plan,
        "camera",
        of_cameras.into_iter().cloned().map(|mut entry| {
            NOT_NEEDED.iter().for_each(|key| drop(entry.remove(key)));
            // A household's name stays here.
            let name = id(&entry);
            entry.insert("name", value(name));
            entry
        }),
    );
    // Sites that its own cameras alone see: of others it cannot say that they are blind.
    let of_sites = slices.all("site").filter(|entry| {
        let site = fleet.sites.get(id(entry).as_str());
        site.is_some_and(|site| site.watchers().all(|watcher| cameras.contains_key(&watcher.camera)))
    });
    put(
        &mut plan,
        "site",
        of_sites.cloned().map(|mut entry| {
            ["area", "location"].into_iter().for_each(|key| drop(entry.remove(key)));
            entry
        }),
    );
    let mut secrets = BTreeMap::new();
    let mut table = Table::new();
    for (number, (name, login)) in logins.into_iter().enumerate() {
        // One that lives at the agent alone stands in a file there.
        let Some(login) = login else { continue };
        let variable = format!("CAMHEALTH_LOGIN_{number}");
        let mut entry = Table::new();
        entry.insert("username", value(login.username.as_str()));
        entry.insert("password", value(format!("${{{variable}}}")));
        entry.insert("allow_basic", value(login.allow_basic));
        table.insert(&name, Node::Table(entry));
        secrets.insert(variable, login.password.expose_secret().to_owned());
    }
    if !table.is_empty() {
        plan.insert("login", Node::Table(table));
    }
    finished(&plan, secrets)
}

fn finished(plan: &DocumentMut, secrets: BTreeMap<String, String>) -> AgentPlan {
    let text = plan.to_string();
    let mut print = Sha256::new();
    print.update(&text);
    secrets.iter().for_each(|(name, secret)| print.update(format!("\n{name}={secret}")));
    AgentPlan { print: hex(&print.finalize()[..16]), text, secrets }
}

/// All entries of a table, in whatever way they are written.
fn entries(documents: &[DocumentMut], name: &str) -> Vec<Table> {
    let mut all = Vec::new();
    for node in documents.iter().filter_map(|document| document.get(name)) {
        match node {
            Node::Table(entry) => all.push(copy(entry)),
            Node::ArrayOfTables(entries) => all.extend(entries.iter().map(|entry| copy(entry))),
            Node::Value(Value::InlineTable(entry)) => all.push(copy(entry)),
            Node::Value(Value::Array(entries)) => {
                all.extend(entries.iter().filter_map(Value::as_inline_table).map(|entry| copy(entry)));
            }
            _ => {}
        }
    }
    all
}

/// An entry without comments: these are the administrator's.
fn copy(entry: &dyn TableLike) -> Table {
    let mut table = Table::new();
    for (key, node) in entry.iter() {
        let node = match node {
            Node::Value(found) => {
                let mut found = found.clone();
                found.decor_mut().clear();
                Node::Value(found)
            }
            Node::Table(found) => Node::Table(copy(found)),
            other => other.clone(),
        };
        table.insert(key, node);
    }
    table
}

fn put(plan: &mut DocumentMut, name: &str, entries: impl Iterator<Item = Table>) {
    let entries: ArrayOfTables = entries.collect();
    if !entries.is_empty() {
        plan.insert(name, Node::ArrayOfTables(entries));
    }
}

/// The configuration that a plan is, at the agent; `own` are the files that are there alone, by their names. Relative paths in it
/// begin in `folder`.
pub fn read_slice(plan: &AgentPlan, own: Vec<(&str, String)>, folder: PathBuf) -> Result<Config, Problems> {
    let environment = |name: &str| plan.secrets.get(name).cloned().or_else(|| std::env::var(name).ok());
    let context = Context::new(&environment);
    let of = |name: &str, text: String| Source::new(name.to_owned(), folder.clone(), text);
    let sources: Vec<Source> = std::iter::once(of("plan", plan.text.clone()))
        .chain(own.into_iter().map(|(name, text)| of(name, text)))
        .collect();
    let trees: Vec<_> = sources.iter().map(|source| (source, reading::parse(source, &context))).collect();
    build(&context, &trees, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load_with;
    use std::fs;

    fn slice(config: &Config, agent: &LinkId) -> Option<AgentPlan> {
        Slices::of(config).slice(config, agent)
    }

    const TEXT: &str = r#"
        [commune]
        name = "Xã Hải Bình"
        [schedule]
        confirm_every = "3s"
        [login.nha]
        username = "admin"
        password = "${HOUSE}"
        [login.rieng]
        at_agent = true
        [login.khac]
        username = "x"
        password = "${OTHER}"
        [[link]]
        id = "fpt"
        name = "FPT"
        kind = "uplink"
        [[link]]
        id = "hem-7"
        name = "Hộp hẻm 7"
        kind = "agent"
        parent = "fpt"
        [[link]]
        id = "sw"
        name = "Switch"
        kind = "switch"
        parent = "hem-7"
        [[recorder]]
        id = "dau-ghi"
        link = "sw"
        login = "nha"
        notes = "trong tủ"
        [[camera]]
        id = "a"
        name = "Nhà bà Hoa" # cạnh chợ
        kind = "household"
        consent = "2026-01-01"
        link = "hem-7"
        rtsp = "rtsp://192.168.1.9/sub"
        login = "rieng"
        notes = "gõ cửa trước"
        [[camera]]
        id = "b"
        name = "Nhà ông Bình"
        kind = "public"
        device = "dau-ghi"
        rtsp = "rtsp://192.168.1.10/ch1"
        [[camera]]
        id = "own"
        name = "Chợ"
        kind = "public"
        rtsp = "rtsp://10.0.0.5/sub"
        login = "khac"
        [[site]]
        id = "cho"
        name = "Chợ"
        hamlet = "Thôn 1"
        [[site.view]]
        name = "v"
        cameras = ["a", "own"]
        [[site]]
        id = "hem"
        name = "Ngã ba hẻm 7"
        hamlet = "Thôn 1"
        alert_after = "20s"
        [[site.view]]
        name = "v"
        cameras = ["a"]
        spares = ["b"]
    "#;

    #[test]
    fn an_agent_is_told_of_its_own_cameras_and_of_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let main = folder.path().join("camhealth.toml");
        fs::write(&main, TEXT).expect("a disk");
        let environment = |name: &str| Some(format!("mật khẩu {name}"));
        let config = load_with(&main, &environment).expect("it is valid");
        let agent = LinkId::from("hem-7");
        let plan = slice(&config, &agent).expect("a plan");
        for hidden in ["Hoa", "Chợ", "cạnh chợ", "gõ cửa", "trong tủ", "10.0.0.5", "OTHER", "khac", "mật khẩu", "fpt"]
        {
            assert!(!plan.text.contains(hidden), "{hidden}: {}", plan.text);
        }
        assert_eq!(plan.secrets.values().collect::<Vec<_>>(), ["mật khẩu HOUSE"]);
        assert!(!format!("{plan:?}").contains("mật khẩu"));
        let own = "[login.rieng]\nusername = \"gia-dinh\"\npassword = \"${OWN}\"\n";
        let with_own = AgentPlan { secrets: [("OWN".to_owned(), "riêng".to_owned())].into(), ..plan.clone() };
        let with_own =
            AgentPlan { secrets: with_own.secrets.into_iter().chain(plan.secrets.clone()).collect(), ..with_own };
        let theirs =
            read_slice(&with_own, vec![("logins.toml", own.into())], folder.path().into()).expect("it is valid there");
        let cameras: Vec<&str> = theirs.fleet.cameras.keys().map(CameraId::as_str).collect();
        assert_eq!(cameras, ["a", "b"]);
        let sites: Vec<&str> = theirs.fleet.sites.keys().map(crate::model::SiteId::as_str).collect();
        assert_eq!(sites, ["hem"], "of the other it cannot say that it is blind");
        assert_eq!(theirs.fleet.sites["hem"].views, config.fleet.sites["hem"].views);
        assert_eq!(theirs.schedule.confirm_every, config.schedule.confirm_every);
        for (id, camera) in &theirs.fleet.cameras {
            let here = &config.fleet.cameras[id];
            assert_eq!(
                (&camera.rtsp, camera.kind, &camera.device, &camera.link),
                (&here.rtsp, here.kind, &here.device, &here.link)
            );
            assert_eq!((&camera.consent, theirs.fleet.agent_of(camera)), (&here.consent, Some(agent.clone())));
        }
        let login =
            |id: &str| theirs.fleet.cameras[id].login.as_ref().map(|login| login.password.expose_secret().to_owned());
        assert_eq!((login("a").as_deref(), login("b").as_deref()), (Some("riêng"), Some("mật khẩu HOUSE")));
        assert_eq!(slice(&config, &agent), Some(plan), "the same as long as nothing changes");
        assert_eq!(slice(&config, &"fpt".into()), None);
        // One that the program made itself has no files, and gives the same cameras.
        let made = Config { files: crate::config::Files::default(), ..config.clone() };
        let made = slice(&made, &agent).expect("a plan");
        assert!(!made.text.contains("Hoa") && !made.text.contains("mật khẩu"), "{}", made.text);
        let made = read_slice(&made, Vec::new(), folder.path().into()).expect("it is valid there");
        assert_eq!(made.schedule.public, config.schedule.public);
        for (id, camera) in &config.fleet.cameras {
            let theirs =
                made.fleet.cameras.get(id).map(|theirs| (&theirs.rtsp, theirs.kind, made.fleet.agent_of(theirs)));
            let of_it = config.fleet.agent_of(camera).map(|agent| (&camera.rtsp, camera.kind, Some(agent)));
            assert_eq!(theirs, of_it);
        }
        let ours = config.fleet.seen_by(&crate::model::Observer::Daemon);
        assert_eq!(ours.cameras.keys().map(CameraId::as_str).collect::<Vec<_>>(), ["own"]);
    }
}
