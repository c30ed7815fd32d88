//! How strands and executions end: with an output, with a failure, aborted; and what is called off then.

use std::collections::BTreeMap;

use serde_json::json;

use super::cursor::{At, Outcome, Strand, Ticket};
use super::event;
use super::failure::{Failure, RUNTIME};
use super::machine::Kind;
use super::run::Run;
use super::step::Directive;

impl Run<'_> {
    /// The strand has run its last state.
    pub fn complete(&mut self, id: u64, strand: Strand) {
        if strand.parent.is_some() {
            return self.joined(id, strand);
        }
        let details = event::with_data(json!({}), "output", strand.input.text());
        self.record(strand.previous, "ExecutionSucceeded", Some(details));
        self.finish(Outcome::Succeeded(strand.input));
    }

    /// The strand cannot go on.
    pub fn fail_strand(&mut self, id: u64, strand: Strand, failure: Failure) {
        if self.cursor.halted.is_empty() {
            self.cursor.halted = self.cursor.strands.clone();
            self.cursor.halted.insert(id, strand.clone());
        }
        // A runtime error ends the execution wherever it is met: no state above can catch it.
        if strand.parent.is_some() && failure.name() != RUNTIME {
            return self.broken(id, strand, failure);
        }
        let details = event::with_failure(json!({}), &failure);
        self.record(strand.previous, "ExecutionFailed", Some(details));
        self.finish(Outcome::Failed(failure));
    }

    /// Ends everything, remembering where it stood.
    pub fn halt(&mut self) {
        let strands = std::mem::take(&mut self.cursor.strands);
        self.cursor.halted = strands.clone();
        self.abort(strands);
    }

    pub fn finish(&mut self, outcome: Outcome) {
        match &outcome {
            Outcome::Aborted(failure) => {
                let details = event::with_failure(json!({}), failure);
                self.record(self.cursor.events, "ExecutionAborted", Some(details));
            }
            Outcome::TimedOut(failure) => {
                let details = event::with_failure(json!({}), failure);
                self.record(self.cursor.events, "ExecutionTimedOut", Some(details));
            }
            Outcome::Failed(failure) if self.exhausted => {
                let details = event::with_failure(json!({}), failure);
                self.record(self.cursor.events, "ExecutionFailed", Some(details));
            }
            _ => {}
        }
        if let Some(timer) = self.cursor.deadline.take() {
            self.out.push(Directive::Cancel(timer.ticket));
        }
        if matches!(outcome, Outcome::Succeeded(_)) {
            self.cursor.halted.clear();
        }
        for strand in std::mem::take(&mut self.cursor.strands).into_values() {
            self.cancel_all(&strand);
        }
        self.cursor.ready.clear();
        self.cursor.over = Some(outcome.clone());
        self.out.push(Directive::Finish(outcome));
    }

    /// Ends what the strands have under way, the innermost first, and records it.
    pub fn abort(&mut self, strands: BTreeMap<u64, Strand>) {
        for (_, strand) in strands.into_iter().rev() {
            let Some(state) = self.state(&strand) else { continue };
            self.cancel_all(&strand);
            if matches!(state.kind, Kind::Task(_) | Kind::Wait(_) | Kind::Parallel { .. } | Kind::Map(_))
                && !matches!(strand.at, At::Entering)
            {
                self.record(strand.previous, &format!("{}StateAborted", state.type_name()), None);
            }
            if let Some(name) = self.iteration_of(&strand) {
                let details = json!({"name": name, "index": strand.index});
                self.record(strand.previous, "MapIterationAborted", Some(details));
            }
        }
    }

    /// Nobody waits any more for what the strand has under way.
    pub fn cancel_all(&mut self, strand: &Strand) {
        match &strand.at {
            At::Waiting(timer) | At::BackingOff(timer) => self.cancel(timer.ticket),
            At::Working(work) => {
                self.cancel(work.ticket);
                work.timeout.iter().chain(&work.heartbeat).for_each(|t| self.cancel(t.ticket));
            }
            At::Entering | At::Starting | At::Joining(_) => {}
        }
    }

    pub fn cancel(&mut self, ticket: Ticket) {
        self.out.push(Directive::Cancel(ticket));
    }
}
