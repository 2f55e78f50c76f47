//! The tokens of the dialect: blanks and comments, strings, numbers and bare words.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr2, memmem};

use super::Value;
use crate::error::WireError;

/// Which member names are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::wire) enum Names {
    /// Those in quotes, besides numbers and objects: what 5.5.0 reads, used for headers.
    Quoted,
    /// Bare words too: what fastjson 1 reads, used for bodies.
    Any,
}

impl Names {
    /// A value takes two bytes of text and many more of memory, so a text of the largest frame must not
    /// have as many as fit. Of a header, its fields and unknown members that are text are not counted: they are not kept.
    fn max_values(self) -> usize {
        match self {
            Self::Quoted => 1 << 10,
            Self::Any => 1 << 21,
        }
    }
}

/// How far the end of a string is looked for byte by byte: names and numbers are shorter than what starting a faster search
/// costs.
const NEAR: usize = 16;

/// A position in a text.
#[derive(Debug)]
pub(in crate::wire) struct Lexer<'a> {
    text: &'a [u8],
    /// The same text, if it is UTF-8 as a whole: then no piece of it needs to be looked at again.
    utf8: Option<&'a str>,
    at: usize,
    pub(super) names: Names,
    /// Whether a member is called `$ref`, so that a second pass is needed.
    pub(super) has_references: bool,
    /// Values that may still be built.
    budget: usize,
}

impl<'a> Lexer<'a> {
    pub(in crate::wire) fn new(text: &'a [u8], names: Names) -> Self {
        let utf8 = std::str::from_utf8(text).ok();
        Self { text, utf8, at: 0, names, has_references: false, budget: names.max_values() }
    }

