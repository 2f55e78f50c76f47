//! A group that falls behind what is kept is sent on to the oldest message, and that is told.

use rocketmq_lite_core::session::{Cold, Control, Level, Skip, Value};
use rocketmq_lite_core::wire::Command;

use crate::rig::*;

const MOVED: i32 = 21;

/// Twelve messages of 3 MiB in queue 0, of which all but the last two were removed.
fn purged() -> Rig {
    let mut rig = Rig::new();
    let conn = rig.connect();
    let body = "x".repeat(3 * 1024 * 1024);
    for _ in 0..12 {
        rig.store(conn, 0, &body, "a");
    }
    rig.advance(1_000); // only what is on the disk goes
    rig.submit(Control::Purge { before: rig.broker.statistics().log_end });
    rig.cold.clear();
    rig
}

fn stands_at(rig: &mut Rig, offset: i64) {
    rig.submit(Control::LoadOffsets(vec![(TOPIC.to_owned(), GROUP.to_owned(), 0, offset)]));
}

fn told(rig: &mut Rig) -> Vec<String> {
    let said = |cold| match cold {
        Cold::Log { level: Level::Warning, text } => Some(text),
        _ => None,
    };
    rig.cold.drain(..).filter_map(said).collect()
}

fn skips(rig: &mut Rig) -> Option<Value> {
    rig.submit(Control::Skips { group: GROUP.to_owned() })
}

fn behind() -> Command {
    pull(0, 3, "*", None)
}

#[test]
fn it_is_told_once_for_each_place() {
    let mut rig = purged();
    let conn = rig.connect();
    stands_at(&mut rig, 3);
    for _ in 0..3 {
        let answer = rig.call(conn, &behind());
        assert_eq!((answer.code, number(&answer, "nextBeginOffset")), (MOVED, 10));
    }
    let lines = told(&mut rig);
    assert!(
        matches!(&lines[..], [line] if line.contains("group VG") && line.contains("topic VT")
            && line.contains("in queue 0 it stood at offset 3 and is sent on to 10; 7 messages")),
        "{lines:?}"
    );
    let skip = Skip { topic: TOPIC.to_owned(), queue_id: 0, from: 3, to: 10, at_ms: START.wall_ms + 1_000 };
    assert_eq!(skips(&mut rig), Some(Value::Skips(vec![skip])));
}

#[test]
fn who_has_no_position_or_a_good_one_has_lost_nothing() {
    let mut rig = purged();
    let conn = rig.connect();
    assert_eq!(rig.call(conn, &behind()).code, MOVED);
    stands_at(&mut rig, 10);
    assert_eq!(rig.call(conn, &behind()).code, MOVED);
    assert_eq!(told(&mut rig), [""; 0]);
    assert_eq!(skips(&mut rig), Some(Value::Skips(vec![])));
}

#[test]
fn it_goes_with_the_topic_and_with_the_group() {
    for removal in [
        Control::RemoveTopic { name: TOPIC.to_owned() },
        Control::RemoveGroup { name: GROUP.to_owned(), clean_offsets: true },
    ] {
        let mut rig = purged();
        let conn = rig.connect();
        stands_at(&mut rig, 3);
        rig.call(conn, &behind());
        rig.submit(removal);
        assert_eq!(skips(&mut rig), Some(Value::Skips(vec![])));
    }
}
