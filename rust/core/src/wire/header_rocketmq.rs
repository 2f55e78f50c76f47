//! The binary header.
//!
//! ```text
//! code i16 | language u8 | version i16 | opaque i32 | flag i32
//! | remark length i32, remark | fields length i32, { key length i16, key, value length i32, value }*
//! ```
//!
//! Surprises: a length of 0 means null, so an empty value cannot be told from none. Codes above 32767 lose
//! their high bits; the eight pop requests are mapped back, as no other code collides with what is left of
//! them. Text that is not UTF-8 is replaced, not refused, as Java's decoder does. Bytes after the fields are
//! ignored.

use std::borrow::Cow;

use bytes::{BufMut, Bytes};

use super::codes::request;
use super::{Codec, Command, FLAG_RESPONSE, Fields, Language, WireError};
use crate::cursor::Cursor;

/// Requests whose codes need more than 16 bits and that peers send in this form all the same.
const TRUNCATED: [i32; 8] = [
    request::POP_MESSAGE,
    request::ACK_MESSAGE,
    request::PEEK_MESSAGE,
    request::CHANGE_MESSAGE_INVISIBLETIME,
    request::NOTIFICATION,
    request::POLLING_INFO,
    request::POP_ROLLBACK,
    request::BATCH_ACK_MESSAGE,
];

/// Where the opaque is in a header.
pub(super) const OPAQUE_AT: usize = 5;
/// Where the flag is in a header.
pub(super) const FLAG_AT: usize = 9;
/// Where the length of the fields is in a header without a remark.
pub(super) const FIELDS_AT: usize = 17;

/// Fields that a usual header has; saves growing the list.
const USUAL_FIELDS: usize = 16;

pub(super) fn decode(header: &[u8]) -> Result<Command, WireError> {
    let mut reader = Reader(Cursor::new(header));
    let code = i32::from(reader.i16("code")?);
    let language = Language(reader.u8("language")?);
    let version = i32::from(reader.i16("version")?);
    let opaque = reader.i32("opaque")?;
    let flag = reader.i32("flag")?;
    let remark_len = reader.i32("remark")?;
    let remark = reader.text("remark", remark_len)?;
    let fields = decode_fields(reader.fields()?)?;
    Ok(Command {
        code: widen(code, flag),
        language,
        version,
        opaque,
        flag,
        remark: remark.map(Cow::into_owned),
        fields,
        body: Bytes::new(),
        codec: Codec::Rocketmq,
    })
}

pub(super) fn encode(command: &Command, out: &mut Vec<u8>) -> Result<(), WireError> {
    out.put_i16(narrow(command)?);
    out.put_u8(command.language.0);
    let version = i16::try_from(command.version)
        .map_err(|_| WireError::NotBinary { field: "version", value: i64::from(command.version) })?;
    out.put_i16(version);
    out.put_i32(command.opaque);
    out.put_i32(command.flag);
    let remark = command.remark.as_deref().unwrap_or_default();
    out.put_i32(length("remark", remark.len(), i32::MAX as usize)?);
    out.put_slice(remark.as_bytes());
    let start = out.len();
    out.put_i32(0);
    for (key, value) in command.fields.iter().filter(|(key, _)| !key.is_empty()) {
        put_field(key, value, out)?;
    }
    let fields_len = length("fields", out.len() - start - 4, i32::MAX as usize)?;
    if let Some(word) = out.get_mut(start..start + 4) {
        word.copy_from_slice(&fields_len.to_be_bytes());
    }
    Ok(())
}

/// Appends one field.
pub(super) fn put_field(key: &str, value: &str, out: &mut Vec<u8>) -> Result<(), WireError> {
    out.put_i16(length("key", key.len(), i16::MAX as usize)? as i16);
    out.put_slice(key.as_bytes());
    out.put_i32(length("value", value.len(), i32::MAX as usize)?);
    out.put_slice(value.as_bytes());
    Ok(())
}

/// A request code as its sender meant it.
fn widen(code: i32, flag: i32) -> i32 {
    let meant = TRUNCATED.into_iter().find(|full| i32::from(*full as i16) == code);
    meant.filter(|_| flag & FLAG_RESPONSE == 0).unwrap_or(code)
}

/// The 16 bits of a code, refusing those that could not be mapped back.
fn narrow(command: &Command) -> Result<i16, WireError> {
    let code = command.code;
    if TRUNCATED.contains(&code) && !command.is_response() {
        return Ok(code as i16);
    }
    i16::try_from(code).map_err(|_| WireError::NotBinary { field: "code", value: i64::from(code) })
}

pub(super) fn length(field: &'static str, len: usize, limit: usize) -> Result<i32, WireError> {
    let fits = i32::try_from(len).ok().filter(|_| len <= limit);
    fits.ok_or(WireError::TooLong { field, len, limit })
}

fn decode_fields(section: &[u8]) -> Result<Fields, WireError> {
    if section.is_empty() {
        return Ok(Fields::new());
    }
    let mut fields = Fields::with_capacity(USUAL_FIELDS, section.len());
    let mut nulls = false;
    let mut reader = Reader(Cursor::new(section));
    while reader.0.remaining() > 0 {
        let key_len = i32::from(reader.i16("key")?);
        let key = reader.text("key", key_len)?;
        let value_len = reader.i32("value")?;
        let value = reader.text("value", value_len)?;
        match (key, value) {
            (Some(key), Some(value)) => fields.push(&key, &value),
            (Some(key), None) => {
                fields.push_null(&key);
                nulls = true;
            }
            (None, _) => {}
        }
    }
    if nulls {
        fields.drop_nulls();
    }
    Ok(fields)
}

/// A cursor whose missing bytes are errors with the field's name.
struct Reader<'a>(Cursor<'a>);

impl<'a> Reader<'a> {
    fn u8(&mut self, field: &'static str) -> Result<u8, WireError> {
        self.0.u8().ok_or_else(|| self.short(field, 1))
    }

    fn i16(&mut self, field: &'static str) -> Result<i16, WireError> {
        self.0.i16().ok_or_else(|| self.short(field, 2))
    }

    fn i32(&mut self, field: &'static str) -> Result<i32, WireError> {
        self.0.i32().ok_or_else(|| self.short(field, 4))
    }

    /// Text of a length just read; `None` for null.
    fn text(&mut self, field: &'static str, length: i32) -> Result<Option<Cow<'a, str>>, WireError> {
        let bytes = self.bytes(field, length)?;
        Ok((!bytes.is_empty()).then(|| String::from_utf8_lossy(bytes)))
    }

    /// The field section, which is all that is left of an old peer's header if it has none.
    fn fields(&mut self) -> Result<&'a [u8], WireError> {
        let length = self.i32("fields")?;
        self.bytes("fields", length)
    }

    fn bytes(&mut self, field: &'static str, length: i32) -> Result<&'a [u8], WireError> {
        let offset = self.0.offset();
        let count =
            usize::try_from(length).map_err(|_| WireError::NegativeLength { field, offset, length })?;
        self.0.take(count).ok_or_else(|| self.short(field, count))
    }

    fn short(&self, field: &'static str, need: usize) -> WireError {
        WireError::HeaderTruncated { field, offset: self.0.offset(), need, have: self.0.remaining() }
    }
}

#[cfg(test)]
#[path = "header_rocketmq_test.rs"]
mod tests;
