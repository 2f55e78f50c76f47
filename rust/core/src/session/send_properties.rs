//! The properties of a send: what the broker adds, and what it does not support and therefore refuses.

use crate::record::properties;
use crate::session::refusal::Refusal;
use crate::session::settings::Settings;
use crate::wire::codes::response;

const CLUSTER: &str = "CLUSTER";
const DELAY: &str = "DELAY";
const MSG_REGION: &str = "MSG_REGION";
const POP_CK: &str = "POP_CK";
const TRACE_ON: &str = "TRACE_ON";
const TRAN_MSG: &str = "TRAN_MSG";
const UNIQ_KEY: &str = "UNIQ_KEY";
const WAIT: &str = "WAIT";

/// Of these, what a delay level makes void.
pub(super) const VOID_BY_LEVEL: [&str; 3] =
    [properties::TIMER_DELAY_SEC, properties::TIMER_DELAY_MS, properties::TIMER_DELIVER_MS];

/// Properties that ask for, or belong to, delivery at an arbitrary time.
const TIMER: [&str; 9] = [
    "TIMER_DELAY_SEC",
    "TIMER_DELAY_MS",
    "TIMER_DELIVER_MS",
    "TIMER_OUT_MS",
    "TIMER_ENQUEUE_MS",
    "TIMER_DEQUEUE_MS",
    "TIMER_ROLL_TIMES",
    "TIMER_DEL_UNIQKEY",
    "TIMER_DELAY_LEVEL",
];

/// What they all begin with.
const TIMER_PREFIX: &str = "TIMER_";

/// sysFlag bits of transactional messages.
const TRANSACTION_BITS: i32 = 0x0C;
/// sysFlag bits of messages that are batches inside.
const INNER_BATCH_BITS: i32 = 0xC0;

/// Room for the broker's own properties and a unique key.
const OWN_TEXT: usize = 128;

/// What is stored with a message, and what the answer needs of it.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) text: String,
    pub(super) unique_key: String,
    /// Whether the producer wants to wait for the flush; only `WAIT=false` says no.
    pub(super) waits: bool,
}

/// Refuses what would need a timer, a transaction or an inner batch: storing it as an ordinary message would deliver it at
/// the wrong time, or at all. Tells whether the message has a delay level.
pub(super) fn check_supported(text: &str, sys_flag: i32, dead_letter: bool) -> Result<bool, Refusal> {
    let asks = Asks::read(text);
    let transaction = asks.transaction.is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if transaction || sys_flag & TRANSACTION_BITS != 0 {
        let remark = "transactional messages are not supported by this broker";
        return Err(Refusal::new(response::NO_PERMISSION, remark));
    }
    if sys_flag & INNER_BATCH_BITS != 0 {
        return Err(Refusal::new(
            response::MESSAGE_ILLEGAL,
            "inner batches are not supported by this broker",
        ));
    }
    let delayed = !dead_letter && is_delayed(asks.delay)?;
    if let Some(name) = if delayed { asks.timer_beside_level } else { asks.timer } {
        let remark = format!("timer messages (property {name}) are not supported by this broker");
        return Err(Refusal::new(response::MESSAGE_ILLEGAL, remark));
    }
    Ok(delayed)
}

/// What a message's properties ask of the broker, read in one pass.
#[derive(Default)]
struct Asks<'a> {
    transaction: Option<&'a str>,
    delay: Option<&'a str>,
    /// The first property of a timer.
    timer: Option<&'a str>,
    /// The first one that a delay level does not make void.
    timer_beside_level: Option<&'a str>,
}

impl<'a> Asks<'a> {
    fn read(text: &'a str) -> Self {
        let mut asks = Self::default();
        for (name, value) in properties::iter(text) {
            match name {
                TRAN_MSG => asks.transaction = Some(value),
                DELAY => asks.delay = Some(value),
                _ if name.starts_with(TIMER_PREFIX) && TIMER.contains(&name) => {
                    asks.timer.get_or_insert(name);
                    if !VOID_BY_LEVEL.contains(&name) {
                        asks.timer_beside_level.get_or_insert(name);
                    }
                }
                _ => {}
            }
        }
        asks
    }
}

/// Whether there is a delay level; 0 and below are none.
fn is_delayed(level: Option<&str>) -> Result<bool, Refusal> {
    let Some(level) = level else { return Ok(false) };
    level.parse::<i32>().map(|level| level > 0).map_err(|_| {
        let remark = format!("the delay level (property DELAY) is a number, not {level}");
        Refusal::new(response::MESSAGE_ILLEGAL, remark)
    })
}

/// The unique key, and whether the producer wants to wait for the flush.
pub(super) fn key_and_wait(text: &str) -> (Option<&str>, bool) {
    let (mut key, mut waits) = (None, true);
    for (name, value) in properties::iter(text) {
        match name {
            UNIQ_KEY => key = Some(value),
            WAIT => waits = !value.eq_ignore_ascii_case("false"),
            _ => {}
        }
    }
    (key, waits)
}

/// Adds the broker's own properties, and a unique key where none came along.
pub(super) fn prepare(
    text: &str,
    settings: &Settings,
    dead_letter: bool,
    new_key: impl FnOnce() -> String,
) -> Prepared {
    let mut builder = properties::Builder::with_capacity(text.len() + OWN_TEXT + settings.cluster.len());
    let (unique_key, waits) = key_and_wait(text);
    let mut rest = properties::iter(text);
    while let Some((name, value)) = rest.next() {
        match name {
            UNIQ_KEY | POP_CK | CLUSTER | MSG_REGION | TRACE_ON => {}
            DELAY if dead_letter => {}
            // The last of equal names counts.
            _ if rest.clone().any(|(later, _)| later == name) => {}
            _ => builder.push(name, value),
        }
    }
    let unique_key = unique_key.map_or_else(new_key, str::to_owned);
    builder.push(UNIQ_KEY, &unique_key);
    builder.push(CLUSTER, &settings.cluster);
    builder.push(MSG_REGION, &settings.region);
    builder.push(TRACE_ON, if settings.trace_on { "true" } else { "false" });
    Prepared { text: builder.finish(), unique_key, waits }
}
