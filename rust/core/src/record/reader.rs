//! Reads the fields of a record or of a batch's item; what is missing or impossible is an error with the field's name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::RecordError;
use crate::cursor::Cursor;

/// A cursor whose missing bytes are errors with the field's name.
pub(super) struct Reader<'a> {
    cursor: Cursor<'a>,
    size: usize,
}

impl<'a> Reader<'a> {
    /// Over one record or item, whose size is known.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { cursor: Cursor::new(bytes), size: bytes.len() }
    }

    /// Bytes behind what was read.
    pub(super) fn remaining(&self) -> usize {
        self.cursor.remaining()
    }

    pub(super) fn u8(&mut self, field: &'static str) -> Result<u8, RecordError> {
        self.cursor.u8().ok_or_else(|| self.truncated(field))
    }

    pub(super) fn i16(&mut self, field: &'static str) -> Result<i16, RecordError> {
        self.cursor.i16().ok_or_else(|| self.truncated(field))
    }

    pub(super) fn i32(&mut self, field: &'static str) -> Result<i32, RecordError> {
        self.cursor.i32().ok_or_else(|| self.truncated(field))
    }

    pub(super) fn i64(&mut self, field: &'static str) -> Result<i64, RecordError> {
        self.cursor.i64().ok_or_else(|| self.truncated(field))
    }

    pub(super) fn bytes(&mut self, field: &'static str, count: usize) -> Result<&'a [u8], RecordError> {
        self.cursor.take(count).ok_or_else(|| self.truncated(field))
    }

    /// Bytes of a length just read.
    pub(super) fn sized(&mut self, field: &'static str, length: i32) -> Result<&'a [u8], RecordError> {
        let offset = self.cursor.offset();
        let count =
            usize::try_from(length).map_err(|_| RecordError::NegativeLength { field, offset, length })?;
        self.bytes(field, count)
    }

    pub(super) fn text(&mut self, field: &'static str, length: i32) -> Result<&'a str, RecordError> {
        std::str::from_utf8(self.sized(field, length)?).map_err(|_| RecordError::NotUtf8 { field })
    }

    pub(super) fn host(&mut self, field: &'static str, is_v6: bool) -> Result<SocketAddr, RecordError> {
        let address = if is_v6 {
            self.cursor.array::<16>().map(|bytes| IpAddr::V6(Ipv6Addr::from(bytes)))
        } else {
            self.cursor.array::<4>().map(|bytes| IpAddr::V4(Ipv4Addr::from(bytes)))
        };
        let address = address.ok_or_else(|| self.truncated(field))?;
        let port = self.i32(field)?;
        let port = u16::try_from(port).map_err(|_| RecordError::BadPort { field, port })?;
        Ok(SocketAddr::new(address, port))
    }

    fn truncated(&self, field: &'static str) -> RecordError {
        RecordError::Truncated { field, offset: self.cursor.offset(), size: self.size }
    }
}
