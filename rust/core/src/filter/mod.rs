//! What a subscription selects.

pub mod sql;
pub mod tags;

use std::sync::Arc;

use sql::SqlFilter;
use tags::TagFilter;

/// A compiled subscription, of either kind. Copies are cheap.
#[derive(Debug, Clone)]
pub enum Filter {
    /// By tag: a queue's entries say what matches.
    Tags(TagFilter),
    /// By a condition over properties: the messages themselves have to be read.
    Sql(Arc<SqlFilter>),
}

impl Filter {
    /// Selects everything.
    pub fn all() -> Self {
        Self::Tags(TagFilter::all())
    }
}

impl From<TagFilter> for Filter {
    fn from(filter: TagFilter) -> Self {
        Self::Tags(filter)
    }
}

impl From<SqlFilter> for Filter {
    fn from(filter: SqlFilter) -> Self {
        Self::Sql(Arc::new(filter))
    }
}
