//! `rocketmq_lite._native`: conversion between Python and the core, no logic.
//!
//! `python/rocketmq_lite/_native.pyi` is the face of this module: types and documentation are there.

use pyo3::prelude::*;

mod batch;
mod bytes_like;
mod cold;
mod control;
mod deliveries;
mod errors;
mod fastjson;
mod filter;
mod message_ids;
mod messages;
mod outgoing;
mod plane;
mod receipts;
mod record;
mod repair;
mod sends;
mod session;
mod settings;
mod store;
mod tls;
mod untracked;
mod wire;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("build_profile", if cfg!(debug_assertions) { "debug" } else { "release" })?;
    module.add("WireError", module.py().get_type::<errors::WireError>())?;
    module.add("SqlError", module.py().get_type::<errors::SqlError>())?;
    module.add("OutOfPlaceError", module.py().get_type::<errors::OutOfPlaceError>())?;
    module.add("StoreError", module.py().get_type::<errors::StoreError>())?;
    add_wire(module)?;
    add_record(module)?;
    module.add_class::<store::OfflineStore>()?;
    module.add_class::<store::StoreCheck>()?;
    module.add_class::<repair::StoreRepair>()?;
    add_engine(module)
}

fn add_wire(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<wire::RawCommand>()?;
    module.add_class::<wire::FrameDecoder>()?;
    module.add_class::<wire::FrameTemplate>()?;
    module.add_function(wrap_pyfunction!(wire::encode_command, module)?)?;
    module.add_function(wrap_pyfunction!(fastjson::json_loads, module)?)?;
    module.add_function(wrap_pyfunction!(fastjson::json_dumps, module)?)
}

fn add_record(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<messages::MessageBatch>()?;
    module.add_class::<messages::RawMessage>()?;
    module.add_class::<deliveries::Deliveries>()?;
    module.add_class::<deliveries::Delivery>()?;
    module.add_class::<message_ids::UniqueKeys>()?;
    module.add_class::<message_ids::MessageIds>()?;
    module.add_class::<receipts::SendReceipt>()?;
    module.add_class::<receipts::SendAnswer>()?;
    module.add_class::<outgoing::OutgoingMessage>()?;
    module.add_class::<sends::SendRequest>()?;
    module.add_class::<sends::LongFrame>()?;
    module.add_class::<sends::SendTarget>()?;
    module.add_class::<filter::SqlFilter>()?;
    module.add_class::<batch::BatchEncoder>()?;
    module.add_function(wrap_pyfunction!(record::encode_properties, module)?)?;
    module.add_function(wrap_pyfunction!(record::decode_properties, module)?)?;
    module.add_function(wrap_pyfunction!(record::java_hash, module)?)?;
    module.add_function(wrap_pyfunction!(record::parse_offset_id, module)?)
}

fn add_engine(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<control::Control>()?;
    module.add_class::<cold::Cold>()?;
    module.add_class::<settings::Opening>()?;
    module.add_class::<session::Engine>()?;
    module.add_class::<tls::Tls>()?;
    module.add_function(wrap_pyfunction!(tls::self_made_certificate, module)?)?;
    module.add_class::<plane::Reactor>()
}
