//! `camhealth init`: a first configuration from a dozen answers, and a first look at a real camera.

use super::{
    FAILED, USAGE, discover, fail,
    import::report,
    paint::Paint,
    questions::{Ask, Gone},
};
use crate::{
    clock::Clock,
    config, inventory,
    inventory::{Draft, NewCamera, Ntfy},
    model::{Beacon, Check, Kind, Language, Login},
    probe::{Look, Pool, Prober},
};
use secrecy::{ExposeSecret, SecretString};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write,
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use url::Url;

/// What a login is called that no spreadsheet names.
const LOGIN: &str = "camera";

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Folder for the files; it must not hold a configuration yet.
    #[arg(value_name = "FOLDER", default_value = "camhealth")]
    folder: PathBuf,
    /// Look at no camera at the end.
    #[arg(long)]
    no_look: bool,
}

/// A password, by the name of its login.
type Passwords = BTreeMap<String, SecretString>;

pub(super) async fn run(arguments: Arguments) -> ExitCode {
    let main = arguments.folder.join("camhealth.toml");
    if main.exists() {
        let problem = format!("{} is there already: name another folder, and nothing is overwritten", main.display());
        return fail(USAGE, &problem);
    }
    let mut ask = Ask::stdin();
    let (draft, passwords) = match answers(&mut ask).await {
        Ok(answers) => answers,
        Err(Gone(question)) => {
            return fail(USAGE, &format!("the answers ended before \"{question}\"; nothing was written"));
        }
    };
    let language = draft.language;
    if let Err(error) = write(&arguments.folder, &draft, &passwords) {
        return fail(FAILED, &error);
    }
    let config = match config::load(&main) {
        Ok(config) => config,
        Err(problems) => {
            eprint!("{}", problems.render(Paint::stderr().is_on()));
            return fail(USAGE, "the files are written, and this is left to correct in them");
        }
    };
    let paint = Paint::stdout();
    println!("\n{} {}", paint.good("✓"), language.pick("Đã ghi cấu hình:", "The configuration is written:"));
    for file in config::files(&main) {
        println!("    {}", file.display());
    }
    if !arguments.no_look {
        first_look(&config, language).await;
    }
    let told = language.pick("Bước tiếp theo:", "What comes next:");
    let path = main.display();
    println!("\n{}\n    camhealth run --config {path}\n    http://{}/", paint.bold(told), config.web.listen);
    ExitCode::SUCCESS
}

/// Asks for everything.
async fn answers(ask: &mut Ask) -> Result<(Draft, Passwords), Gone> {
    let language = ask.one_of("Ngôn ngữ / Language (vi, en)", "vi", |word| {
        Language::NAMES.iter().find(|(name, _)| *name == word).map(|(_, language)| *language)
    })?;
    ask.speak(language);
    let commune = ask.required(language.pick("Tên xã, phường", "Name of the commune"))?;
    let hamlet = language.pick("Thôn của các camera đầu tiên", "Hamlet of the first cameras");
    let hamlet = ask.text(hamlet, language.pick("Thôn 1", "Hamlet 1"))?;
    let (mut cameras, login) = cameras(ask, language).await?;
    kinds(ask, language, &mut cameras)?;
    let (logins, passwords) = logins(ask, language, &mut cameras, login)?;
    let anchor = anchor(ask, language)?;
    let ntfy = language.pick(
        "Điện thoại trực nhận tin qua ntfy: địa chỉ và chủ đề (để trống nếu chưa có)",
        "The duty phone hears by ntfy: server and topic (empty if there is none yet)",
    );
    let ntfy = ask.optional(ntfy, "http://10.20.0.3:8080/truc-ban", Ntfy::parse)?;
    let listen = language.pick("Địa chỉ của trang giám sát", "Address of the pages");
    let listen = ask.one_of(listen, "127.0.0.1:9740", |text| {
        // Elsewhere it wants a certificate, which is not asked for on the first day.
        text.parse::<SocketAddr>().ok().filter(|address| address.ip().is_loopback())
    })?;
    Ok((Draft { commune, language, listen, anchor, hamlet, cameras, logins, ntfy }, passwords))
}

/// Cameras, and the login by which they were found.
type Found = (Vec<NewCamera>, Option<(String, SecretString)>);

async fn cameras(ask: &mut Ask, language: Language) -> Result<Found, Gone> {
    let how = language.pick(
        "Camera lấy từ đâu: 1 bảng tính (XLSX, CSV), 2 dò tìm trong mạng, 3 một địa chỉ RTSP",
        "Where are the cameras: 1 a spreadsheet (XLSX, CSV), 2 on the network, 3 one RTSP address",
    );
    loop {
        let how = ask.one_of(how, "1", |word| word.parse::<u8>().ok().filter(|number| (1..=3).contains(number)))?;
        let (cameras, login) = match how {
            1 => (from_sheet(ask, language)?, None),
            2 => from_network(ask, language).await?,
            _ => (vec![from_address(ask, language)?], None),
        };
        if !cameras.is_empty() {
            println!("  {} {}", cameras.len(), language.pick("camera", "cameras"));
            return Ok((cameras, login));
        }
        println!("  {}", language.pick("Chưa có camera nào.", "No camera yet."));
    }
}

