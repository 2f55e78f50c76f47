//! A bounds-checked reader of big-endian fields, shared by every decoder of this crate.
//!
//! It answers `None` where bytes are missing; the caller knows which error that is in its format.

/// Reads from the front of a slice and remembers how far it got.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    /// Bytes consumed so far.
    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    /// Bytes not yet consumed.
    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len() - self.offset
    }

    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.offset.checked_add(count)?;
        let taken = self.bytes.get(self.offset..end)?;
        self.offset = end;
        Some(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn i16(&mut self) -> Option<i16> {
        self.array().map(i16::from_be_bytes)
    }

    pub(crate) fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_be_bytes)
    }

    pub(crate) fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_be_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    #[test]
    fn reads_fields_in_order_and_stops_at_the_end() {
        let mut cursor = Cursor::new(&[1, 0xff, 0xfe, 0, 0, 0, 7]);
        assert_eq!(cursor.u8(), Some(1));
        assert_eq!(cursor.i16(), Some(-2));
        assert_eq!(cursor.i64(), None);
        assert_eq!(cursor.i32(), Some(7));
        assert_eq!((cursor.offset(), cursor.remaining()), (7, 0));
        assert_eq!(cursor.u8(), None);
    }

    #[test]
    fn a_count_that_overflows_is_missing_bytes() {
        let mut cursor = Cursor::new(&[1, 2]);
        cursor.u8();
        assert_eq!(cursor.take(usize::MAX), None);
        assert_eq!(cursor.remaining(), 1);
    }
}
