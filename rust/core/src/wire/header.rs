//! The header model: what a frame says, whichever codec wrote it.

use bytes::Bytes;

use super::Fields;

/// The version number we report: 5.3.3, the newest release whose duties (going away, the mapping section of
/// a compressed registration) we fulfil.
pub const VERSION: i32 = 479;

/// Flag bit of a response.
pub const FLAG_RESPONSE: i32 = 1;

/// Flag bit of a request that is never answered.
pub const FLAG_ONEWAY: i32 = 2;

/// How a header is written. The number is the top byte of the frame's header word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Type 0: a JSON object.
    Json,
    /// Type 1: the binary form, 16 bits for the code.
    Rocketmq,
}

/// The sender's language. Unknown numbers are kept, so that they can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Language(pub u8);

/// Names by number, as in Apache's `LanguageCode`.
const LANGUAGES: [&str; 14] = [
    "JAVA", "CPP", "DOTNET", "PYTHON", "DELPHI", "ERLANG", "RUBY", "OTHER", "HTTP", "GO", "PHP", "OMS",
    "RUST", "NODE_JS",
];

impl Language {
    /// What a header without a language means.
    pub const JAVA: Self = Self(0);
    /// Gets its offset reset pushed in list form.
    pub const CPP: Self = Self(1);
    /// What we report: 4.9 peers know it, unlike RUST.
    pub const PYTHON: Self = Self(3);
    /// Stands for every name that we do not know.
    pub const OTHER: Self = Self(7);
    /// The Go client.
    pub const GO: Self = Self(9);
    /// Known to 5.x peers only.
    pub const RUST: Self = Self(12);

    /// Apache's name; `OTHER` for numbers without one.
    pub fn name(self) -> &'static str {
        LANGUAGES.get(usize::from(self.0)).copied().unwrap_or("OTHER")
    }

    /// The language with that name, `OTHER` if there is none.
    pub fn from_name(name: &str) -> Self {
        let found = LANGUAGES.iter().position(|known| *known == name);
        found.and_then(|number| u8::try_from(number).ok()).map_or(Self::OTHER, Self)
    }
}

/// One request or response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Request code or response code.
    pub code: i32,
    /// The sender's language.
    pub language: Language,
    /// The sender's version number.
    pub version: i32,
    /// Correlation number, chosen by the requester for this connection.
    pub opaque: i32,
    /// Bit 0: response. Bit 1: one-way request.
    pub flag: i32,
    /// Text for people, mostly with errors.
    pub remark: Option<String>,
    /// The custom header.
    pub fields: Fields,
    /// Everything after the header.
    pub body: Bytes,
    /// How the header was or will be written.
    pub codec: Codec,
}

impl Command {
    /// A request of ours without a body. The codec is the binary one unless the code needs more than its
    /// 16 bits.
    pub fn request(code: i32, opaque: i32, fields: Fields) -> Self {
        let codec = if i16::try_from(code).is_ok() { Codec::Rocketmq } else { Codec::Json };
        Self {
            code,
            language: Language::PYTHON,
            version: VERSION,
            opaque,
            flag: 0,
            remark: None,
            fields,
            body: Bytes::new(),
            codec,
        }
    }

    /// A response of ours without a body, to a request that had this correlation number and codec.
    pub fn response(code: i32, opaque: i32, codec: Codec) -> Self {
        Self {
            code,
            language: Language::PYTHON,
            version: VERSION,
            opaque,
            flag: FLAG_RESPONSE,
            remark: None,
            fields: Fields::new(),
            body: Bytes::new(),
            codec,
        }
    }

    /// The same with a remark.
    #[must_use]
    pub fn with_remark(mut self, remark: impl Into<String>) -> Self {
        self.remark = Some(remark.into());
        self
    }

    /// Whether it answers a request.
    pub fn is_response(&self) -> bool {
        self.flag & FLAG_RESPONSE != 0
    }

    /// Whether it must not be answered, not even on failure.
    pub fn is_oneway(&self) -> bool {
        self.flag & FLAG_ONEWAY != 0
    }
}

#[cfg(test)]
mod tests {
    use super::{Codec, Command, Language, VERSION};
    use crate::wire::Fields;

    #[test]
    fn a_response_keeps_what_correlates_it() {
        let request = Command::request(10, -7, Fields::new());
        let answer = Command::response(1, -7, Codec::Json).with_remark("no");
        assert_eq!((answer.code, answer.opaque, answer.codec), (1, -7, Codec::Json));
        assert_eq!((answer.language, answer.version), (Language::PYTHON, VERSION));
        assert!(answer.is_response() && !answer.is_oneway() && !request.is_response());
        assert_eq!(answer.remark.as_deref(), Some("no"));
    }

    #[test]
    fn codes_beyond_16_bits_ask_for_json() {
        assert_eq!(Command::request(32_767, 0, Fields::new()).codec, Codec::Rocketmq);
        assert_eq!(Command::request(200_050, 0, Fields::new()).codec, Codec::Json);
    }

    #[test]
    fn languages_have_apaches_names() {
        assert_eq!(Language::PYTHON.name(), "PYTHON");
        assert_eq!(Language::from_name("NODE_JS"), Language(13));
        assert_eq!(Language::from_name("python"), Language::OTHER);
        assert_eq!(Language(99).name(), "OTHER");
    }
}
