//! A first configuration, written from a dozen answers: what a contractor has on the first day.
//!
//! A site is what cameras share before the comma in their names (`Ngã tư Chợ, về phía cảng`); what follows is the
//! direction that the camera sees. Household cameras guard no site until somebody names them in one.

use super::entry::{NewCamera, id_from, quoted, write};
use crate::model::Language;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    net::SocketAddr,
};
use url::Url;

/// The answers.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The commune's name.
    pub commune: String,
    /// What pages and messages speak.
    pub language: Language,
    /// Where pages are served.
    pub listen: SocketAddr,
    /// Something near that always answers, such as the gateway: `icmp://10.20.0.1`.
    pub anchor: Option<String>,
    /// Where the first sites lie.
    pub hamlet: String,
    /// The cameras.
    pub cameras: Vec<NewCamera>,
    /// Name of a login, and its user. Passwords lie in files of their own.
    pub logins: BTreeMap<String, String>,
    /// Where the shared phone listens: an ntfy server and a topic on it.
    pub ntfy: Option<Ntfy>,
}

/// A topic of an ntfy server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ntfy {
    /// The server.
    pub server: Url,
    /// The topic.
    pub topic: String,
}

impl Ntfy {
    /// From the address that phones subscribe to: `https://ntfy.example/truc-ban`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut server: Url = text.trim().parse().ok().filter(|url: &Url| matches!(url.scheme(), "http" | "https"))?;
        let mut path: Vec<String> = server.path_segments()?.map(str::to_owned).collect();
        let topic = path.pop().filter(|topic| !topic.is_empty())?;
        let plain = server.username().is_empty() && server.password().is_none() && server.query().is_none();
        server.set_path(&path.join("/"));
        (plain && server.host_str().is_some()).then_some(Self { server, topic })
    }
}

/// The file in which a login's password lies, beside the configuration.
pub fn password_file(login: &str) -> String {
    format!("secrets/{login}")
}

/// The files, the main one first.
pub fn files(draft: &Draft) -> Vec<(&'static str, String)> {
    let all = [
        ("logins.toml", logins(draft)),
        ("surroundings.toml", surroundings(draft)),
        ("cameras.toml", cameras(draft)),
        ("sites.toml", sites(draft)),
        ("oncall.toml", on_call(draft)),
    ];
    let mut files: Vec<_> = all.into_iter().filter(|(_, text)| !text.is_empty()).collect();
    let included: Vec<String> = files.iter().map(|(name, _)| quoted(name)).collect();
    files.insert(0, ("camhealth.toml", main(draft, &included.join(", "))));
    files
}

fn main(draft: &Draft, included: &str) -> String {
    let language = draft.language.as_str();
    let anchors = draft.anchor.iter().map(|anchor| quoted(anchor)).collect::<Vec<_>>().join(", ");
    format!(
        "# Tệp chính của cấu hình camhealth. Kiểm tra: camhealth check --config camhealth.toml\n\
         # The main file. What may stand here besides: config/camhealth.toml of camhealth.\n\n\
         include = [{included}]\n\n\
         [commune]\nname = {}\nlanguage = \"{language}\"\n\n\
         [web]\nlisten = \"{}\"\n\n\
         # Khi mất liên lạc toàn xã, các địa chỉ này cho biết mạng của chính máy này còn hay không.\n\
         # Something near that always answers: tells a cut of the whole commune from a cut cable of this machine.\n\
         [monitor]\nanchors = [{anchors}]\n\n\
         [journal]\npath = \"camhealth.sqlite3\"\n",
        quoted(&draft.commune),
        draft.listen,
    )
}

fn logins(draft: &Draft) -> String {
    if draft.logins.is_empty() {
        return String::new();
    }
    let mut text =
        "# Tài khoản camera; mật khẩu nằm trong tệp riêng. / Logins of cameras; passwords lie in files of their own.\n"
            .to_owned();
    for (name, user) in &draft.logins {
        let (user, file) = (quoted(user), quoted(&password_file(name)));
        let _ = write!(text, "\n[login.{name}]\nusername = {user}\npassword_file = {file}\n");
    }
    text
}