    /// Accounts for one more value.
    pub(super) fn charge(&mut self) -> Result<(), WireError> {
        let left = self.budget.checked_sub(1);
        self.budget = left.ok_or(WireError::JsonTooLarge { limit: self.names.max_values() })?;
        Ok(())
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The next byte that is neither blank nor comment.
    #[inline]
    pub(in crate::wire) fn peek(&mut self) -> Result<Option<u8>, WireError> {
        match self.text.get(self.at) {
            // Writers put nothing between tokens.
            Some(&byte) if byte > b' ' && byte != b'/' => Ok(Some(byte)),
            _ => self.skip(),
        }
    }

    /// Passes blanks and comments; the byte behind them.
    fn skip(&mut self) -> Result<Option<u8>, WireError> {
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                b'/' => self.comment()?,
                byte => return Ok(Some(byte)),
            }
        }
        Ok(None)
    }

    /// Consumes the byte if it comes next.
    #[inline]
    pub(in crate::wire) fn eat(&mut self, wanted: u8) -> Result<bool, WireError> {
        let found = self.peek()? == Some(wanted);
        self.at += usize::from(found);
        Ok(found)
    }

    #[inline]
    pub(in crate::wire) fn expect(&mut self, wanted: u8, expected: &'static str) -> Result<(), WireError> {
        if self.eat(wanted)? { Ok(()) } else { Err(self.wrong(expected)) }
    }

    /// Nothing but blanks may follow.
    pub(in crate::wire) fn end(&mut self) -> Result<(), WireError> {
        if self.peek()?.is_none() { Ok(()) } else { Err(self.wrong("the end")) }
    }

    pub(in crate::wire) fn wrong(&self, expected: &'static str) -> WireError {
        WireError::Json { offset: self.at, expected }
    }

    /// A string in either kind of quotes. Bytes that are not UTF-8 are replaced.
    pub(in crate::wire) fn string(&mut self) -> Result<Cow<'a, str>, WireError> {
        let quote = self.quote()?;
        let piece = self.until(quote)?;
        if self.stopped_at() == Some(quote) {
            return Ok(self.text_of(piece));
        }
        let mut text = self.text_of(piece).into_owned();
        text.push(self.escape()?);
        self.append_rest(quote, &mut text)?;
        Ok(Cow::Owned(text))
    }

    /// Appends a string as [`Self::string`] reads it; on failure a part of it may be there.
    pub(in crate::wire) fn append_string(&mut self, text: &mut String) -> Result<(), WireError> {
        let quote = self.quote()?;
        self.append_rest(quote, text)
    }

    fn append_rest(&mut self, quote: u8, text: &mut String) -> Result<(), WireError> {
        loop {
            let piece = self.until(quote)?;
            text.push_str(&self.text_of(piece));
            if self.stopped_at() == Some(quote) {
                return Ok(());
            }
            text.push(self.escape()?);
        }
    }

    /// The quote that begins a string.
    fn quote(&mut self) -> Result<u8, WireError> {
        let Some(quote @ (b'"' | b'\'')) = self.peek()? else { return Err(self.wrong("a string")) };
        self.at += 1;
        Ok(quote)
    }

    /// A number, with the type suffix that fastjson writes on request (`1L`, `2.0F`).
    pub(super) fn number(&mut self) -> Result<Value, WireError> {
        let start = self.at;
        let digits =
            self.run(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'));
        let text = std::str::from_utf8(digits).unwrap_or_default();
        let value = text
            .parse()
            .map(Value::Int)
            .or_else(|_| text.parse().map(Value::Float))
            .map_err(|_| WireError::Json { offset: start, expected: "a number" })?;
        if let Some(b'L' | b'S' | b'B' | b'F' | b'D') = self.text.get(self.at) {
            self.at += 1;
        }
        Ok(value)
    }

    /// A bare word: letters, digits, `_` and `$`, and everything beyond ASCII.
    pub(super) fn word(&mut self) -> Cow<'a, str> {
        let word =
            self.run(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii());
        String::from_utf8_lossy(word)
    }

    fn run(&mut self, belongs: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|byte| !belongs(*byte)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// Where the bytes up to the quote or a backslash are; that, too, is consumed.
    #[inline]
    fn until(&mut self, quote: u8) -> Result<Range<usize>, WireError> {
        let (start, rest) = (self.at, self.text.get(self.at..).unwrap_or_default());
        let near = rest.get(..NEAR).unwrap_or(rest);
        let near = near.iter().position(|byte| *byte == quote || *byte == b'\\');
        if let Some(length) = near.or_else(|| memchr2(quote, b'\\', rest)) {
            self.at = start + length + 1;
            return Ok(start..start + length);
        }
        self.at = self.text.len();
        Err(self.wrong("the end of the string"))
    }

    /// The byte consumed last.
    fn stopped_at(&self) -> Option<u8> {
        self.text.get(self.at.checked_sub(1)?).copied()
    }

    /// A part of the text, which begins and ends beside ASCII. Bytes that are not UTF-8 are replaced.
    fn text_of(&self, piece: Range<usize>) -> Cow<'a, str> {
        match self.utf8 {
            Some(text) => Cow::Borrowed(text.get(piece).unwrap_or_default()),
            None => String::from_utf8_lossy(self.text.get(piece).unwrap_or_default()),
        }
    }

    /// What stands behind a backslash.
    fn escape(&mut self) -> Result<char, WireError> {
        let Some(&byte) = self.text.get(self.at) else { return Err(self.wrong("an escape")) };
        let plain = match byte {
            b'"' | b'\'' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'v' => '\u{b}',
            b'0'..=b'7' => char::from(byte - b'0'),
            b'x' => {
                self.at += 1;
                return Ok(char::from(self.hex(2)? as u8));
            }
            b'u' => {
                self.at += 1;
                return self.utf16();
            }
            _ => return Err(self.wrong("an escape")),
        };
        self.at += 1;
        Ok(plain)
    }

    /// One or two UTF-16 units; half a pair is replaced.
    fn utf16(&mut self) -> Result<char, WireError> {
        let high = self.hex(4)?;
        if !(0xd800..0xdc00).contains(&high) {
            return Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let after_high = self.at;
        if self.text.get(self.at..).is_some_and(|rest| rest.starts_with(b"\\u")) {
            self.at += 2;
            let low = self.hex(4)?;
            if (0xdc00..0xe000).contains(&low) {
                let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = after_high;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex(&mut self, digits: usize) -> Result<u32, WireError> {
        let text = self.text.get(self.at..self.at + digits).filter(|text| !text.is_empty());
        let number = text.and_then(|text| {
            text.iter().try_fold(0, |number, digit| Some((number << 4) | char::from(*digit).to_digit(16)?))
        });
        let number = number.ok_or_else(|| self.wrong("hexadecimal digits"))?;
        self.at += digits;
        Ok(number)
    }

    fn comment(&mut self) -> Result<(), WireError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = if rest.starts_with(b"//") {
            memchr::memchr(b'\n', rest).unwrap_or(rest.len())
        } else if rest.starts_with(b"/*") {
            let inside = rest.get(2..).unwrap_or_default();
            memmem::find(inside, b"*/").ok_or_else(|| self.wrong("the end of the comment"))? + 4
        } else {
            return Err(self.wrong("a value"));
        };
        self.at += length;
        Ok(())
    }
}
