//! The body of a batch: its messages, one after the other.
//!
//! ```text
//! total size i32 | magic i32 | body crc i32 | flag i32 | body length i32, body | properties length i16, properties
//! ```
//!
//! all big-endian. Clients write zeros for magic and checksum; nobody reads them, and the checksum is made when the
//! message is stored. Apache's brokers go by the two inner lengths and Apache's clients write a total that agrees with
//! them: here a total that does not is an error, since either reading would be a guess.

use bytes::BufMut;

use super::reader::Reader;
use super::{DEFAULT_MAX_BODY, MAX_PROPERTIES, RecordError};

/// Bytes of everything of fixed width.
const FIXED: usize = 22;
/// Magic and checksum, which are not looked at.
const IGNORED: usize = 8;

/// One message of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchItem<'a> {
    /// The user's flag.
    pub flag: i32,
    /// The body; batches are not compressed.
    pub body: &'a [u8],
    /// Property text.
    pub properties: &'a str,
}

impl BatchItem<'_> {
    /// Size of the item, after checking that the format can hold it and a broker with the default limit takes it.
    pub fn encoded_len(&self) -> Result<usize, RecordError> {
        let (body, properties) = (self.body.len(), self.properties.len());
        if properties > MAX_PROPERTIES {
            return Err(RecordError::PropertiesTooLong { len: properties, limit: MAX_PROPERTIES });
        }
        if body > DEFAULT_MAX_BODY {
            return Err(RecordError::BodyTooLong { len: body, limit: DEFAULT_MAX_BODY });
        }
        Ok(FIXED + body + properties)
    }

    /// Appends the item and returns its size. On failure `out` is as it was.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<usize, RecordError> {
        let size = self.encoded_len()?;
        out.reserve(size);
        out.put_i32(size as i32);
        out.put_bytes(0, IGNORED);
        out.put_i32(self.flag);
        out.put_i32(self.body.len() as i32);
        out.put_slice(self.body);
        out.put_i16(self.properties.len() as i16);
        out.put_slice(self.properties.as_bytes());
        Ok(size)
    }
}

/// Collects items until a batch is large enough.
#[derive(Debug)]
pub struct BatchBuilder {
    body: Vec<u8>,
    items: usize,
    max_bytes: usize,
    max_items: usize,
}

impl BatchBuilder {
    /// An empty batch. The first item is taken whatever its size, so that none is left over for ever.
    pub fn new(max_bytes: usize, max_items: usize) -> Self {
        Self::in_buffer(Vec::new(), max_bytes, max_items)
    }

    /// The same, in the memory of an earlier batch, which need not be asked of the system again.
    pub fn in_buffer(mut buffer: Vec<u8>, max_bytes: usize, max_items: usize) -> Self {
        buffer.clear();
        Self { body: buffer, items: 0, max_bytes, max_items }
    }

    /// Takes the item, or says that there is no room for it.
    pub fn push(&mut self, item: &BatchItem<'_>) -> Result<bool, RecordError> {
        let size = self.body.len().saturating_add(item.encoded_len()?);
        if self.items > 0 && (size > self.max_bytes || self.is_full()) {
            return Ok(false);
        }
        item.encode(&mut self.body)?;
        self.items += 1;
        Ok(true)
    }

    /// Whether no item would be taken, whatever its size.
    pub fn is_full(&self) -> bool {
        self.items >= self.max_items.max(1)
    }

    /// The body, empty if nothing was taken.
    pub fn finish(self) -> Vec<u8> {
        self.body
    }
}

/// The items of a batch's body. After an error there is none.
pub fn items(body: &[u8]) -> impl Iterator<Item = Result<BatchItem<'_>, RecordError>> {
    let mut rest = body;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let read = split_item(rest);
        rest = read.as_ref().map_or(&[], |(_, rest)| rest);
        Some(read.map(|(item, _)| item))
    })
}

