//! The I/O around the core: sockets, flush and reader threads.
