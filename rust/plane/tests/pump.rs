//! The owner without threads: what the engine asks of the disk is done when `poll` returns.

mod support;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rocketmq_lite_core::session::{Broker, Control, Now, Settings, TopicEntry, Value};
use rocketmq_lite_core::store::{FileSystem, FlushMode, MemFs};
use rocketmq_lite_core::wire::codes::request::SEND_MESSAGE;
use rocketmq_lite_plane::{Action, Event, Pump};

use support::{frame, open_store, send_fields};

const NOW: Now = Now { wall_ms: 1_700_000_000_000, mono_ms: 0 };

#[test]
fn a_flushed_send_is_answered_by_one_poll() {
    let files: Arc<dyn FileSystem> = Arc::new(MemFs::new());
    let host = SocketAddr::from((Ipv4Addr::LOCALHOST, 10911));
    let broker = Broker::new(Settings::new("broker-a", "C", host), open_store(&files, FlushMode::Sync));
    let mut pump = Pump::new(broker);
    pump.submit(1, Control::PutTopic(TopicEntry::new("T", 4)), NOW);
    let conn = pump.open(NOW, host);
    pump.receive(conn, &frame(SEND_MESSAGE, 1, &send_fields("0"), b"body"), NOW);
    let actions = pump.poll(NOW);
    let [Action::Send(to, chunks)] = &actions[..] else { panic!("{actions:?}") };
    assert_eq!(*to, conn);
    pump.sent(conn, chunks.iter().map(bytes::Bytes::len).sum(), NOW);
    let statistics = pump.statistics();
    assert_eq!((statistics.messages_in, statistics.flushes), (1, 1));
    assert_eq!(statistics.flushed_end, statistics.log_end);
    pump.submit(2, Control::Stop, NOW);
    assert!(pump.poll(NOW).is_empty());
    let events = pump.take(1);
    assert!(matches!(events[..], [Event::Done(1, Value::Unit)]), "{events:?}");
    assert!(matches!(pump.take(8)[..], [Event::Done(2, Value::Unit)]));
}