fn from_sheet(ask: &mut Ask, language: Language) -> Result<Vec<NewCamera>, Gone> {
    let path = ask.required(language.pick("Tệp bảng tính", "The spreadsheet's file"))?;
    let read = fs::read(&path).map_err(|error| error.to_string()).and_then(|bytes| inventory::read(&bytes));
    match read {
        Ok(sheet) => {
            print!("{}", report(&path, &sheet, Paint::stdout()));
            Ok(sheet.cameras)
        }
        Err(error) => {
            println!("  {path}: {error}");
            Ok(Vec::new())
        }
    }
}

async fn from_network(ask: &mut Ask, language: Language) -> Result<Found, Gone> {
    let range = language.pick(
        "Dải địa chỉ, như 10.20.1.0/24 (để trống: hỏi bằng WS-Discovery)",
        "Range of addresses, such as 10.20.1.0/24 (empty: asked by WS-Discovery)",
    );
    let range = ask.optional(range, "10.20.1.0/24", |text| discover::parse_range(text).ok())?;
    // Devices tell where their streams are only to whom they know.
    let login = ask_login(ask, language, LOGIN)?;
    let known = login.clone().map(|(user, password)| Arc::new(Login::new(user, password)));
    let found = discover::new_cameras(range.unwrap_or_default(), known).await;
    let cameras = found.unwrap_or_else(|error| {
        println!("  {error}");
        Vec::new()
    });
    Ok((cameras, login))
}

fn from_address(ask: &mut Ask, language: Language) -> Result<NewCamera, Gone> {
    let address = language.pick("Địa chỉ RTSP, không kèm mật khẩu", "RTSP address, without a password");
    let url = ask.one_of(address, "rtsp://10.20.1.7:554/sub", |text| {
        let url: Url = text.parse().ok()?;
        let plain = url.username().is_empty() && url.password().is_none() && url.host_str().is_some();
        (plain && url.scheme() == "rtsp").then_some(url)
    })?;
    let name = language.pick("Tên camera: nơi, hướng nhìn", "The camera's name: place, direction");
    let name = ask.text(name, "Ngã tư Chợ, về phía cảng")?;
    let id = Some(inventory::id_from(&name)).filter(|id| !id.is_empty()).unwrap_or_else(|| "camera".to_owned());
    Ok(NewCamera { id, name, rtsp: url.to_string(), ..NewCamera::default() })
}

/// Of cameras that nobody said it of: whether they stand on the road, and of households' the day of consent.
fn kinds(ask: &mut Ask, language: Language, cameras: &mut [NewCamera]) -> Result<(), Gone> {
    if cameras.iter().any(|camera| camera.kind.is_none()) {
        let question = language.pick(
            "Các camera chưa ghi loại: 1 công cộng, 2 hộ dân",
            "Cameras without a kind are: 1 public, 2 of households",
        );
        let kind = ask.one_of(question, "1", |word| match word {
            "1" => Some(Kind::Public.as_str()),
            "2" => Some(Kind::Household.as_str()),
            _ => None,
        })?;
        cameras.iter_mut().filter(|camera| camera.kind.is_none()).for_each(|camera| camera.kind = Some(kind));
    }
    let lacks = |camera: &NewCamera| camera.kind == Some(Kind::Household.as_str()) && camera.consent.is_empty();
    if cameras.iter().any(lacks) {
        let question = language.pick(
            "Ngày các hộ còn lại đồng ý bằng văn bản (camera chưa có ngày này không được đưa vào)",
            "Day on which the other households agreed in writing (without it their cameras stay out)",
        );
        let day = ask.optional(question, "2026-03-01", |text| text.parse::<jiff::civil::Date>().ok())?;
        for camera in cameras.iter_mut().filter(|camera| lacks(camera)) {
            camera.consent = day.map(|day| day.to_string()).unwrap_or_default();
        }
    }
    Ok(())
}

/// User and password of each login that cameras name, and of one for the others. `known` is the latter where it was asked for.
fn logins(
    ask: &mut Ask,
    language: Language,
    cameras: &mut Vec<NewCamera>,
    mut known: Option<(String, SecretString)>,
) -> Result<(BTreeMap<String, String>, Passwords), Gone> {
    // Whoever never agreed is not looked at.
    cameras.retain(|camera| camera.kind != Some(Kind::Household.as_str()) || !camera.consent.is_empty());
    for camera in cameras.iter_mut().filter(|camera| camera.login.is_empty()) {
        camera.login = LOGIN.to_owned();
    }
    let names: BTreeSet<String> = cameras.iter().map(|camera| camera.login.clone()).collect();
    let (mut logins, mut passwords) = (BTreeMap::new(), Passwords::new());
    for name in names {
        let login = match known.take_if(|_| name == LOGIN) {
            Some(login) => Some(login),
            None => ask_login(ask, language, &name)?,
        };
        match login {
            Some((user, password)) => {
                passwords.insert(name.clone(), password);
                logins.insert(name, user);
            }
            None => cameras.iter_mut().filter(|camera| camera.login == name).for_each(|camera| camera.login.clear()),
        }
    }
    Ok((logins, passwords))
}

