//! The pure core of RocketMQ Lite: formats and decisions, without sockets, clocks or threads.
