//! RocketMQ's remoting protocol: frames, their two header codecs, and the JSON dialect of bodies.
//!
//! Everything here is bytes in, values out, and back. A frame is
//!
//! ```text
//! | length: u32 | header type: u8 | header length: u24 | header | body |
//! ```
//!
//! big-endian, where `length` counts what follows it. Either peer may use either header codec on any
//! frame; an answer carries the codec of its request. What breaks these rules closes the connection,
//! what merely is unusual is accepted: the rules follow what an Apache 5.5.0 server accepts.

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

pub mod codes;
pub mod fastjson;
mod field;
mod fields;
mod frame;
mod header;
mod header_json;
mod header_rocketmq;
pub mod proxy;
mod template;

pub use crate::error::{BadField, WireError};
pub use fields::Fields;
pub use frame::{FrameDecoder, MAX_FRAME, encode, encode_head};
pub use header::{Codec, Command, FLAG_ONEWAY, FLAG_RESPONSE, Language, VERSION};
pub use template::FrameTemplate;
