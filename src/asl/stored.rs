//! What the variables of an execution weigh together: "The total size of all stored variables cannot exceed
//! 10MiB per execution" (AWS guide, "Passing data between states with variables").

use serde_json::Value;

use super::cursor::{Cursor, Strand};
use super::failure::Failure;
use super::run::{Assigned, Run};

const LIMIT: usize = 10 << 20;

impl Run<'_> {
    /// Counts what the strand is about to assign; the error when the execution would hold too much. What a
    /// branch sees of the variables around it is counted there.
    pub(super) fn store(&mut self, id: u64, strand: &Strand, assigned: &Assigned) -> Result<(), Failure> {
        let weigh = |value: &Value| value.to_string().len();
        let more: usize = assigned.values().map(weigh).sum();
        let less: usize = assigned.keys().filter_map(|name| strand.variables.get(name)).map(weigh).sum();
        let Cursor { stored, strands, halted, .. } = &mut self.cursor;
        let own = (stored.remove(&id).unwrap_or_default() + more).saturating_sub(less);
        // What a branch assigned is gone with it.
        stored.retain(|other, _| strands.contains_key(other) || halted.contains_key(other));
        let others: usize = stored.values().sum();
        stored.insert(id, own);
        if own + others <= LIMIT {
            return Ok(());
        }
        let cause = format!("The variables of the execution are larger than {LIMIT} bytes together.");
        Err(self.placed(strand, Failure::runtime(cause)))
    }
}
