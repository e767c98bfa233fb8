//! A row as either store gives it, and what is read of its columns.

use super::Value;
use crate::journal::Error;
use rusqlite::types::ValueRef;
use std::borrow::Cow;
use tokio_postgres::types::{FromSql, Type};

/// A row that was found.
#[derive(Clone, Copy)]
pub(in crate::journal) enum Row<'r> {
    File(&'r rusqlite::Row<'r>),
    Server(&'r tokio_postgres::Row),
}

/// A column does not hold what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::journal) struct Misread;

impl From<Misread> for Error {
    fn from(_: Misread) -> Self {
        Self::Misread
    }
}

/// A column by its place or by its name.
pub(in crate::journal) trait Place:
    rusqlite::RowIndex + tokio_postgres::row::RowIndex + std::fmt::Display + Copy
{
}

impl<P: rusqlite::RowIndex + tokio_postgres::row::RowIndex + std::fmt::Display + Copy> Place for P {}

impl<'r> Row<'r> {
    pub(in crate::journal) fn get<T: Column>(self, place: impl Place) -> Result<T, Misread> {
        T::of(self.value(place)?).ok_or(Misread)
    }

    /// A column as it stands there.
    pub(in crate::journal) fn value(self, place: impl Place) -> Result<Value<'r>, Misread> {
        match self {
            Self::File(row) => match row.get_ref(place).map_err(|_| Misread)? {
                ValueRef::Null => Ok(Value::Null),
                ValueRef::Integer(number) => Ok(Value::Integer(number)),
                ValueRef::Text(text) => Ok(Value::Text(Cow::Borrowed(std::str::from_utf8(text).map_err(|_| Misread)?))),
                ValueRef::Blob(bytes) => Ok(Value::Blob(Cow::Borrowed(bytes))),
                // No column of ours holds any.
                ValueRef::Real(_) => Err(Misread),
            },
            Self::Server(row) => row.try_get(place).map_err(|_| Misread),
        }
    }
}

impl<'r> FromSql<'r> for Value<'r> {
    fn from_sql(kind: &Type, raw: &'r [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(match *kind {
            Type::BOOL => Self::Integer(bool::from_sql(kind, raw)?.into()),
            Type::INT4 => Self::Integer(i32::from_sql(kind, raw)?.into()),
            Type::INT8 => Self::Integer(i64::from_sql(kind, raw)?),
            Type::BYTEA => Self::Blob(Cow::Borrowed(raw)),
            _ => Self::Text(Cow::Borrowed(<&str>::from_sql(kind, raw)?)),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::BOOL | Type::INT4 | Type::INT8 | Type::BYTEA | Type::TEXT | Type::NAME)
    }
}

/// What a column may be read as.
pub(in crate::journal) trait Column: Sized {
    fn of(value: Value<'_>) -> Option<Self>;
}

impl Column for i64 {
    fn of(value: Value<'_>) -> Option<Self> {
        if let Value::Integer(number) = value { Some(number) } else { None }
    }
}

macro_rules! integers {
    ($($kind:ty),*) => {
        $(impl Column for $kind {
            fn of(value: Value<'_>) -> Option<Self> {
                i64::of(value).and_then(|number| number.try_into().ok())
            }
        })*
    };
}
integers!(u8, u16, u32);

impl Column for bool {
    fn of(value: Value<'_>) -> Option<Self> {
        i64::of(value).map(|number| number != 0)
    }
}

impl Column for String {
    fn of(value: Value<'_>) -> Option<Self> {
        if let Value::Text(text) = value { Some(text.into_owned()) } else { None }
    }
}

impl Column for Vec<u8> {
    fn of(value: Value<'_>) -> Option<Self> {
        if let Value::Blob(bytes) = value { Some(bytes.into_owned()) } else { None }
    }
}

impl<T: Column> Column for Option<T> {
    fn of(value: Value<'_>) -> Option<Self> {
        if value == Value::Null { Some(None) } else { T::of(value).map(Some) }
    }
}
