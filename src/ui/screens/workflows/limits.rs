//! What this console cannot see of an execution, and why.

use crate::domain::units;
use crate::ui::screens::workflows::run::Run;
use crate::ui::world::World;

impl Run {
    /// What this console cannot see of the execution, in a sentence.
    pub fn limits(&self, world: &World) -> Option<String> {
        /// AWS keeps so many events of an execution, and no more.
        const FULL: usize = 25_000;
        /// Clocks that differ by less show nothing odd.
        const SKEW: i64 = 2_000;
        if let Some(text) = self.told_by().filter(|_| !self.timeline.is_empty()) {
            return Some(text);
        }
        if self.timeline.len() >= FULL {
            return Some("The history is full at 25,000 events: what came after is not recorded".to_owned());
        }
        if let Some(problem) = self.stream.as_ref().filter(|_| !self.timeline.is_empty()) {
            return Some(format!("Not followed any further: {}", problem.title));
        }
        if let Some((since, problem)) = &self.interrupted {
            let since = world.zone().clock(*since);
            return Some(format!(
                "No answer since {since}, asked again until there is one: {}",
                problem.title
            ));
        }
        let ahead = self.timeline.last_event().zip(self.heard).map(|(event, heard)| event.at - heard)?;
        (ahead.num_milliseconds() > SKEW).then(|| {
            let by = units::duration(ahead);
            let whose = if world.setup.local { "the local cloud" } else { "AWS" };
            format!("This machine's clock is {by} behind {whose}: running times are off by that")
        })
    }
}
