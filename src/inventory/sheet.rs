//! A contractor's spreadsheet as camera entries, with every bad row named.

use super::{
    entry::{NewCamera, id_from},
    table, workbook,
};
use crate::model::{DailyHours, Identity};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use url::{Host, Url};

/// What a spreadsheet gave.
#[derive(Debug, Default)]
pub struct Sheet {
    /// Entries of the good rows, in order.
    pub cameras: Vec<NewCamera>,
    /// What is wrong, in order.
    pub problems: Vec<RowProblem>,
    /// Headings that mean nothing here.
    pub ignored: Vec<String>,
    /// What the text was read as.
    pub encoding: &'static str,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowProblem {
    /// Line in the file, from 1.
    pub line: usize,
    /// Heading of the column, as it stands there.
    pub column: String,
    /// What is wrong, with the value.
    pub message: String,
    /// What to write instead.
    pub remedy: &'static str,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Column {
    Id,
    Name,
    Kind,
    Host,
    Port,
    Path,
    Rtsp,
    Onvif,
    Login,
    Link,
    Area,
    Device,
    Consent,
    Serial,
    Mac,
    OffHours,
    Password,
}

/// Headings without marks and in lower case, Vietnamese and English.
const HEADINGS: &[(Column, &[&str])] = &[
    (Column::Id, &["id", "ma", "ma camera", "ma so", "ma thiet bi", "camera id", "code"]),
    (Column::Name, &["name", "ten", "ten camera", "vi tri", "vi tri lap dat", "dia diem", "location", "camera name"]),
    (Column::Kind, &["kind", "loai", "loai camera", "nhom", "type"]),
    (Column::Host, &["ip", "host", "dia chi ip", "dia chi", "ip camera", "address", "ip address"]),
    (Column::Port, &["port", "cong", "cong rtsp", "rtsp port"]),
    (Column::Path, &["path", "duong dan", "luong", "luong phu", "stream path"]),
    (Column::Rtsp, &["rtsp", "url", "rtsp url", "link rtsp", "duong dan rtsp", "dia chi rtsp"]),
    (Column::Onvif, &["onvif", "onvif url", "dia chi onvif", "cong onvif", "onvif port"]),
    (Column::Login, &["login", "tai khoan", "nhom tai khoan"]),
    (Column::Link, &["link", "duong truyen", "tu mang", "switch", "uplink"]),
    (Column::Area, &["area", "khu vuc", "ma khu vuc", "dia ban", "ma dia ban"]),
    (Column::Device, &["device", "dau ghi", "recorder", "nvr"]),
    (Column::Consent, &["consent", "ngay dong y", "dong y", "ngay cam ket"]),
    (Column::Serial, &["serial", "so seri", "so serial", "seri", "s/n", "sn"]),
    (Column::Mac, &["mac", "dia chi mac", "mac address"]),
    (Column::OffHours, &["off hours", "off_hours", "gio nghi", "gio tat", "khung gio tat"]),
    (Column::Password, &["password", "mat khau", "pass", "pwd", "mk"]),
];

