//! The custom header: a small ordered map from text to text.
//!
//! All keys and values of a header live in one string, and an entry is four positions in it. Decoding a
//! header thus costs two allocations, however many fields it has, and copying one costs two more. A look-up
//! is a backward scan, because the last of several equal keys counts (Java reads them into a map in order).

use std::collections::HashSet;

/// The `extFields` of a command.
#[derive(Clone, Default)]
pub struct Fields {
    text: String,
    entries: Vec<Entry>,
}

/// Half-open ranges of `text`. No value at all is `NULL..NULL`; it exists only while decoding.
#[derive(Clone, Copy)]
struct Entry {
    key: (u32, u32),
    value: (u32, u32),
}

const NULL: (u32, u32) = (u32::MAX, u32::MAX);

/// Four quotes, a colon and a comma in JSON; two lengths in the binary form.
const AROUND_ENTRY: usize = 6;

impl Fields {
    /// No fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// No fields yet, with room for so many entries and bytes of text.
    pub(crate) fn with_capacity(entries: usize, text: usize) -> Self {
        Self { text: String::with_capacity(text), entries: Vec::with_capacity(entries) }
    }

    /// The value under the key; the last one, if it was given several times.
    pub fn get(&self, key: &str) -> Option<&str> {
        let entry = self.entries.iter().rev().find(|entry| self.slice(entry.key) == key)?;
        Some(self.slice(entry.value))
    }

    /// Adds an entry without looking for an older one under the same key, which it hides.
    pub fn push(&mut self, key: &str, value: &str) {
        let entry = Entry { key: self.append(key), value: self.append(value) };
        self.entries.push(entry);
    }

    /// Adds an entry as [`push`](Self::push) does, its value written in pieces; what `write` returns.
    pub(crate) fn push_with<T>(&mut self, key: &str, write: impl FnOnce(&mut String) -> T) -> T {
        let key = self.append(key);
        let start = self.text.len();
        let written = write(&mut self.text);
        let value = self.range_from(start);
        self.entries.push(Entry { key, value });
        written
    }

    /// Adds an entry, or changes the visible one under the same key in place.
    pub fn set(&mut self, key: &str, value: &str) {
        match self.entries.iter().rposition(|entry| self.slice(entry.key) == key) {
            None => self.push(key, value),
            Some(position) => {
                let value = self.append(value);
                if let Some(entry) = self.entries.get_mut(position) {
                    entry.value = value;
                }
            }
        }
    }

    /// All entries in order. A key given twice comes twice, the one that counts last.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + '_ {
        self.entries.iter().map(|entry| (self.slice(entry.key), self.slice(entry.value)))
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// About how many bytes a header needs for them: their text, and what either codec puts around keys and values.
    pub(super) fn room(&self) -> usize {
        self.text.len() + self.entries.len() * AROUND_ENTRY
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Notes that the key's value is null; `drop_nulls` acts on it.
    pub(super) fn push_null(&mut self, key: &str) {
        let key = self.append(key);
        self.entries.push(Entry { key, value: NULL });
    }

    /// A null hides earlier values of its key, as it does in Java's map. One pass, because the number of
    /// fields is the peer's to choose.
    pub(super) fn drop_nulls(&mut self) {
        let Self { text, entries } = self;
        let mut seen = HashSet::with_capacity(entries.len());
        let mut kept = Vec::with_capacity(entries.len());
        for entry in entries.iter().rev() {
            if seen.insert(slice(text, entry.key)) && entry.value != NULL {
                kept.push(*entry);
            }
        }
        kept.reverse();
        *entries = kept;
    }

    /// Positions are 32 bits wide: a header has 24-bit length, and what we build ourselves is small. Text
    /// beyond them would be lost, which the encoder's limit makes unobservable.
    fn append(&mut self, text: &str) -> (u32, u32) {
        let start = self.text.len();
        self.text.push_str(text);
        self.range_from(start)
    }

    /// What was appended since.
    fn range_from(&mut self, start: usize) -> (u32, u32) {
        match (u32::try_from(start), u32::try_from(self.text.len())) {
            (Ok(start), Ok(end)) if end < u32::MAX => (start, end),
            _ => {
                self.text.truncate(start);
                (0, 0)
            }
        }
    }

    fn slice(&self, range: (u32, u32)) -> &str {
        slice(&self.text, range)
    }
}

fn slice(text: &str, (start, end): (u32, u32)) -> &str {
    text.get(start as usize..end as usize).unwrap_or_default()
}

impl<K: AsRef<str>, V: AsRef<str>> FromIterator<(K, V)> for Fields {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut fields = Self::new();
        for (key, value) in pairs {
            fields.push(key.as_ref(), value.as_ref());
        }
        fields
    }
}

impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Fields {}

impl std::fmt::Debug for Fields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Fields;

    #[test]
    fn the_last_of_equal_keys_counts() {
        let mut fields: Fields = [("a", "1"), ("b", "2"), ("a", "3")].into_iter().collect();
        assert_eq!(fields.get("a"), Some("3"));
        fields.set("a", "longer than before");
        fields.set("c", "");
        let all: Vec<_> = fields.iter().collect();
        assert_eq!(all, [("a", "1"), ("b", "2"), ("a", "longer than before"), ("c", "")]);
        assert_eq!((fields.len(), fields.get("d")), (4, None));
    }

    #[test]
    fn a_value_written_in_pieces_is_one() {
        let mut fields = Fields::with_capacity(1, 0);
        fields.push_with("a", |text| text.push('1'));
        fields.push_with("b", |_| {});
        assert_eq!(fields.iter().collect::<Vec<_>>(), [("a", "1"), ("b", "")]);
    }

    #[test]
    fn a_null_hides_earlier_values() {
        let mut fields = Fields::new();
        fields.push("a", "1");
        fields.push_null("b");
        fields.push("b", "2");
        fields.push_null("a");
        fields.drop_nulls();
        assert_eq!(fields.iter().collect::<Vec<_>>(), [("b", "2")]);
    }
}