/// What cameras name beside themselves: links, areas and recorders.
fn surroundings(draft: &Draft) -> String {
    let named = |of: fn(&NewCamera) -> &String| {
        draft.cameras.iter().map(of).filter(|id| !id.is_empty()).cloned().collect::<BTreeSet<String>>()
    };
    let mut text = String::new();
    for id in named(|camera| &camera.link) {
        let id = quoted(&id);
        let _ = write!(text, "[[link]]\nid = {id}\nname = {id}\nkind = \"switch\"\n\n");
    }
    for id in named(|camera| &camera.area) {
        let id = quoted(&id);
        let _ = write!(text, "[[area]]\nid = {id}\nname = {id}\n\n");
    }
    for camera in draft.cameras.iter().filter(|camera| !camera.device.is_empty()) {
        let heading = format!("[[recorder]]\nid = {}\n", quoted(&camera.device));
        if text.contains(&heading) {
            continue;
        }
        text += &heading;
        if !camera.login.is_empty() {
            let _ = writeln!(text, "login = {}", quoted(&camera.login));
        }
        text.push('\n');
    }
    text
}

fn cameras(draft: &Draft) -> String {
    format!("# Camera. / Cameras.\n\n{}", write(&draft.cameras))
}

fn sites(draft: &Draft) -> String {
    let mut sites: Vec<(&str, Vec<(&str, &NewCamera)>)> = Vec::new();
    for camera in draft.cameras.iter().filter(|camera| camera.kind != Some("household")) {
        let (site, view) = camera.name.split_once(',').unwrap_or((&camera.name, ""));
        let (site, view) = (site.trim(), view.trim());
        match sites.iter_mut().find(|(known, _)| *known == site) {
            Some((_, views)) => views.push((view, camera)),
            None => sites.push((site, vec![(view, camera)])),
        }
    }
    let mut text = "# Điểm quan sát và các hướng nhìn. / Sites, and the directions that cameras see.\n\n".to_owned();
    let mut taken = BTreeSet::new();
    for (name, views) in sites {
        // Cameras without a name of their own have their id.
        let wanted = Some(id_from(name)).filter(|id| !id.is_empty()).unwrap_or_else(|| views[0].1.id.clone());
        let id = std::iter::once(wanted.clone()).chain((2..).map(|number| format!("{wanted}-{number}")));
        let id = id.into_iter().find(|id| !taken.contains(id)).unwrap_or(wanted);
        taken.insert(id.clone());
        let (id, name, hamlet) = (quoted(&id), quoted(name), quoted(&draft.hamlet));
        let _ = write!(text, "[[site]]\nid = {id}\nname = {name}\nhamlet = {hamlet}\n");
        for (view, camera) in views {
            let view = if view.is_empty() { draft.language.pick("toàn cảnh", "whole view") } else { view };
            let (view, camera) = (quoted(view), quoted(&camera.id));
            let _ = write!(text, "[[site.view]]\nname = {view}\ncameras = [{camera}]\n");
        }
        text.push('\n');
    }
    text
}

