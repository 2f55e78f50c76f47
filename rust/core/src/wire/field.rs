//! One field of a custom header, and what it says: text, a number or a boolean, there or not.
//!
//! Numbers are read by Java's rules (`Integer.parseInt`), booleans too: equal to "true" in any case.

use std::str::FromStr;

use super::{BadField, Fields};

/// One field, there or not, with the name that an error says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a> {
    name: &'a str,
    value: Option<&'a str>,
}

impl<'a> Field<'a> {
    /// Its text.
    pub(crate) fn value(self) -> Option<&'a str> {
        self.value
    }

    /// Its text, which must be there.
    pub(crate) fn required(self) -> Result<&'a str, BadField> {
        self.value.ok_or_else(|| missing(self.name))
    }

    /// As a number, if present.
    pub(crate) fn number<T: FromStr>(self) -> Result<Option<T>, BadField> {
        let not_a_number = |value: &str| BadField::NotANumber { key: self.name.into(), value: value.into() };
        self.value.map(|value| value.parse().map_err(|_| not_a_number(value))).transpose()
    }

    /// As a number, which must be there.
    pub(crate) fn required_number<T: FromStr>(self) -> Result<T, BadField> {
        self.number()?.ok_or_else(|| missing(self.name))
    }

    /// As a boolean, if present.
    pub(crate) fn bool(self) -> Option<bool> {
        self.value.map(|value| value.eq_ignore_ascii_case("true"))
    }
}

impl Fields {
    /// Several fields, found in one pass: cheap when the entries come in the order of the names, as they mostly do.
    pub(crate) fn pick<'a, const N: usize>(&'a self, names: &[&'a str; N]) -> [Field<'a>; N] {
        let mut picked = names.map(|name| Field { name, value: None });
        let mut expected = 0;
        for (key, value) in self.iter() {
            let is_next = names.get(expected).is_some_and(|name| *name == key);
            let found = if is_next { Some(expected) } else { names.iter().position(|name| *name == key) };
            if let Some(field) = found.and_then(|at| picked.get_mut(at)) {
                field.value = Some(value);
            }
            expected = found.map_or(expected, |at| at + 1);
        }
        picked
    }

    /// The field as a 32-bit number, if present.
    pub fn i32(&self, key: &str) -> Result<Option<i32>, BadField> {
        self.field(key).number()
    }

    /// The field as a 64-bit number, if present.
    pub fn i64(&self, key: &str) -> Result<Option<i64>, BadField> {
        self.field(key).number()
    }

    /// The field as a boolean, if present: "true" in any case, everything else is false.
    pub fn bool(&self, key: &str) -> Option<bool> {
        self.field(key).bool()
    }

    /// The field, which must be there.
    pub fn required_str(&self, key: &str) -> Result<&str, BadField> {
        self.get(key).ok_or_else(|| missing(key))
    }

    /// The field as a 32-bit number, which must be there.
    pub fn required_i32(&self, key: &str) -> Result<i32, BadField> {
        self.field(key).required_number()
    }

    /// The field as a 64-bit number, which must be there.
    pub fn required_i64(&self, key: &str) -> Result<i64, BadField> {
        self.field(key).required_number()
    }

    fn field<'a>(&'a self, name: &'a str) -> Field<'a> {
        Field { name, value: self.get(name) }
    }
}

fn missing(key: &str) -> BadField {
    BadField::Missing { key: key.into() }
}

#[cfg(test)]
mod tests {
    use super::{BadField, Field, Fields};

    #[test]
    fn numbers_and_booleans_follow_javas_rules() {
        let fields: Fields =
            [("i", "-5"), ("l", "9223372036854775807"), ("t", "TRUE"), ("f", "yes"), ("x", " 1")]
                .into_iter()
                .collect();
        assert_eq!(fields.i32("i"), Ok(Some(-5)));
        assert_eq!(fields.i64("l"), Ok(Some(i64::MAX)));
        assert!(fields.i32("l").is_err() && fields.i32("x").is_err());
        assert_eq!((fields.bool("t"), fields.bool("f"), fields.bool("n")), (Some(true), Some(false), None));
        assert_eq!(fields.i32("n"), Ok(None));
        assert_eq!(fields.required_i64("n"), Err(BadField::Missing { key: "n".into() }));
        assert_eq!(fields.required_str("i"), Ok("-5"));
        assert_eq!(fields.required_i32("i"), Ok(-5));
    }

    #[test]
    fn fields_are_picked_in_any_order_and_the_last_counts() {
        let fields: Fields =
            [("b", "x"), ("z", "?"), ("c", "1"), ("a", "2"), ("c", "3"), ("b", "4")].into_iter().collect();
        let [a, b, c, d] = fields.pick(&["a", "b", "c", "d"]);
        assert_eq!([a, b, c, d].map(Field::value), [Some("2"), Some("4"), Some("3"), None]);
        assert_eq!((a.required_number::<i32>(), d.number::<i32>()), (Ok(2), Ok(None)));
        assert_eq!(d.required(), Err(BadField::Missing { key: "d".into() }));
        let [_, b] = fields.pick(&["d", "b"]);
        assert_eq!(b.required_number(), Ok(4));
    }
}
