//! Which executions are to be followed, from lists of them: what runs, and what began since the first look
//! however short it was.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::domain::execution::{Execution, Status};

/// What is known of the state machines that are watched.
#[derive(Debug, Default)]
pub struct Finder {
    /// By ARN.
    machines: BTreeMap<String, Seen>,
}

#[derive(Debug)]
enum Seen {
    /// It was there before the watching began and has not been asked yet: what is over already is not told.
    Unasked,
    /// Everything that started up to this moment was looked at, and what started just then.
    Upto(Option<DateTime<Utc>>, BTreeSet<String>),
}

impl Finder {
    /// Begins with the state machines that are there.
    pub fn new(machines: Vec<String>) -> Finder {
        Finder { machines: machines.into_iter().map(|arn| (arn, Seen::Unasked)).collect() }
    }

    /// Takes in the state machines that are there now: of a new one every execution is new.
    pub fn learn(&mut self, machines: Vec<String>) {
        self.machines.retain(|arn, _| machines.contains(arn));
        for arn in machines {
            self.machines.entry(arn).or_insert_with(|| Seen::Upto(None, BTreeSet::new()));
        }
    }

    pub fn forget(&mut self, machine: &str) {
        self.machines.remove(machine);
    }

    pub fn machines(&self) -> Vec<String> {
        self.machines.keys().cloned().collect()
    }

    pub fn len(&self) -> usize {
        self.machines.len()
    }

    /// Whether the page after these executions, newest first, may hold some that were not looked at.
    pub fn wants_more(&self, machine: &str, items: &[Execution]) -> bool {
        match (self.machines.get(machine), items.last()) {
            (Some(Seen::Upto(upto, _)), Some(last)) => upto.is_none_or(|upto| last.started >= upto),
            _ => false,
        }
    }

    /// From the newest executions of a machine, all of them or down to those that were looked at before: ARNs
    /// of what runs, and of what started since the last look.
    pub fn newest(&mut self, machine: &str, items: &[Execution]) -> Vec<String> {
        let Some(seen) = self.machines.get_mut(machine) else { return Vec::new() };
        let fresh = |one: &Execution| match &*seen {
            Seen::Unasked => false,
            Seen::Upto(upto, then) => {
                upto.is_none_or(|upto| one.started > upto || one.started == upto && !then.contains(&one.arn))
            }
        };
        let found = items.iter().filter(|one| !one.status.is_over() || fresh(one));
        let found = found.map(|one| one.arn.clone()).collect();
        let before = match &*seen {
            Seen::Unasked => None,
            Seen::Upto(upto, _) => *upto,
        };
        let newest = items.iter().map(|one| one.started).max().max(before);
        let mut then: BTreeSet<String> = match std::mem::replace(seen, Seen::Unasked) {
            Seen::Upto(upto, then) if upto == newest => then,
            _ => BTreeSet::new(),
        };
        then.extend(items.iter().filter(|one| Some(one.started) == newest).map(|one| one.arn.clone()));
        *seen = Seen::Upto(newest, then);
        found
    }

    /// From a list of what runs: ARNs. Of the list of all that run, however old.
    pub fn running(&self, items: &[Execution]) -> Vec<String> {
        let open = items.iter().filter(|one| matches!(one.status, Status::Running));
        open.map(|one| one.arn.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: &str = "arn:aws:states:us-east-1:000000000000:stateMachine:M";

    fn run(name: &str, second: i64, status: Status) -> Execution {
        Execution {
            arn: name.into(),
            name: name.into(),
            machine_arn: MACHINE.into(),
            status,
            started: DateTime::from_timestamp(second, 0).unwrap(),
            stopped: None,
            input: None,
            output: None,
            error: None,
            cause: None,
            redrives: 0,
        }
    }

    #[test]
    fn what_was_over_before_is_not_told_and_what_is_short_is() {
        use Status::{Failed, Running, Succeeded};
        let mut finder = Finder::new(vec![MACHINE.into()]);
        let mut all = vec![run("b", 20, Running), run("a", 10, Succeeded)];
        assert!(!finder.wants_more(MACHINE, &all), "the past is not paged through");
        assert_eq!(finder.newest(MACHINE, &all), ["b"]);
        // Two that began and ended between two looks, one of them in the second of the newest so far.
        all.insert(0, run("c", 20, Failed));
        all.insert(0, run("d", 21, Succeeded));
        assert_eq!(finder.newest(MACHINE, &all), ["d", "c", "b"]);
        all[2].status = Succeeded;
        assert_eq!(finder.newest(MACHINE, &all), [""; 0]);
        // One that was over goes on: it was redriven.
        all[1].status = Running;
        assert_eq!(finder.newest(MACHINE, &all), ["c"]);
        // More than a page is new: the page ends before what was looked at.
        assert!(finder.wants_more(MACHINE, &[run("f", 30, Succeeded), run("e", 29, Succeeded)]));
        assert!(!finder.wants_more(MACHINE, &[run("f", 30, Succeeded), run("a", 10, Succeeded)]));
    }

    #[test]
    fn of_a_machine_that_is_made_meanwhile_everything_is_new() {
        let mut finder = Finder::new(Vec::new());
        finder.learn(vec![MACHINE.into()]);
        assert_eq!(finder.machines(), [MACHINE]);
        assert_eq!(finder.newest(MACHINE, &[]), [""; 0]);
        assert_eq!(finder.newest(MACHINE, &[run("a", 5, Status::Succeeded)]), ["a"]);
        finder.learn(Vec::new());
        assert_eq!(finder.len(), 0);
    }
}