/// Reads a CSV file or a workbook. `Err` when it is no table of cameras at all.
pub fn read(bytes: &[u8]) -> Result<Sheet, String> {
    let table = if workbook::is_one(bytes) { workbook::read(bytes)? } else { table::read(bytes)? };
    let mut columns: BTreeMap<Column, usize> = BTreeMap::new();
    let mut sheet = Sheet { encoding: table.encoding, ..Sheet::default() };
    for (number, heading) in table.headings.iter().enumerate() {
        match column(heading) {
            Some(column) => drop(columns.entry(column).or_insert(number)),
            None if heading.is_empty() => {}
            None => sheet.ignored.push(heading.clone()),
        }
    }
    if !columns.contains_key(&Column::Host) && !columns.contains_key(&Column::Rtsp) {
        let seen = table.headings.join(", ");
        return Err(format!(
            "no heading names an address (\"IP\", \"Địa chỉ IP\", \"RTSP\"); the headings are: {seen}"
        ));
    }
    if !columns.contains_key(&Column::Name) && !columns.contains_key(&Column::Id) {
        return Err("no heading names the cameras (\"Tên\", \"Vị trí\", \"Mã\", \"Name\", \"ID\")".into());
    }
    let mut ids: BTreeMap<String, usize> = BTreeMap::new();
    let mut addresses: BTreeMap<String, usize> = BTreeMap::new();
    for (line, cells) in &table.rows {
        let mut row = Row { line: *line, cells, columns: &columns, headings: &table.headings, problems: Vec::new() };
        let camera = row.camera();
        let mut camera = match camera {
            Some(camera) if row.problems.is_empty() => camera,
            _ => {
                sheet.problems.append(&mut row.problems);
                continue;
            }
        };
        if let Some(first) = addresses.insert(camera.rtsp.clone(), *line) {
            row.problem(address_column(&columns), format!("line {first} has the same address"), "keep one of the rows");
        }
        let given = columns.contains_key(&Column::Id) && !row.cell(Column::Id).is_empty();
        if given && let Some(first) = ids.get(&camera.id) {
            let message = format!("{:?} is the id of line {first} too", camera.id);
            row.problem(Column::Id, message, "give each camera an id of its own");
        }
        let base = camera.id.clone();
        let mut number = 2;
        while !given && ids.contains_key(&camera.id) {
            camera.id = format!("{base}-{number}");
            number += 1;
        }
        if row.problems.is_empty() {
            ids.insert(camera.id.clone(), *line);
            sheet.cameras.push(camera);
        }
        sheet.problems.append(&mut row.problems);
    }
    if columns.contains_key(&Column::Password) {
        sheet.ignored.push("the passwords: they belong into a file of their own, named in logins.toml".into());
    }
    Ok(sheet)
}

fn address_column(columns: &BTreeMap<Column, usize>) -> Column {
    if columns.contains_key(&Column::Rtsp) { Column::Rtsp } else { Column::Host }
}

fn column(heading: &str) -> Option<Column> {
    let plain = id_from(heading).replace('-', " ");
    let slashed = heading.to_lowercase();
    let names = HEADINGS.iter().find(|(_, names)| names.contains(&plain.as_str()) || names.contains(&slashed.trim()));
    names.map(|(column, _)| *column)
}

/// One row with what is wrong with it.
struct Row<'t> {
    line: usize,
    cells: &'t [String],
    columns: &'t BTreeMap<Column, usize>,
    headings: &'t [String],
    problems: Vec<RowProblem>,
}

