//! The pages of an SQLite file, read without SQLite: whatever is broken around a page, its rows are its own.
//!
//! <https://www.sqlite.org/fileformat2.html>. What is committed in the WAL counts; what was begun and not committed
//! does not, nor do pages that the file no longer uses, as long as its list of those can be believed.

use super::place;
use rusqlite::types::Value;
use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::Path,
};

/// Pages that hold rows of a numbered table, and of a keyed table or an index; of the latter, those that lead to others
/// hold rows too.
const NUMBERED: u8 = 0x0d;
const KEYED: u8 = 0x0a;
const KEYED_INNER: u8 = 0x02;
/// The size that SQLite gives the pages of new files. What the header says of it may be damaged and has no sum.
const PAGE: usize = 4096;
/// No row of ours is as long.
const LONGEST: usize = 4 * 1024 * 1024;
/// No table of ours has as many columns.
const WIDEST: usize = 20;

/// What lies in a place for a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    /// Values, after the row's number where it has one.
    Row(Option<i64>, Vec<Value>),
    /// No row that can be read.
    Damaged,
}

/// A file's pages.
#[derive(Debug)]
pub(super) struct Pages {
    file: File,
    size: usize,
    count: u32,
    wal: Option<File>,
    /// Where the WAL has the latest committed content of a page.
    frames: HashMap<u32, u64>,
    unused: HashSet<u32>,
}

impl Pages {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut pages = Self { file, size: PAGE, count: 0, wal: None, frames: HashMap::new(), unused: HashSet::new() };
        pages.count = u32::try_from(length.div_ceil(pages.size as u64)).unwrap_or(u32::MAX);
        if let Ok(wal) = File::open(place::beside(path, "-wal")) {
            pages.read_wal(&wal);
            pages.wal = Some(wal);
        }
        pages.unused = pages.unused_pages().unwrap_or_default();
        Ok(pages)
    }

    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// The cells of a page; none if it holds no rows.
    pub(super) fn cells(&self, number: u32) -> Vec<Cell> {
        if self.unused.contains(&number) {
            return Vec::new();
        }
        let Some(page) = self.page(number) else { return Vec::new() };
        let start = if number == 1 { 100 } else { 0 };
        let kind = page[start];
        if !matches!(kind, NUMBERED | KEYED | KEYED_INNER) {
            return Vec::new();
        }
        // Before a cell of an inner page stands what it leads to, and before all of them what the last leads to.
        let inner = if kind == KEYED_INNER { 4 } else { 0 };
        let count = usize::from(u16::from_be_bytes([page[start + 3], page[start + 4]]));
        let places = page[start + 8 + inner..].chunks_exact(2).take(count);
        let places = places.map(|place| usize::from(u16::from_be_bytes([place[0], place[1]])));
        let cell = |at: usize| self.cell(&page, at + inner, kind == NUMBERED).unwrap_or(Cell::Damaged);
        // What cannot be read of a keyed page may be an index's, and is no row.
        places.map(cell).filter(|cell| kind == NUMBERED || *cell != Cell::Damaged).collect()
    }

    fn cell(&self, page: &[u8], mut at: usize, numbered: bool) -> Option<Cell> {
        let length = usize::try_from(varint(page, &mut at)?).ok().filter(|length| *length <= LONGEST)?;
        let number = match numbered {
            true => Some(i64::from_ne_bytes(varint(page, &mut at)?.to_ne_bytes())),
            false => None,
        };
        let most = if numbered { self.size - 35 } else { (self.size - 12) * 64 / 255 - 23 };
        let least = (self.size - 12) * 32 / 255 - 23;
        let local = match least + length.saturating_sub(least) % (self.size - 4) {
            _ if length <= most => length,
            fitting if fitting <= most => fitting,
            _ => least,
        };
        let mut payload = page.get(at..at.checked_add(local)?)?.to_vec();
        let mut next = if length > local { word(page, at + local)? } else { 0 };
        while payload.len() < length {
            let page = self.page(next).filter(|_| !self.unused.contains(&next))?;
            let more = (length - payload.len()).min(self.size - 4);
            payload.extend_from_slice(page.get(4..4 + more)?);
            next = word(&page, 0)?;
        }
        Some(Cell::Row(number, record(&payload)?))
    }

    /// A page as it was committed last. A disk that cannot read it costs this page alone.
    fn page(&self, number: u32) -> Option<Vec<u8>> {
        if number == 0 || number > self.count {
            return None;
        }
        let mut page = vec![0; self.size];
        match (self.frames.get(&number), &self.wal) {
            (Some(at), Some(wal)) => wal.read_exact_at(&mut page, *at).ok()?,
            _ => {
                // The last page of a file that is cut off is there in part.
                let start = u64::from(number - 1) * self.size as u64;
                let mut read = 0;
                while read < page.len() {
                    match self.file.read_at(&mut page[read..], start + read as u64) {
                        Ok(0) => break,
                        Ok(more) => read += more,
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(_) => return None,
                    }
                }
            }
        }
        Some(page)
    }

    /// Notes what the WAL holds, up to the last commit that is whole.
    fn read_wal(&mut self, wal: &File) -> Option<()> {
        let mut header = [0; 32];
        wal.read_exact_at(&mut header, 0).ok()?;
        let big = match word(&header, 0)? {
            0x377f_0682 => false,
            0x377f_0683 => true,
            _ => return None,
        };
        let size = page_size(word(&header, 8)?)?;
        let mut sum = checksum((0, 0), &header[..24], big);
        if sum != (word(&header, 24)?, word(&header, 28)?) {
            return None;
        }
        if self.size != size {
            // The WAL's header has a sum and the file's has none.
            self.count = u32::try_from(u64::from(self.count) * self.size as u64 / size as u64).unwrap_or(u32::MAX);
            self.size = size;
        }
        let mut frame = vec![0; 24 + size];
        let mut begun = HashMap::new();
        let mut at = 32;
        while wal.read_exact_at(&mut frame, at).is_ok() {
            sum = checksum(checksum(sum, &frame[..8], big), &frame[24..], big);
            if frame[8..16] != header[16..24] || sum != (word(&frame, 16)?, word(&frame, 20)?) {
                break;
            }
            begun.insert(word(&frame, 0)?, at + 24);
            let committed = word(&frame, 4)?;
            if committed != 0 {
                self.frames.extend(begun.drain());
                self.count = committed;
            }
            at += frame.len() as u64;
        }
        Some(())
    }

    /// The pages that the file no longer uses; `None` if the list is broken anywhere, and then nothing of it counts.
    fn unused_pages(&self) -> Option<HashSet<u32>> {
        let header = self.page(1)?;
        let (mut trunk, count) = (word(&header, 32)?, word(&header, 36)?);
        let mut unused = HashSet::new();
        while trunk != 0 {
            let page = self.page(trunk)?;
            let leaves = usize::try_from(word(&page, 4)?).ok().filter(|leaves| *leaves <= self.size / 4 - 2)?;
            let members = (0..leaves).map(|leaf| word(&page, 8 + 4 * leaf)).chain([Some(trunk)]);
            for member in members {
                let member = member.filter(|member| (2..=self.count).contains(member))?;
                unused.insert(member).then_some(())?;
            }
            trunk = word(&page, 0)?;
        }
        (unused.len() == usize::try_from(count).ok()?).then_some(unused)
    }
}

