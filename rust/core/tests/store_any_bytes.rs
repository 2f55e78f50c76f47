//! Whatever is in the files of a store: it is opened without any of what makes no sense, or refused.

use proptest::prelude::*;

use inputs::{damaged, noise};

mod any_bytes;
#[expect(dead_code, reason = "no text here")]
mod inputs;

/// A byte of choices, and behind it noise or a file that is a little damaged.
fn kind_and(file: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    (any::<u8>(), prop_oneof![1 => noise(), 3 => damaged(file)])
        .prop_map(|(kind, file)| [&[kind], &*file].concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_log_of_any_bytes_is_recovered_or_refused(bytes in kind_and(any_bytes::log_seed())) {
        any_bytes::recovery(&bytes);
    }

    #[test]
    fn a_queue_of_any_bytes_shows_nothing_that_is_not_there(bytes in kind_and(any_bytes::queue_seed())) {
        any_bytes::queue(&bytes);
    }

    #[test]
    fn extensions_of_any_bytes_show_every_message_to_who_asks_for_all(bytes in kind_and(any_bytes::ext_seed())) {
        any_bytes::extensions(&bytes);
    }

    #[test]
    fn an_index_of_any_bytes_shows_nothing_that_is_not_there(bytes in kind_and(any_bytes::index_seed())) {
        any_bytes::index(&bytes);
    }
}