fn on_call(draft: &Draft) -> String {
    let head = "# Ai được báo, qua kênh nào. Lịch trực và bậc thang báo động: docs/upkeep.md và config/oncall.toml.\n\
                # Who is told, over what. The roster and escalation: config/oncall.toml of camhealth.\n\n";
    match &draft.ntfy {
        None => format!("{head}[alert]\nchannels = []\n"),
        Some(Ntfy { server, topic }) => format!(
            "{head}[alert]\nchannels = [\"truc-ban\"]\n\n[[channel]]\nid = \"truc-ban\"\ntype = \"ntfy\"\nurl = {}\ntopic = {}\n",
            quoted(server.as_str().trim_end_matches('/')),
            quoted(topic),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(id: &str, name: &str, kind: &'static str) -> NewCamera {
        let consent = if kind == "household" { "2026-03-01".to_owned() } else { String::new() };
        let rtsp = format!("rtsp://{id}.lan/sub");
        NewCamera { id: id.into(), name: name.into(), kind: Some(kind), consent, rtsp, ..NewCamera::default() }
    }

    fn draft(cameras: Vec<NewCamera>) -> Draft {
        Draft {
            commune: "Xã \"Hải Bình\"".into(),
            language: Language::Vi,
            listen: ([127, 0, 0, 1], 9740).into(),
            anchor: Some("icmp://10.20.0.1".into()),
            hamlet: "Thôn Đông".into(),
            cameras,
            logins: BTreeMap::new(),
            ntfy: Ntfy::parse("http://10.20.0.3:8080/truc-ban"),
        }
    }

    fn parsed(files: &[(&str, String)], name: &str) -> toml::Table {
        let (_, text) = files.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no {name}"));
        text.parse().unwrap_or_else(|error| panic!("{name}: {error}\n{text}"))
    }

    #[test]
    fn cameras_that_share_a_place_are_one_site_and_households_are_none() {
        let files = files(&draft(vec![
            camera("a", "Ngã tư Chợ, về phía cảng", "public"),
            camera("b", "Cầu Cảng", "public"),
            camera("c", "Ngã tư Chợ , vào chợ", "public"),
            camera("d", "Nhà ông Bình", "household"),
            camera("e", "nga tu cho", "public"),
        ]));
        let sites = parsed(&files, "sites.toml");
        let sites: Vec<(&str, Vec<(&str, &str)>)> = sites["site"]
            .as_array()
            .expect("sites")
            .iter()
            .map(|site| {
                let views = site["view"].as_array().expect("views").iter();
                let views = views
                    .map(|view| (view["name"].as_str().expect("text"), view["cameras"][0].as_str().expect("text")));
                (site["id"].as_str().expect("text"), views.collect())
            })
            .collect();
        let wanted = [
            ("nga-tu-cho", vec![("về phía cảng", "a"), ("vào chợ", "c")]),
            ("cau-cang", vec![("toàn cảnh", "b")]),
            ("nga-tu-cho-2", vec![("toàn cảnh", "e")]),
        ];
        assert_eq!(sites, wanted);
        let main = parsed(&files, "camhealth.toml");
        assert_eq!(main["commune"]["name"].as_str(), Some("Xã \"Hải Bình\""));
        let included: Vec<&str> =
            main["include"].as_array().expect("a list").iter().filter_map(|v| v.as_str()).collect();
        assert_eq!(included, ["cameras.toml", "sites.toml", "oncall.toml"], "only what is there");
    }

    #[test]
    fn what_cameras_name_is_defined_once() {
        let of = |id: &str, link: &str, device: &str| NewCamera {
            link: link.into(),
            device: device.into(),
            login: "nvr".into(),
            ..camera(id, id, "public")
        };
        let mut draft = draft(vec![of("a", "tu-dong", "nvr-1"), of("b", "tu-dong", "nvr-1"), of("c", "tu-doai", "")]);
        draft.logins.insert("nvr".into(), "giám sát".into());
        let files = files(&draft);
        let around = parsed(&files, "surroundings.toml");
        let ids =
            |of: &str| around[of].as_array().expect("a list").iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
        assert_eq!(ids("link"), ["tu-doai".into(), "tu-dong".into()] as [toml::Value; 2]);
        assert_eq!(ids("recorder"), ["nvr-1".into()] as [toml::Value; 1]);
        assert_eq!(parsed(&files, "logins.toml")["login"]["nvr"]["password_file"].as_str(), Some("secrets/nvr"));
    }

    #[test]
    fn an_address_of_ntfy_is_a_server_and_a_topic() {
        let ntfy = Ntfy::parse("https://ntfy.xa.vn/kenh/truc-ban").expect("it is one");
        assert_eq!((ntfy.server.as_str(), ntfy.topic.as_str()), ("https://ntfy.xa.vn/kenh", "truc-ban"));
        for bad in [
            "",
            "truc-ban",
            "https://ntfy.xa.vn/",
            "ftp://ntfy.xa.vn/a",
            "https://a:b@ntfy.xa.vn/t",
            "https://ntfy.xa.vn/t?a",
        ] {
            assert_eq!(Ntfy::parse(bad), None, "{bad}");
        }
    }
}