impl Row<'_> {
    fn cell(&self, column: Column) -> &str {
        self.columns.get(&column).and_then(|number| self.cells.get(*number)).map_or("", String::as_str)
    }

    fn problem(&mut self, column: Column, message: String, remedy: &'static str) {
        let heading = self.columns.get(&column).and_then(|number| self.headings.get(*number));
        let column = heading.cloned().unwrap_or_default();
        self.problems.push(RowProblem { line: self.line, column, message, remedy });
    }

    fn camera(&mut self) -> Option<NewCamera> {
        let rtsp = self.rtsp();
        let kind = self.kind();
        let consent = self.consent(kind);
        let mac = self.mac();
        let off_hours = self.off_hours();
        let onvif = self.onvif(rtsp.as_ref());
        let name = self.cell(Column::Name).to_owned();
        let id = match self.cell(Column::Id) {
            "" => id_from(&name),
            id => id_from(id),
        };
        if id.is_empty() {
            self.problem(Column::Name, "the row names no camera".into(), "write a name or an id");
        }
        let text = |column| self.cell(column).to_owned();
        Some(NewCamera {
            name: if name.is_empty() { text(Column::Id) } else { name },
            id,
            kind,
            consent,
            rtsp: rtsp?.to_string(),
            onvif,
            login: text(Column::Login),
            link: text(Column::Link),
            area: text(Column::Area),
            device: text(Column::Device),
            serial: text(Column::Serial),
            mac,
            off_hours,
            ..NewCamera::default()
        })
    }

    fn rtsp(&mut self) -> Option<Url> {
        const EXAMPLE: &str = "write it like rtsp://10.20.1.7:554/sub, or give IP, port and path";
        let whole = self.cell(Column::Rtsp).to_owned();
        if !whole.is_empty() {
            let url = whole.parse::<Url>().ok().filter(|url| url.scheme() == "rtsp" && url.host_str().is_some());
            let Some(mut url) = url else {
                // What cannot be read may hold a password all the same.
                self.problem(Column::Rtsp, "this is no RTSP address".into(), EXAMPLE);
                return None;
            };
            // A login in an address is dropped here: it belongs into logins.toml.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            return Some(url);
        }
        let host = self.cell(Column::Host).to_owned();
        // A slip such as 10.20.300.1 would pass for a host name.
        let numbers_only = host.chars().all(|c| c.is_ascii_digit() || c == '.');
        let good = !host.is_empty()
            && (host.parse::<std::net::IpAddr>().is_ok()
                || (!numbers_only && Host::parse(&host).is_ok() && !host.contains(['/', '@', ':'])));
        if !good {
            self.problem(Column::Host, format!("{host:?} is no address"), "write it like 10.20.1.7");
        }
        let port = match self.cell(Column::Port) {
            "" => Some(554),
            port => port.parse::<u16>().ok().filter(|port| *port > 0),
        };
        if port.is_none() {
            let message = format!("{:?} is no port", self.cell(Column::Port));
            self.problem(Column::Port, message, "write a number from 1 to 65535; RTSP's own is 554");
        }
        let path = self.cell(Column::Path).trim_start_matches('/').to_owned();
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        let url = format!("rtsp://{host}:{}/{path}", port?);
        if !good {
            return None;
        }
        let parsed = url.parse().ok();
        if parsed.is_none() {
            self.problem(Column::Path, format!("{path:?} is no path"), EXAMPLE);
        }
        parsed
    }

    fn kind(&mut self) -> Option<&'static str> {
        let text = self.cell(Column::Kind).to_owned();
        match id_from(&text).replace('-', " ").as_str() {
            "public" | "cong cong" | "xa" | "cong an" | "nha nuoc" => Some("public"),
            "household" | "ho dan" | "dan" | "ho gia dinh" | "xa hoi hoa" => Some("household"),
            "" if !self.columns.contains_key(&Column::Kind) => Some("public"),
            _ => {
                let message = format!("{text:?} is no kind of camera");
                self.problem(Column::Kind, message, "write \"công cộng\" (public) or \"hộ dân\" (household)");
                None
            }
        }
    }

    fn consent(&mut self, kind: Option<&str>) -> String {
        let text = self.cell(Column::Consent).to_owned();
        // As dates are written in Vietnam, and as in files.
        let date = ["%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y-%m-%d"].iter().find_map(|format| {
            let date = Date::strptime(format, &text).ok()?;
            (date.year() > 1990).then_some(date)
        });
        match (kind, date) {
            (Some("household"), Some(date)) => date.to_string(),
            (Some("household"), None) => {
                let message = match text.as_str() {
                    "" => "a household camera needs the day on which its owner agreed".to_owned(),
                    text => format!("{text:?} is no date"),
                };
                self.problem(Column::Consent, message, "write it like 31/12/2026, under a heading \"Ngày đồng ý\"");
                String::new()
            }
            _ => String::new(),
        }
    }

    fn mac(&mut self) -> String {
        let text = self.cell(Column::Mac).to_owned();
        let mac = Identity::mac_from(&text);
        if mac.is_none() && !text.is_empty() {
            self.problem(Column::Mac, format!("{text:?} is no hardware address"), "write it like 00:11:22:33:44:55");
        }
        mac.unwrap_or_default()
    }

    fn off_hours(&mut self) -> Vec<String> {
        let text = self.cell(Column::OffHours).to_owned();
        let mut hours = Vec::new();
        for span in text.split([',', ';']).map(str::trim).filter(|span| !span.is_empty()) {
            let span = span.replace('–', "-").replace('h', ":").replace(' ', "");
            // 22:-5: was 22h-5h.
            let whole: Vec<String> = span
                .split('-')
                .map(|time| if time.ends_with(':') { format!("{time}00") } else { time.into() })
                .collect();
            let span = whole.join("-");
            match span.parse::<DailyHours>() {
                Ok(_) => hours.push(span),
                Err(()) => {
                    let message = format!("{text:?} is no span of a day");
                    self.problem(Column::OffHours, message, "write it like 22:00-05:00");
                    return Vec::new();
                }
            }
        }
        hours
    }

    /// A whole address, or the port of the usual one.
    fn onvif(&mut self, rtsp: Option<&Url>) -> String {
        let text = self.cell(Column::Onvif).to_owned();
        let yes: BTreeSet<&str> = ["x", "co", "yes", "có"].into();
        let host = rtsp.and_then(Url::host_str).unwrap_or_default();
        if text.is_empty() || matches!(text.as_str(), "-" | "0" | "không" | "no") {
            return String::new();
        }
        if yes.contains(text.to_lowercase().as_str()) {
            return format!("http://{host}/onvif/device_service");
        }
        if let Ok(port) = text.parse::<u16>() {
            return format!("http://{host}:{port}/onvif/device_service");
        }
        let url = text.parse::<Url>().ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        match url {
            Some(mut url) => {
                let _ = url.set_username("");
                let _ = url.set_password(None);
                url.to_string()
            }
            None => {
                self.problem(
                    Column::Onvif,
                    "this is no ONVIF address".into(),
                    "write a port such as 80, or leave it empty",
                );
                String::new()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHEET: &str = "STT;Tên camera;Loại;Địa chỉ IP;Cổng;Đường dẫn;ONVIF;Tài khoản;Mật khẩu;Ngày đồng ý;Giờ tắt\n\
        1;Ngã tư Chợ;công cộng;10.20.1.7;554;/sub;80;public;canary;;\n\
        2;Ngã tư Chợ;Công cộng;10.20.1.8;;sub;;public;canary;;\n\
        3;Hộ 001;hộ dân;10.20.100.2;8554;sub;;household;canary;31/12/2025;22h-5h\n";

    #[test]
    fn a_vietnamese_sheet_becomes_entries() {
        let sheet = read(SHEET.as_bytes()).expect("a table");
        assert_eq!(sheet.problems, []);
        let ids: Vec<&str> = sheet.cameras.iter().map(|camera| camera.id.as_str()).collect();
        assert_eq!(ids, ["nga-tu-cho", "nga-tu-cho-2", "ho-001"]);
        assert_eq!(sheet.cameras[0].onvif, "http://10.20.1.7:80/onvif/device_service");
        assert_eq!(sheet.cameras[2].consent, "2025-12-31");
        assert_eq!(sheet.cameras[2].rtsp, "rtsp://10.20.100.2:8554/sub");
        assert_eq!(sheet.cameras[2].off_hours, ["22:00-5:00"]);
        assert!(!super::super::write(&sheet.cameras).contains("canary"));
        assert_eq!(sheet.ignored.len(), 2, "{:?}", sheet.ignored);
    }

    #[test]
    fn every_bad_row_is_named() {
        let text = "Mã,Tên,Loại,IP,Cổng,MAC,Ngày đồng ý\n\
            a,A,công cộng,10.20.300.1,554,,\n\
            b,B,lạ,10.20.1.2,99999,00:11,\n\
            c,C,hộ dân,10.20.1.3,,,hôm qua\n\
            d,D,hộ dân,10.20.1.4,,,\n\
            e,E,công cộng,10.20.1.5,,,\n\
            e,F,công cộng,10.20.1.6,,,\n\
            g,G,công cộng,10.20.1.5,,,\n";
        let sheet = read(text.as_bytes()).expect("a table");
        let named: Vec<(usize, &str)> = sheet.problems.iter().map(|p| (p.line, p.column.as_str())).collect();
        assert_eq!(
            named,
            [
                (2, "IP"),
                (3, "Cổng"),
                (3, "Loại"),
                (3, "MAC"),
                (4, "Ngày đồng ý"),
                (5, "Ngày đồng ý"),
                (7, "Mã"),
                (8, "IP")
            ]
        );
        assert_eq!(sheet.cameras.len(), 1);
    }

    #[test]
    fn logins_in_addresses_are_dropped_and_never_shown() {
        let text = "Name,RTSP\nGood,rtsp://admin:canary@10.0.0.1/sub\nBad,rtsp:/admin:canary@10.0.0.1/sub\n";
        let sheet = read(text.as_bytes()).expect("a table");
        assert_eq!(sheet.cameras[0].rtsp, "rtsp://10.0.0.1/sub");
        assert!(!format!("{sheet:?}").contains("canary"));
    }

    #[test]
    fn a_table_without_addresses_is_refused_with_its_headings() {
        let refused = read("Tên,Ghi chú\nA,B\n".as_bytes()).expect_err("no address");
        assert!(refused.contains("Ghi chú"), "{refused}");
    }
}