fn split_item(bytes: &[u8]) -> Result<(BatchItem<'_>, &[u8]), RecordError> {
    let size = Reader::new(bytes).i32("totalSize")?;
    let total = usize::try_from(size).ok().filter(|total| *total >= FIXED);
    let split = total.and_then(|total| bytes.split_at_checked(total));
    let (item, rest) = split.ok_or(RecordError::BadSize { size })?;
    let mut reader = Reader::new(item);
    reader.bytes("magic", size_of::<i32>() + IGNORED)?;
    let flag = reader.i32("flag")?;
    let body_len = reader.i32("body")?;
    let body = reader.sized("body", body_len)?;
    let properties_len = i32::from(reader.i16("properties")?);
    let properties = reader.text("properties", properties_len)?;
    if reader.remaining() > 0 {
        return Err(RecordError::BadSize { size });
    }
    Ok((BatchItem { flag, body, properties }, rest))
}

#[cfg(test)]
mod tests {
    use super::{BatchBuilder, BatchItem, items};
    use crate::record::RecordError;

    /// The item of Apache's `Message("hi")` with `WAIT=true`.
    const HI: &[u8] = b"\0\0\0\x22\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02hi\0\x0aWAIT\x01true\x02";

    fn first_error(body: &[u8]) -> RecordError {
        items(body).find_map(Result::err).expect("one item is wrong")
    }

    #[test]
    fn an_item_is_written_as_java_does() {
        let item = BatchItem { flag: 0, body: b"hi", properties: "WAIT\u{1}true\u{2}" };
        let mut out = Vec::new();
        assert_eq!(item.encode(&mut out), Ok(34));
        assert_eq!(out, HI);
        assert_eq!(items(&out).collect::<Result<Vec<_>, _>>(), Ok(vec![item]));
    }

    #[test]
    fn magic_and_checksum_are_not_looked_at() {
        let mut other = HI.to_vec();
        other[4..12].fill(0xff);
        assert_eq!(items(&other).next(), items(HI).next());
    }

    #[test]
    fn lengths_that_disagree_are_errors() {
        let changed = |at: usize, byte: u8| {
            let mut body = HI.to_vec();
            body[at] = byte;
            first_error(&body)
        };
        assert_eq!(changed(3, 0x23), RecordError::BadSize { size: 0x23 }, "runs over the batch");
        assert_eq!(changed(3, 21), RecordError::BadSize { size: 21 }, "less than the fixed part");
        assert_eq!(changed(0, 0x80), RecordError::BadSize { size: i32::MIN | 0x22 });
        assert_eq!(changed(19, 1), RecordError::Truncated { field: "properties", offset: 23, size: 34 });
        assert!(matches!(changed(16, 0xff), RecordError::NegativeLength { field: "body", .. }));
        assert!(matches!(changed(22, 0xff), RecordError::NegativeLength { field: "properties", .. }));
        assert_eq!(changed(23, 9), RecordError::BadSize { size: 34 }, "bytes behind the properties");
        assert_eq!(first_error(&HI[..3]), RecordError::Truncated { field: "totalSize", offset: 0, size: 3 });
    }

    #[test]
    fn a_builder_takes_what_fits_and_always_the_first() {
        let item = |body: &'static [u8]| BatchItem { flag: 0, body, properties: "" };
        let mut builder = BatchBuilder::new(46, 9);
        assert_eq!([builder.push(&item(b"a")), builder.push(&item(b"b"))], [Ok(true), Ok(true)]);
        assert_eq!(builder.push(&item(b"")), Ok(false), "46 bytes are reached");
        let buffer = builder.finish();
        assert_eq!(items(&buffer).count(), 2);
        let mut builder = BatchBuilder::in_buffer(buffer, 10, 9);
        assert_eq!([builder.push(&item(b"large")), builder.push(&item(b""))], [Ok(true), Ok(false)]);
        assert_eq!(items(&builder.finish()).count(), 1, "nothing of the batch before");
        let mut builder = BatchBuilder::new(1_000, 1);
        assert_eq!([builder.push(&item(b"a")), builder.push(&item(b"b"))], [Ok(true), Ok(false)]);
        assert!(builder.is_full() && !BatchBuilder::new(0, 0).is_full());
        let long = BatchItem { flag: 0, body: b"", properties: &"p".repeat(32_768) };
        assert!(matches!(builder.push(&long), Err(RecordError::PropertiesTooLong { .. })));
    }

    #[test]
    fn nothing_is_read_behind_an_error() {
        let mut body = vec![0, 0, 0, 1];
        body.extend_from_slice(HI);
        assert_eq!(items(&body).count(), 1);
        assert_eq!(items(&[]).count(), 0);
    }
}
