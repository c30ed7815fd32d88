//! The events of executions. Those of one step are stored together, under the execution's key and the
//! id of the last of them, so that a page from any id on reads only what it shows.

use std::ops::ControlFlow;

use serde_json::{Value, json};

use super::super::fault::Fault;
use super::super::store::{Store, Table};
use super::record::{from_bytes, seconds};
use crate::asl::event::Event;

pub const HISTORY: Table = "states.history";

/// The key of a chunk whose last event is `last`.
pub fn chunk(execution: &str, last: i64) -> String {
    format!("{execution}\0{last:08}")
}

/// At most `most` events from the id `from` on, in order.
pub fn forward(store: &Store, execution: &str, from: i64, most: usize) -> Result<Vec<Event>, Fault> {
    let mut found: Vec<Event> = Vec::new();
    let mut broken = None;
    let after = chunk(execution, from - 1);
    store.scan(HISTORY, &format!("{execution}\0"), &after, |_, bytes| {
        match from_bytes::<Vec<Event>>(bytes) {
            Ok(events) => found.extend(events.into_iter().filter(|e| e.id >= from)),
            Err(fault) => broken = Some(fault),
        }
        if found.len() < most && broken.is_none() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    found.truncate(most);
    broken.map_or(Ok(found), Err)
}

/// An event as GetExecutionHistory shows it; without execution data, inputs and outputs are left out.
pub fn show(event: &Event, data: bool) -> Value {
    let mut shown = json!({
        "timestamp": seconds(event.at),
        "type": event.kind,
        "id": event.id,
        "previousEventId": event.previous,
    });
    if let Some(details) = &event.details {
        let mut details = details.clone();
        if let (false, Some(members)) = (data, details.as_object_mut()) {
            for member in ["input", "output", "parameters", "cause", "error", "assignedVariables"] {
                members.shift_remove(member);
            }
            for member in ["inputDetails", "outputDetails", "assignedVariablesDetails"] {
                if let Some(about) = members.get_mut(member) {
                    about["truncated"] = true.into();
                }
            }
        }
        shown[event.member()] = details;
    }
    shown
}