fn page_size(told: u32) -> Option<usize> {
    let size = if told == 1 { 65_536 } else { told };
    (size.is_power_of_two() && (512..=65_536).contains(&size)).then_some(size as usize)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// The WAL's sum, in the byte order of the machine that wrote it.
fn checksum(mut sum: (u32, u32), bytes: &[u8], big: bool) -> (u32, u32) {
    let number = |bytes: &[u8]| {
        let bytes = [bytes[0], bytes[1], bytes[2], bytes[3]];
        if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    };
    for pair in bytes.chunks_exact(8) {
        sum.0 = sum.0.wrapping_add(number(&pair[..4])).wrapping_add(sum.1);
        sum.1 = sum.1.wrapping_add(number(&pair[4..])).wrapping_add(sum.0);
    }
    sum
}

fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0u64;
    for place in 0..9 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        if place == 8 {
            return Some(value << 8 | u64::from(byte));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(value)
}

fn record(payload: &[u8]) -> Option<Vec<Value>> {
    let mut at = 0;
    let header = usize::try_from(varint(payload, &mut at)?).ok()?;
    let mut body = header;
    let mut values = Vec::new();
    while at < header {
        let kind = varint(payload, &mut at)?;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(kind).ok()?,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            _ => usize::try_from((kind - 12) / 2).ok()?,
        };
        let bytes = payload.get(body..body.checked_add(length)?)?;
        body += length;
        values.push(match kind {
            0 => Value::Null,
            8 | 9 => Value::Integer(i64::from(kind == 9)),
            1..=6 => Value::Integer(integer(bytes)),
            7 => Value::Real(f64::from_be_bytes(bytes.try_into().ok()?)),
            _ if kind % 2 == 0 => Value::Blob(bytes.to_vec()),
            _ => Value::Text(String::from_utf8(bytes.to_vec()).ok()?),
        });
        if values.len() > WIDEST {
            return None;
        }
    }
    (at == header && body == payload.len()).then_some(values)
}

/// A number of up to eight bytes, with its sign.
fn integer(bytes: &[u8]) -> i64 {
    let sign = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) { -1 } else { 0 };
    bytes.iter().fold(sign, |number, byte| number << 8 | i64::from(*byte))
}
