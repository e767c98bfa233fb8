//! The inventory as work: a contractor's spreadsheet read, devices that were found compared with those that are known,
//! and both written as entries of a configuration. Pure: text in, text out; files and network are the shell's.

mod draft;
mod entry;
mod found;
mod sheet;
mod table;
mod workbook;

pub use draft::{Draft, Ntfy, files, password_file};
pub use entry::{NewCamera, id_from, write};
pub use found::{Finding, Found, KnownCamera, compare};
pub use sheet::{RowProblem, Sheet, read};
