//! Walks back from the end of a failed execution to the state where its failure began.

use chrono::{DateTime, Utc};

use super::events::Events;
use super::visit::{Kind, Standing};
use super::{Picture, Status, member};

/// Where a failure began.
#[derive(Clone, Debug, PartialEq)]
pub struct RootCause {
    /// Index of the visit; `None` when the execution failed outside any state.
    pub visit: Option<usize>,
    /// Name of the state; empty without a visit.
    pub state: String,
    pub error: Option<String>,
    pub cause: Option<String>,
    pub at: DateTime<Utc>,
}

/// The end's own story is the chain of `previous` links. A Fail state reports what was caught before it; a
/// state entered from a catcher that itself fails came second. So: the nearest failure up the chain, then
/// from each Fail state or catcher's target on to the failure that led there.
pub(super) fn find(picture: &Picture, events: &Events) -> Option<RootCause> {
    let status = picture.status?;
    if !matches!(status, Status::Failed | Status::TimedOut | Status::Aborted) {
        return None;
    }
    let end = events.get(picture.end?)?;
    let first = match picture.owner.get(&end.previous) {
        _ if status == Status::Aborted => None,
        Some(&visit) => Some(visit),
        None => picture.visits.iter().rposition(|visit| visit.standing.is_bad()),
    };
    let direct = first.map(|visit| innermost(picture, events, end.previous, visit));
    let mut culprit = direct;
    // Every step goes to an earlier visit, so this ends.
    while let Some(before) = culprit.and_then(|visit| led_by(picture, events, visit)) {
        culprit = Some(before);
    }
    let Some(i) = culprit else {
        let text = |name| member(end, name).map(std::borrow::Cow::into_owned);
        return Some(RootCause {
            visit: None,
            state: String::new(),
            error: text("error"),
            cause: text("cause"),
            at: end.at,
        });
    };
    let visit = &picture.visits[i];
    let own = |name| member(end, name).map(std::borrow::Cow::into_owned).filter(|_| Some(i) == direct);
    Some(RootCause {
        visit: Some(i),
        state: visit.name.clone(),
        error: visit.error.clone().or_else(|| own("error")),
        cause: visit.cause.clone().or_else(|| own("cause")),
        at: visit
            .attempts
            .iter()
            .filter_map(|attempt| attempt.ended)
            .next_back()
            .or(visit.exited)
            .unwrap_or(visit.entered),
    })
}

/// A container fails because of something inside: follows the links down to it.
fn innermost(picture: &Picture, events: &Events, mut event: i64, mut visit: usize) -> usize {
    while picture.visits[visit].kind.is_container() {
        let Some(before) = events.get(event).map(|e| e.previous).filter(|&before| before < event) else {
            break;
        };
        event = before;
        match picture.owner.get(&event) {
            Some(&owner) if owner != visit => {
                if picture.visits[owner].entered < picture.visits[visit].entered {
                    break;
                }
                visit = owner;
            }
            Some(_) => {}
            None => break,
        }
    }
    visit
}

/// The earlier failure that made the execution come to this visit.
fn led_by(picture: &Picture, events: &Events, visit: usize) -> Option<usize> {
    let mut event = picture.visits[visit].entered_from;
    loop {
        let before = *picture.owner.get(&event)?;
        let candidate = &picture.visits[before];
        if before < visit && candidate.standing == Standing::Caught {
            let end =
                candidate.exited_event.and_then(|exit| events.get(exit)).map_or(event, |exit| exit.previous);
            return Some(innermost(picture, events, end, before)).filter(|&found| found < visit);
        }
        // Only a Fail state stands for something that happened further back.
        if picture.visits[visit].kind != Kind::Fail {
            return None;
        }
        event = events.get(event).map(|e| e.previous).filter(|&previous| previous < event)?;
    }
}
