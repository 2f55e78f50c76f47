//! Requests that Python answers, and requests that Python sends.

use std::net::SocketAddr;

use crate::session::Broker;
use crate::session::asker::Asker;
use crate::session::gate::Principal;
use crate::session::output::{Cold, ConnId, Output, Value};
use crate::session::settings::Now;
use crate::session::waiting::{COLD_PER_CONNECTION, COLD_TOTAL};
use crate::wire::codes::request;
use crate::wire::{Codec, Command, FLAG_RESPONSE};

/// A request that has passed the gate.
pub(super) struct Admitted {
    pub(super) conn: ConnId,
    pub(super) peer: SocketAddr,
    pub(super) principal: Principal,
    pub(super) command: Command,
}

impl Broker {
    /// Hands a request to Python, unless Python has too many already.
    pub(super) fn cold(&mut self, admitted: Admitted, now: Now) {
        let Admitted { conn, peer, principal, command } = admitted;
        let asker = Asker::of(conn, &command);
        if command.code != request::HEART_BEAT && !self.has_room(asker, now) {
            return self.overloaded(asker);
        }
        let Some(connection) = self.connections.get_mut(conn) else { return };
        connection.told = true;
        let token = if asker.oneway { 0 } else { self.waiting.park_cold(asker, now.mono_ms) };
        if token != 0 {
            connection.cold.insert(token);
        }
        self.counters.cold_commands += 1;
        self.outputs.push_back(Output::Cold(Cold::Command { conn, token, peer, principal, command }));
    }

    /// Whether Python may be given one more. Nothing tells when a one-way command has been dealt with, so these are limited
    /// by the second.
    fn has_room(&mut self, asker: Asker, now: Now) -> bool {
        let Some(connection) = self.connections.get_mut(asker.conn) else { return false };
        if asker.oneway {
            return connection.oneways.admit(COLD_PER_CONNECTION as u32, now.mono_ms)
                && self.oneways.admit(COLD_TOTAL as u32, now.mono_ms);
        }
        connection.cold.len() < COLD_PER_CONNECTION && self.waiting.cold_len() < COLD_TOTAL
    }

    /// Sends Python's answer to a cold request.
    pub(super) fn respond(&mut self, token: u64, mut command: Command) {
        let Some(asker) = self.waiting.take_cold(token) else { return };
        if let Some(connection) = self.connections.get_mut(asker.conn) {
            connection.cold.remove(&token);
        }
        command.opaque = asker.opaque;
        command.codec = asker.codec;
        command.flag |= FLAG_RESPONSE;
        let body = std::mem::take(&mut command.body);
        self.answer_with_body(asker, &command, if body.is_empty() { Vec::new() } else { vec![body] });
    }

    /// Forgets cold requests that Python has not answered; their clients have given up by now.
    pub(super) fn expire_cold(&mut self, now: Now) {
        for (token, asker) in self.waiting.expire(now.mono_ms) {
            if let Some(connection) = self.connections.get_mut(asker.conn) {
                connection.cold.remove(&token);
            }
        }
    }

    /// Sends Python's request to a client; `token` comes back with the client's answer.
    pub(super) fn push(&mut self, token: u64, conn: ConnId, mut command: Command) {
        self.push_opaque = self.push_opaque.wrapping_add(1);
        command.opaque = self.push_opaque;
        // As Apache's brokers push: every client reads it, whatever it writes itself.
        command.codec = Codec::Json;
        let delivered = match self.connections.get_mut(conn) {
            Some(connection) => {
                if !command.is_oneway() {
                    connection.expect_answer(command.opaque, token);
                }
                self.write(conn, &command, Vec::new())
            }
            None => false,
        };
        self.done(token, Value::Delivered(delivered));
    }

    /// A client's answer: handed on if it was asked for.
    pub(super) fn push_answered(&mut self, conn: ConnId, command: Command, peer: SocketAddr) {
        let token = self.connections.get_mut(conn).and_then(|connection| connection.answered(command.opaque));
        if let Some(token) = token {
            let principal = Principal::Anyone;
            self.outputs.push_back(Output::Cold(Cold::Command { conn, token, peer, principal, command }));
        }
    }
}
