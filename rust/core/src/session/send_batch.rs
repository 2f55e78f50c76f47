//! `SEND_BATCH_MESSAGE` (320), or any send marked as a batch: all its messages are stored, or none.
//!
//! Each message becomes a record of its own with the properties it was sent with and nothing else, not even the broker's
//! own (Apache 5.5.0 does so); they lie one behind the other in one queue. The header's properties are the batch's:
//! `WAIT` counts for all its messages, `UNIQ_KEY` comes back in the answer, neither is stored.
//!
//! What makes no batch is 13: Apache's code for batches that are too large, delayed, transactional or for a retry topic.
//! Apache does not look into the messages, so that a delay given to one of them is forgotten and the message delivered at
//! once; here it is refused as the batch's own would be.

use crate::record::NewRecord;
use crate::record::batch::{self, BatchItem};
use crate::session::Broker;
use crate::session::asker::Asker;
use crate::session::halt::Halt;
use crate::session::names::RETRY_PREFIX;
use crate::session::refusal::Refusal;
use crate::session::run::{Places, Stored, refusal_of};
use crate::session::send_header::SendHeader;
use crate::session::send_properties;
use crate::session::settings::Now;
use crate::wire::Command;
use crate::wire::codes::response;

impl Broker {
    /// Stores a batch that has passed the checks of every send.
    pub(super) fn try_send_batch(
        &mut self,
        asker: Asker,
        header: &SendHeader<'_>,
        command: &Command,
        now: Now,
    ) -> Result<Stored, Halt> {
        if header.topic.starts_with(RETRY_PREFIX) {
            return Err(illegal(format!("a batch cannot go to the retry topic {}", header.topic)).into());
        }
        self.check_size(command.body.len()).map_err(illegal)?;
        let items = check_items(header, &command.body)?;
        let target = self.target(header, command.version)?;
        self.check_accepting()?;
        let (born_host, store_host) = (self.peer(asker.conn), self.settings.store_host);
        let records = items.iter().map(|item| NewRecord {
            topic: &target.topic,
            queue_id: target.queue_id,
            flag: item.flag,
            sys_flag: target.sys_flag,
            born_timestamp: header.born_timestamp,
            born_host,
            store_host,
            reconsume_times: header.reconsume_times,
            prepared_transaction_offset: 0,
            body: item.body,
            properties: item.properties.as_bytes(),
        });
        let placed = self.store.append_all(records, now.wall_ms).map_err(|error| refusal_of(&error))?;
        let (unique_key, waits) = send_properties::key_and_wait(header.properties);
        Ok(Stored {
            asker,
            began_ms: now.mono_ms,
            queue_id: target.queue_id,
            placed: Places::Batch(placed),
            unique_key: unique_key.map(str::to_owned),
            waits,
        })
    }
}

/// The messages of a batch that can be stored as it is.
fn check_items<'a>(header: &SendHeader<'_>, body: &'a [u8]) -> Result<Vec<BatchItem<'a>>, Refusal> {
    check_supported(header.properties, header.sys_flag)?;
    let items: Vec<_> = batch::items(body).collect::<Result<_, _>>().map_err(illegal)?;
    for item in &items {
        check_supported(item.properties, header.sys_flag)?;
    }
    Ok(items)
}

fn check_supported(properties: &str, sys_flag: i32) -> Result<(), Refusal> {
    match send_properties::check_supported(properties, sys_flag, false) {
        Ok(false) => Ok(()),
        Ok(true) => Err(illegal("a batch cannot be delayed (property DELAY)".to_owned())),
        Err(refusal) => Err(illegal(refusal.remark)),
    }
}

fn illegal(reason: impl std::fmt::Display) -> Refusal {
    Refusal::new(response::MESSAGE_ILLEGAL, format!("the batch is refused as a whole: {reason}"))
}