fn ask_login(ask: &mut Ask, language: Language, name: &str) -> Result<Option<(String, SecretString)>, Gone> {
    let question = language.pick(
        format!("Tài khoản \"{name}\": tên đăng nhập (để trống nếu camera không hỏi)"),
        format!("Login \"{name}\": user name (empty if cameras ask for none)"),
    );
    match ask.optional(&question, "giamsat", |text| Some(text.to_owned()))? {
        Some(user) => Ok(Some((user, ask.secret(language.pick("  Mật khẩu", "  Password"))?))),
        None => Ok(None),
    }
}

fn anchor(ask: &mut Ask, language: Language) -> Result<Option<String>, Gone> {
    let question = language.pick(
        "Thiết bị gần máy này luôn trả lời, như bộ định tuyến (- nếu không có)",
        "Something near that always answers, such as the router (- if there is none)",
    );
    let parse = |text: &str| {
        let text = if text.contains("://") { text.to_owned() } else { format!("icmp://{text}") };
        text.parse::<Beacon>().is_ok().then_some(text)
    };
    let gateway = gateway().unwrap_or_else(|| "-".to_owned());
    ask.one_of(question, &gateway, |text| if text == "-" { Some(None) } else { parse(text).map(Some) })
}

/// The gateway of the default route (Linux): its address in the table is hexadecimal, the last byte first.
fn gateway() -> Option<String> {
    let table = fs::read_to_string("/proc/net/route").ok()?;
    let rows = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let gateway = rows.filter(|cells| cells.get(1) == Some(&"00000000")).find_map(|cells| cells.get(2).copied())?;
    let number = u32::from_str_radix(gateway, 16).ok().filter(|number| *number != 0)?;
    Some(std::net::Ipv4Addr::from(number.swap_bytes()).to_string())
}

/// Writes all files; none that is there is overwritten.
fn write(folder: &Path, draft: &Draft, passwords: &Passwords) -> Result<(), String> {
    let failed = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let folders = [folder.to_owned(), folder.join("secrets")];
    for (folder, mode) in folders.iter().zip([0o755, 0o700]).take(1 + usize::from(!passwords.is_empty())) {
        let made = fs::DirBuilder::new().recursive(true).mode(mode).create(folder);
        made.map_err(|error| failed(folder, error))?;
    }
    let create = |path: PathBuf, mode: u32, text: &str| {
        let file = fs::File::options().write(true).create_new(true).mode(mode).open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| failed(&path, error))
    };
    for (login, password) in passwords {
        create(folder.join(inventory::password_file(login)), 0o600, password.expose_secret())?;
    }
    // The main file last: a folder without it is no configuration yet.
    let files = inventory::files(draft);
    files.iter().rev().try_for_each(|(name, text)| create(folder.join(name), 0o644, text))
}

/// Looks at the first camera that answers, so that whoever sits there sees that it works.
async fn first_look(config: &config::Config, language: Language) {
    let paint = Paint::stdout();
    let Some(camera) = config.fleet.cameras.values().min_by_key(|camera| camera.kind != Kind::Public) else { return };
    println!("\n{} {} …", language.pick("Xem thử camera", "Looking at"), paint.bold(&camera.name));
    let Ok(program) = std::env::current_exe() else { return };
    let settings = crate::probe::Settings { workers: 1, ..config.probe.clone() };
    let prober = Prober::new(settings.clone(), Pool::new(program, 1, settings.worker_memory_mib));
    let seen = prober.probe(camera, Look::new(Check::Stream, Clock::system().now())).await;
    prober.pool().stop(Duration::from_secs(2)).await;
    let told = match (&seen.failure, seen.stream.as_ref()) {
        (None, Some(stream)) => {
            let fps = stream.fps.map(|fps| format!(", {fps:.1} fps")).unwrap_or_default();
            let live = language.pick("có hình trực tiếp", "its stream is live");
            format!("{} {live}{fps}", paint.good("✓"))
        }
        (Some(failure), _) => format!("{} {}", paint.bad(failure.kind.as_str()), failure.detail.text(language)),
        (None, None) => paint.good("✓"),
    };
    println!("  {told}");
    if let Some(failure) = &seen.failure {
        println!("  {}", failure.kind.remedy(language));
    }
}
